import type {
	Advice,
	ContextTotalsDocument,
	InstructionNeed,
	RuleUse,
	SecretFinding,
} from "../context-document.js";

/**
 * What the page is handed: a ContextDocument in which the paths are a tree, so that no name is in it
 * twice. Read by browser/, which is a program of its own.
 */
export interface PageData {
	readonly context: string;
	readonly dockerfile: string | null;
	readonly ignoreFile: string | null;
	readonly totals: ContextTotalsDocument;
	readonly rules: readonly RuleUse[];
	/** Null where it is not known what the Dockerfile takes. */
	readonly instructions: readonly InstructionNeed[] | null;
	readonly doubts: readonly string[];
	readonly warnings: readonly string[];
	/** Why paths cannot be read. */
	readonly unreadable: readonly string[];
	readonly advice: readonly Advice[];
	readonly secrets: readonly SecretFinding[];
	readonly nodes: PageNodes;
	/** The sets of instructions that `needs` of a node is an index of. */
	readonly needSets: readonly (readonly number[])[];
}

/**
 * One column for each property: parents before their children, siblings in the byte order of their
 * names. The first is the context itself.
 */
export interface PageNodes {
	readonly names: readonly string[];
	/** 0 for the context itself. */
	readonly depths: readonly number[];
	/** Indexes in KINDS. */
	readonly kinds: readonly number[];
	/** Bytes; of a directory only where what is in it is not in here. */
	readonly sizes: readonly number[];
	/** Likewise. */
	readonly files: readonly number[];
	/** Indexes in VERDICTS. */
	readonly verdicts: readonly number[];
	/** Indexes in `rules`, -1 for none. */
	readonly rules: readonly number[];
	/** Indexes in `needSets`, -1 where it is not known. */
	readonly needs: readonly number[];
	/** Where links lead, by node. */
	readonly links: Readonly<Record<number, string>>;
}

export const KINDS = [
	"file",
	"directory",
	"symlink",
	"fifo",
	"char-device",
	"block-device",
] as const;

/** What is to be said of a path. "sent": it is not known whether the Dockerfile takes it. */
export const VERDICTS = ["needed", "sent", "unused", "ignored", "secret"] as const;

export type NodeVerdict = (typeof VERDICTS)[number];
