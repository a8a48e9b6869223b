import { readFileSync } from "node:fs";
import { UsageError } from "../errors.js";
import { systemReason } from "../system-reason.js";
import type {
	ChangedPath,
	ChangedPaths,
	ContextComparison,
	ContextDocument,
} from "./context-document.js";
import { Largest } from "./largest.js";

const SHOWN = 10;

interface SizedFile {
	readonly path: string;
	readonly type: string;
	readonly size: number;
}

/** What an earlier document says of what would be sent. */
type EarlierContext = Pick<ContextDocument, "totals"> & {
	readonly files: readonly SizedFile[];
};

/**
 * Reads the document that `--format json` wrote earlier. Blocks its thread.
 *
 * @param file for messages, as the user named it
 * @throws UsageError for what is no such document, or of a version that is not known
 */
export function readEarlierContext(path: string, file: string): EarlierContext {
	const document = parse(readText(path, file), file);
	const { version, files, totals } = (document ?? {}) as Partial<ContextDocument>;
	const hint = "write a new one: rbuild context --format json";
	if (version !== 1) {
		const problem =
			version === undefined ? "has no version" : `has version ${JSON.stringify(version)}`;
		throw new UsageError(`cannot compare with ${file}: it ${problem}, and only 1 is supported`, {
			hint,
		});
	}
	if (!isSize(totals?.files) || !isSize(totals?.bytes) || !isListOfFiles(files)) {
		throw new UsageError(`cannot compare with ${file}: it has no list of files`, { hint });
	}
	return { totals, files };
}

export function compareContexts(
	file: string,
	earlier: EarlierContext,
	now: Iterable<SizedFile>,
): ContextComparison {
	const before = new Map<string, number>();
	for (const { path, type, size } of earlier.files) {
		if (type !== "directory") before.set(path, size);
	}
	const [added, grown, shrunk, removed] = [
		new Changes(),
		new Changes(),
		new Changes(),
		new Changes(),
	];
	for (const { path, type, size } of now) {
		if (type === "directory") continue;
		const then = before.get(path);
		before.delete(path);
		if (then === undefined) added.add({ path, before: null, after: size });
		else if (size > then) grown.add({ path, before: then, after: size });
		else if (size < then) shrunk.add({ path, before: then, after: size });
	}
	for (const [path, size] of before) removed.add({ path, before: size, after: null });
	return {
		file,
		before: { files: earlier.totals.files, bytes: earlier.totals.bytes },
		added: added.document,
		grown: grown.document,
		shrunk: shrunk.document,
		removed: removed.document,
	};
}

class Changes {
	#files = 0;
	#bytes = 0;
	readonly #largest = new Largest<ChangedPath>(SHOWN);

	add(change: ChangedPath): void {
		const bytes = (change.after ?? 0) - (change.before ?? 0);
		this.#files += 1;
		this.#bytes += bytes;
		this.#largest.add(change, Math.abs(bytes));
	}

	get document(): ChangedPaths {
		return { files: this.#files, bytes: this.#bytes, largest: this.#largest.items };
	}
}

function readText(path: string, file: string): string {
	try {
		return readFileSync(path, "utf8");
	} catch (error) {
		throw new UsageError(`cannot compare with ${file}: ${systemReason(error)}`, { cause: error });
	}
}

function parse(text: string, file: string): unknown {
	try {
		return JSON.parse(text);
	} catch (error) {
		throw new UsageError(`cannot compare with ${file}: it is not JSON`, {
			hint: "name a file that rbuild context --format json wrote",
			cause: error,
		});
	}
}

function isListOfFiles(value: unknown): value is SizedFile[] {
	return (
		Array.isArray(value) &&
		value.every(
			(file) =>
				typeof file?.path === "string" && typeof file.type === "string" && isSize(file.size),
		)
	);
}

function isSize(value: unknown): value is number {
	return typeof value === "number" && value >= 0;
}
