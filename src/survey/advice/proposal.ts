import { IgnoreRules, type MatchState } from "../../context/ignore/ignore-rules.js";
import type { ContextEntry } from "../../context/tree/manifest.js";
import type { Advice } from "../context-document.js";
import type { AdviceRequest } from "./advice-request.js";
import { ignoreLine, isIgnoreLine } from "./ignore-line.js";

/** Advice to leave something out, before it is known whether lines can say so. */
export interface Proposal {
	readonly kind: string;
	readonly text: string;
	readonly parts: readonly ProposedPart[];
}

interface ProposedPart {
	/** What is to be left out, each with all that is below it. No claim of any part is below another. */
	readonly claims: readonly string[];
	/** A line for all of them, if it turns out to fit nothing else. */
	readonly line?: string | undefined;
}

/** What no proposal is about; of entries in the order of the walk. */
export function outsideOf(
	proposals: readonly Proposal[],
	entries: readonly ContextEntry[],
): ContextEntry[] {
	const claims = proposals.flatMap(({ parts }) => parts.flatMap(({ claims }) => claims));
	const claimOf = claimFinder(new Map(claims.map((path) => [path, path])));
	return entries.filter(({ path }) => claimOf(path) === undefined);
}

/** So many lines are written where no single one says it: for the largest. */
const LINES_PER_PART = 10;
const PATHS = 10;

/** A part on its way to advice. */
interface Draft {
	readonly proposal: Proposal;
	claims: readonly string[];
	line: string | undefined;
}

interface Claim {
	readonly path: string;
	readonly draft: Draft;
	files: number;
	bytes: number;
}

/**
 * Makes advice of proposals: with lines that, behind all other lines of the ignore file, leave out what
 * was claimed and nothing else. What an ignore file cannot say is dropped, and so are claims in which
 * there is something that has to be sent, or that somebody chose to send with a negation of its own.
 */
export function adviceFromProposals(
	request: Pick<AdviceRequest, "entries" | "ignore" | "keep">,
	proposals: readonly Proposal[],
): Advice[] {
	const chosen = chosenToBeSent(request);
	let drafts: readonly Draft[] = proposals.flatMap((proposal) =>
		proposal.parts.map(({ claims, line }) => ({
			proposal,
			claims: claims.filter((claim) => !chosen.has(claim)),
			line: line !== undefined && isIgnoreLine(line) ? line : undefined,
		})),
	);
	for (;;) {
		drafts = drafts.filter(({ claims }) => claims.length > 0);
		const { claims, wrong } = judge(request.entries, drafts);
		const improvable = drafts.filter((draft) => wrong.has(draft) || hasTooManyLines(draft));
		if (improvable.length === 0) {
			return proposals.flatMap((proposal) => adviceOf(proposal, drafts, claims));
		}
		for (const draft of improvable) improve(draft, claims);
	}
}

function hasTooManyLines({ line, claims }: Draft): boolean {
	return line === undefined && claims.length > LINES_PER_PART;
}

/** A line for each claim is the next best; after that, there is none. */
function improve(draft: Draft, claims: ReadonlyMap<string, Claim>): void {
	const isLast = draft.line === undefined && !hasTooManyLines(draft);
	const bytes = (path: string) => claims.get(path)?.bytes ?? 0;
	draft.claims = draft.claims
		.toSorted((one, other) => bytes(other) - bytes(one))
		.slice(0, isLast ? 0 : LINES_PER_PART);
	draft.line = undefined;
}

/** Finds out what the lines leave out, and which of them do not leave out just what they should. */
function judge(
	entries: readonly ContextEntry[],
	drafts: readonly Draft[],
): { readonly claims: ReadonlyMap<string, Claim>; readonly wrong: ReadonlySet<Draft> } {
	const lines = drafts.flatMap((draft) => linesOf(draft).map((line) => ({ line, draft })));
	const rules = IgnoreRules.parse(lines.map(({ line }) => line).join("\n"), "advice");
	const claims = claimsOf(drafts);
	const wrong = new Set<Draft>();
	const sharedWith = linkedFromOutside(entries, claims);
	const claimOf = claimFinder(claims);
	let gone: { readonly below: string; readonly draft: Draft } | undefined;
	for (const { path, type, size, hardlink } of entries) {
		const claim = claimOf(path);
		if (gone !== undefined && !path.startsWith(gone.below)) gone = undefined;
		// No added line is a negation, so one that fits a directory fits all that is below.
		if (gone === undefined) {
			const { rule } = rules.match(path, rules.root());
			const draft = rule?.line === undefined ? undefined : lines[rule.line - 1]?.draft;
			if (draft !== undefined) gone = { below: `${path}/`, draft };
		}
		if (claim === undefined) {
			if (gone !== undefined) wrong.add(gone.draft);
		} else if (gone === undefined) {
			wrong.add(claim.draft);
		} else if (type !== "directory") {
			claim.files += 1;
			if (hardlink === undefined && !sharedWith.has(path)) claim.bytes += size;
		}
	}
	return { claims, wrong };
}

