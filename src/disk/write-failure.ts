import { DeliveryError } from "../errors.js";
import { systemReason } from "../system-reason.js";

/** Puts the system's errors, which have a code, into words; all others stay as they are. */
export function writeFailure(path: string, error: unknown): unknown {
	const { code } = error as NodeJS.ErrnoException;
	if (code === undefined) return error;
	const reason = REASONS[code] ?? systemReason(error);
	const hint = HINTS[code] ?? "choose another place";
	return new DeliveryError(`cannot save to ${path}: ${reason}`, { hint, cause: error });
}

/** What is meant by them where something is written. */
const REASONS: Readonly<Record<string, string>> = {
	ENOENT: "its folder does not exist",
	EPIPE: "the reader has closed it",
};

const HINTS: Readonly<Record<string, string>> = {
	EACCES: "choose a place where you may write",
	EPERM: "choose a place where you may write",
	EROFS: "choose a place where you may write",
	ENOENT: "make the folder first",
	ENOTDIR: "correct the path",
	EISDIR: "name a file in it",
	ENAMETOOLONG: "choose a shorter name",
	ENOSPC: "make room there, or choose another place",
	EDQUOT: "make room there, or choose another place",
	EFBIG: "save to another file system",
	EPIPE: "look at the program that reads it",
};
