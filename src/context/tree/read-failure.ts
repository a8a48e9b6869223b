import { ContextError } from "../../errors.js";
import { systemReason } from "../../system-reason.js";
import type { Unreadable } from "./manifest.js";
import { printablePath } from "./path-bytes.js";

/** The failure of a system call on something in the context; "" is the context itself. */
export function readFailure(path: string, error: unknown): ContextError {
	const { code } = error as NodeJS.ErrnoException;
	const place = path === "" ? "the build context" : `${printablePath(path)} in the build context`;
	if (code === "ENOENT" || code === "ENOTDIR") {
		return new ContextError(
			`${printablePath(path || "the build context")} vanished while it was being read`,
			{
				hint: "stop what is changing it, or list it in .dockerignore",
				cause: error,
			},
		);
	}
	// Only what the walk has found to be a file is read: a directory, or a pipe, has taken its place.
	if (code === "EISDIR" || code === "ESPIPE") return changedWhileRead(path);
	const isRefused = code === "EACCES" || code === "EPERM" || code === "EBUSY";
	return new ContextError(`cannot read ${place}: ${systemReason(error)}`, {
		hint: isRefused ? "make it readable, or list it in .dockerignore" : undefined,
		cause: error,
	});
}

/** @throws ContextError for the first of what is to be sent and cannot be read */
export function requireReadable([first]: readonly Unreadable[]): void {
	if (first !== undefined) throw new ContextError(first.message, { hint: first.hint });
}

export function changedWhileRead(path: string): ContextError {
	return new ContextError(`${printablePath(path)} changed while it was being read`, {
		hint: "stop what is writing to it, or list it in .dockerignore",
	});
}