function linesOf({ line, claims }: Draft): readonly string[] {
	return line === undefined ? claims.map((path) => ignoreLine(path)) : [line];
}

function claimsOf(drafts: readonly Draft[]): Map<string, Claim> {
	const claims = drafts.flatMap((draft) =>
		draft.claims.map((path): [string, Claim] => [path, { path, draft, files: 0, bytes: 0 }]),
	);
	return new Map(claims);
}

/** Finds the claim that a path is in; for paths in the order of the walk. */
function claimFinder<Value>(
	claims: ReadonlyMap<string, Value>,
): (path: string) => Value | undefined {
	let inside: { readonly below: string; readonly claim: Value } | undefined;
	return (path) => {
		if (inside !== undefined && path.startsWith(inside.below)) return inside.claim;
		const claim = claims.get(path);
		inside = claim && { below: `${path}/`, claim };
		return claim;
	};
}

/** Files that go on being sent under another name. */
function linkedFromOutside(
	entries: readonly ContextEntry[],
	claims: ReadonlyMap<string, Claim>,
): ReadonlySet<string> {
	const linked = new Set<string>();
	if (entries.every(({ hardlink }) => hardlink === undefined)) return linked;
	const claimOf = claimFinder(claims);
	for (const { path, hardlink } of entries) {
		if (claimOf(path) === undefined && hardlink !== undefined) linked.add(hardlink);
	}
	return linked;
}

function adviceOf(
	proposal: Proposal,
	drafts: readonly Draft[],
	claims: ReadonlyMap<string, Claim>,
): Advice[] {
	const own = drafts.filter((draft) => draft.proposal === proposal);
	const found = [...claims.values()]
		.filter(({ draft, files }) => draft.proposal === proposal && files > 0)
		.sort((one, other) => other.bytes - one.bytes || other.files - one.files);
	if (found.length === 0) return [];
	return [
		{
			kind: proposal.kind,
			text: proposal.text,
			files: found.reduce((sum, { files }) => sum + files, 0),
			bytes: found.reduce((sum, { bytes }) => sum + bytes, 0),
			paths: found.slice(0, PATHS).map(({ path }) => path),
			lines: own.flatMap(linesOf),
		},
	];
}

/**
 * Whatever somebody chose to send, with the directories that it is in: what is kept in any case, and what
 * has a negation of its own. One that begins with a wildcard is about no directory in particular, and one
 * that is nothing else is about nothing.
 */
function chosenToBeSent({
	entries,
	ignore,
	keep,
}: Pick<AdviceRequest, "entries" | "ignore" | "keep">): ReadonlySet<string> {
	const chosen = new Set<string>();
	const chooseWithParents = (path: string) => {
		for (let end = path.length; end > 0; end = path.lastIndexOf("/", end - 1)) {
			chosen.add(path.slice(0, end));
		}
	};
	for (const path of keep) chooseWithParents(path);
	if (ignore === undefined) return chosen;
	const rules = IgnoreRules.parse(ignore.content, ignore.file);
	if (!rules.rules.some(({ negated }) => negated)) return chosen;
	const states = new Map<string, MatchState>();
	for (const { path, type } of entries) {
		const parent = states.get(parentOf(path)) ?? rules.root();
		const state = rules.match(path, parent);
		if (type === "directory") states.set(path, state);
		const { ignored, rule } = state;
		const isOwn = rule?.negated && !parent.fits.includes(rule) && !/^![*/\s]+$/.test(rule.text);
		if (ignored || isOwn) chosen.add(path);
		if (isOwn && !/^!\s*\/?\*/.test(rule.text)) chooseWithParents(path);
	}
	return chosen;
}

function parentOf(path: string): string {
	return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}
