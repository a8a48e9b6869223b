import { DeliveryError } from "../../errors.js";
import { systemReason } from "../../system-reason.js";

/** The cache's own folder cannot be written or listed: the disk is full, or it is not ours. */
export class CacheFailure extends DeliveryError {
	override readonly name = "DeliveryError";

	/** @param path within the cache */
	constructor(path: string, cause: unknown, failed: "write to" | "read" = "write to") {
		const { code = "" } = cause as NodeJS.ErrnoException;
		super(`cannot ${failed} the image cache at ${path}: ${systemReason(cause)}`, {
			hint: HINTS[code] ?? "look at that folder, or set XDG_CACHE_HOME",
			cause,
		});
	}
}

const HINTS: Readonly<Record<string, string>> = {
	ENOSPC: "free up space (rbuild cache prune), or set XDG_CACHE_HOME",
	EDQUOT: "free up space (rbuild cache prune), or set XDG_CACHE_HOME",
};
