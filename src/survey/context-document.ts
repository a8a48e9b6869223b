import type { EntryType } from "../context/tree/manifest.js";

/**
 * What `rbuild context` found out, as `--format json` prints it; every other format is made from it.
 * Paths are in the encoding of path-bytes.ts, sizes are bytes. Who changes the shape of what is here
 * raises `version`; what is added does not.
 */
export interface ContextDocument {
	readonly version: 1;
	/** The directory, absolute. */
	readonly context: string;
	/** As the user knows it; null where there is none. */
	readonly dockerfile: string | null;
	/** The .dockerignore that applies, as the user knows it; null where there is none. */
	readonly ignoreFile: string | null;
	readonly totals: ContextTotalsDocument;
	/** What would be sent, in the order of the tar. */
	readonly files: readonly SentPath[];
	/** What would not, in the order of the walk. */
	readonly ignored: readonly IgnoredPath[];
	/** The rules of the ignore file, in its order. */
	readonly rules: readonly RuleUse[];
	/** What the Dockerfile takes; null where it could not be read. */
	readonly needs: ContextNeeds | null;
	readonly advice: readonly Advice[];
	/** Paths that would be sent and look as if they held credentials. Never the credentials. */
	readonly secrets: readonly SecretFinding[];
	/** Why something is not known, for people; absent where there is nothing to warn of. */
	readonly warnings?: readonly string[];
	/** What a build would fail with; absent where all can be read. */
	readonly unreadable?: readonly UnreadablePath[];
	/** The limits that were given and are exceeded; absent where none is. */
	readonly exceeded?: readonly ExceededLimit[];
	/** Only where an earlier document was named. */
	readonly comparison?: ContextComparison;
}

/** All but the two lists that may be too long to be held, or sent, as a whole. */
export type DocumentHead = Omit<ContextDocument, "files" | "ignored">;

export interface ContextTotalsDocument {
	/** Everything but directories. */
	readonly files: number;
	/** Sum of the sizes of the regular files, each inode once. */
	readonly bytes: number;
	readonly ignored: {
		readonly files: number;
		readonly bytes: number;
		/** Ignored directories that were not entered for a negation. */
		readonly directories: readonly string[];
	};
	/** An estimate, made by compressing `sampledBytes` of the context. */
	readonly compressed: { readonly bytes: number; readonly sampledBytes: number };
	/** Only where a link was named: how long the compressed context takes on it. */
	readonly upload?: { readonly bitsPerSecond: number; readonly seconds: number };
}

export interface SentPath {
	readonly path: string;
	readonly type: EntryType;
	/** Bytes of a regular file, else 0. */
	readonly size: number;
	/** Permission bits with setuid, setgid and sticky: mode & 0o7777. */
	readonly mode: number;
	readonly linkname?: string;
	readonly hardlink?: string;
	/** The negation in the ignore file that sends it, if it took one: index in `rules`. */
	readonly rule?: number;
	/** Who takes it: indexes in `needs.instructions`. Absent where needs are not known, empty for nobody. */
	readonly neededBy?: readonly number[];
}

export interface IgnoredPath {
	readonly path: string;
	readonly type: EntryType;
	/** Of all that is in it, if it is a directory that was not entered. */
	readonly size: number;
	/** Likewise; 1 for anything but a directory. */
	readonly files: number;
	/** Index in `rules`. */
	readonly rule: number;
}

export interface RuleUse {
	/** In the ignore file, counted from 1. */
	readonly line: number;
	/** As it was written, without the blanks around it. */
	readonly text: string;
	/** What it decided: was the last rule to fit. */
	readonly files: number;
	readonly bytes: number;
	/** What is doubtful about it, for people; see rule-doubts.ts. */
	readonly doubt?: string;
}

export interface ContextNeeds {
	/** Only those of stages that the target is built from, and that read the context. */
	readonly instructions: readonly InstructionNeed[];
	/** Sent, and taken by no instruction. */
	readonly unused: { readonly files: number; readonly bytes: number };
	/** Why more may be needed than is known; empty where the needs are proven. For people. */
	readonly doubts: readonly string[];
}

export interface InstructionNeed {
	/** In the Dockerfile, counted from 1. */
	readonly line: number;
	/** Its first line, shortened. */
	readonly text: string;
	readonly files: number;
	readonly bytes: number;
}

export interface Advice {
	/** What it is about, in kebab case, such as "git-directory" or "git-ignored". */
	readonly kind: string;
	/** One line for people. */
	readonly text: string;
	/** What following it would save. */
	readonly files: number;
	readonly bytes: number;
	/** The largest paths it is about, ten at most. */
	readonly paths: readonly string[];
	/** Lines to add to the ignore file; empty where it is not a matter of one. */
	readonly lines: readonly string[];
}

export interface SecretFinding {
	readonly path: string;
	/** What it looks like, for people: "an OpenSSH private key". */
	readonly what: string;
	/** Where in the file, counted from 1; absent where the name gave it away. */
	readonly line?: number;
}

interface UnreadablePath {
	readonly path: string;
	/** For people; names the path. */
	readonly reason: string;
}

export interface ExceededLimit {
	/** The flag that set it, without its dashes. */
	readonly limit: "max-size" | "max-files" | "max-file-size";
	/** Bytes, or files for "max-files". */
	readonly allowed: number;
	/** Likewise; of the largest file for "max-file-size". */
	readonly found: number;
	/** The largest files; for "max-files", the directories that hold the most by themselves. Five at most. */
	readonly largest: readonly SizedPath[];
}

export interface SizedPath {
	readonly path: string;
	/** Bytes, or files in a directory for "max-files". */
	readonly size: number;
}

/** What changed in what would be sent, of all but directories. */
export interface ContextComparison {
	/** The earlier document, as the user named it. */
	readonly file: string;
	readonly before: { readonly files: number; readonly bytes: number };
	readonly added: ChangedPaths;
	readonly grown: ChangedPaths;
	readonly shrunk: ChangedPaths;
	readonly removed: ChangedPaths;
}

export interface ChangedPaths {
	readonly files: number;
	/** By which the context grew; below 0 where it shrank. */
	readonly bytes: number;
	/** Those with the largest change, ten at most. */
	readonly largest: readonly ChangedPath[];
}

export interface ChangedPath {
	readonly path: string;
	/** Bytes; null where it was not there. */
	readonly before: number | null;
	/** Likewise. */
	readonly after: number | null;
}
