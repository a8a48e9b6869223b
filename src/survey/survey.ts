import { type ExtraFile, insertExtraFiles } from "../context/content/extra-files.js";
import { walkContext } from "../context/entries/walk.js";
import { IgnoreRules } from "../context/ignore/ignore-rules.js";
import type { ContextEntry, ContextManifest } from "../context/tree/manifest.js";
import { SourceTree } from "../context/tree/source-tree.js";
import { type Findings, lookCloser } from "./closer-look.js";
import { compareContexts, readEarlierContext } from "./comparison.js";
import { estimateCompressedSize } from "./compressed-size.js";
import type {
	ContextTotalsDocument,
	DocumentHead,
	IgnoredPath,
	RuleUse,
	SentPath,
} from "./context-document.js";
import { exceededLimits } from "./limits.js";
import { findRuleDoubts } from "./rule-doubts.js";
import type { SurveyRequest } from "./survey-request.js";
import { type RuleRecord, WalkRecord } from "./walk-record.js";
import type { WalkedContext } from "./walked-context.js";

/** What was found out; the parts of a ContextDocument. */
export interface Survey {
	readonly head: DocumentHead;
	/** Made anew each time that it is gone through. */
	readonly files: Iterable<SentPath>;
	readonly ignored: readonly IgnoredPath[];
	readonly walked: WalkedContext;
}

/**
 * Looks into a context. Blocks its thread for most of the time.
 *
 * @param onPath called for every path that is met
 * @throws ContextError as the walk, but not for what cannot be read below the root
 * @throws UsageError for an earlier document that cannot be compared with
 */
export async function surveyContext(request: SurveyRequest, onPath: () => void): Promise<Survey> {
	const earlier = request.earlier && {
		name: request.earlier.name,
		context: readEarlierContext(request.earlier.path, request.earlier.name),
	};
	const { ignore } = request;
	const written = ignore ? IgnoreRules.parse(ignore.content, ignore.file) : IgnoreRules.none();
	const rules = written.keeping(request.keep);
	const tree = new SourceTree(request.root, request.platform);
	const record = new WalkRecord(tree, written.rules, onPath);
	const manifest = walkWith(tree, rules, record, request.extra);
	const { entries } = manifest;
	const walked: WalkedContext = {
		root: request.root,
		tree,
		entries,
		contents: new Map(request.extra.map(({ path, content }) => [path, content])),
		ignored: record.ignored,
		ignore,
		keep: request.keep,
		rules,
		dockerfile: request.dockerfile,
		target: request.target,
		buildArgs: request.buildArgs,
	};
	const unreadable = manifest.unreadable.map(({ path, message }) => ({ path, reason: message }));
	const { needs, neededBy, advice, secrets, ...found } = await lookCloser(walked, request);
	const warnings = [...request.warnings, ...found.warnings];
	const exceeded = exceededLimits(request.limits, manifest, entries);
	const head: DocumentHead = {
		version: 1,
		context: request.root,
		dockerfile: request.dockerfile?.name ?? null,
		ignoreFile: ignore?.file ?? null,
		totals: totalsOf(manifest, walked, request.linkBitsPerSecond),
		rules: ruleUses(walked, written, record),
		needs,
		advice,
		secrets,
		...(warnings.length > 0 ? { warnings } : {}),
		...(unreadable.length > 0 ? { unreadable } : {}),
		...(exceeded.length > 0 ? { exceeded } : {}),
		...(earlier && { comparison: compareContexts(earlier.name, earlier.context, entries) }),
	};
	const files = { [Symbol.iterator]: () => sentPaths(entries, record.sentBy, neededBy) };
	return { head, files, ignored: record.ignored, walked };
}

function walkWith(
	tree: SourceTree,
	rules: IgnoreRules,
	record: WalkRecord,
	extra: readonly ExtraFile[],
): ContextManifest {
	const hidden = new Set(extra.map(({ path }) => path));
	return insertExtraFiles(walkContext(tree, rules, hidden, undefined, record), extra);
}

function totalsOf(
	manifest: ContextManifest,
	{ tree, entries, contents, ignored }: WalkedContext,
	bitsPerSecond: number | undefined,
): ContextTotalsDocument {
	const compressed = estimateCompressedSize(tree, entries, contents);
	const upload = bitsPerSecond && {
		upload: { bitsPerSecond, seconds: (compressed.bytes * 8) / bitsPerSecond },
	};
	return {
		files: manifest.files,
		bytes: manifest.bytes,
		ignored: {
			files: ignored.reduce((sum, { files }) => sum + files, 0),
			bytes: ignored.reduce((sum, { size }) => sum + size, 0),
			directories: manifest.ignored.directories,
		},
		compressed,
		...upload,
	};
}

function ruleUses(
	walked: WalkedContext,
	written: IgnoreRules,
	{ rules: records, sentBy }: WalkRecord,
): RuleUse[] {
	const doubts = findRuleDoubts(walked, records, sentBy);
	return written.rules.map(({ line = 0, text }, index) => {
		const { files, bytes } = records[index] as RuleRecord;
		const doubt = doubts.get(index);
		return { line, text, files, bytes, ...(doubt === undefined ? {} : { doubt }) };
	});
}

function* sentPaths(
	entries: readonly ContextEntry[],
	sentBy: ReadonlyMap<ContextEntry, number>,
	neededBy: Findings["neededBy"],
): Generator<SentPath, void> {
	for (const [index, entry] of entries.entries()) {
		const { path, type, size, mode, linkname, hardlink } = entry;
		const rule = sentBy.get(entry);
		yield {
			path,
			type,
			size,
			mode,
			...(linkname === undefined ? {} : { linkname }),
			...(hardlink === undefined ? {} : { hardlink }),
			...(rule === undefined ? {} : { rule }),
			...(neededBy && { neededBy: neededBy(index) }),
		};
	}
}
