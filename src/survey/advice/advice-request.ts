import type { FileHashes } from "../../context/index/file-hashes.js";
import type { ContextEntry } from "../../context/tree/manifest.js";
import type { SourceTree } from "../../context/tree/source-tree.js";

/** A context to give advice on. */
export interface AdviceRequest {
	readonly tree: SourceTree;
	/** What would be sent: parents before children, siblings in the byte order of their names. */
	readonly entries: readonly ContextEntry[];
	/** The ignore file that applies; `file` is its name for people. */
	readonly ignore?: { readonly content: Uint8Array; readonly file: string } | undefined;
	/** Paths that are sent whatever the rules say: the Dockerfile and .dockerignore. */
	readonly keep: readonly string[];
	/** The text of the Dockerfile. */
	readonly dockerfile: string;
	/** Whether an instruction takes the path; absent: whatever is there may be taken. */
	readonly isNeeded?: ((path: string) => boolean) | undefined;
	/** What was known of the files when they were last synced; absent: nothing. */
	readonly earlier?: Pick<FileHashes, "earlier"> | undefined;
}
