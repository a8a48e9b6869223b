import { getSystemErrorMap } from "node:util";

/** Where libuv's words say less, or would mislead. */
const WORDS: Readonly<Record<string, string>> = {
	EDQUOT: "disk quota exceeded",
	EFBIG: "the file would be too large",
	EISDIR: "it is a directory",
	ELOOP: "too many levels of symbolic links",
	ENAMETOOLONG: "the name is too long",
	ENOSPC: "no space left on the disk",
	ENOTDIR: "part of the path is a file, not a folder",
	EPERM: "permission denied",
	EROFS: "the file system is read-only",
};

/** What a failed system call comes to, in the words that go behind "cannot read NAME: ". */
export function systemReason(error: unknown): string {
	const { code, message } = error as { readonly code?: unknown; readonly message?: string };
	// A number is a code of ssh2's, and what node finds itself is told in its message.
	if (typeof code !== "string" || (code.startsWith("ERR_") && message)) {
		return message ?? String(error);
	}
	return WORDS[code] ?? libuvReason(code) ?? code;
}

function libuvReason(wanted: string): string | undefined {
	for (const [code, reason] of getSystemErrorMap().values()) if (code === wanted) return reason;
	return undefined;
}
