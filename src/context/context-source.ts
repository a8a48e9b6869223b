import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { ContextError } from "../errors.js";
import { systemReason } from "../system-reason.js";
import { hasLostBytes } from "./tree/path-bytes.js";

/** What the CONTEXT argument means. */
type ContextSource =
	| { readonly kind: "directory"; readonly directory: string }
	/** A tar archive, or the text of a Dockerfile, on standard input. */
	| { readonly kind: "stdin" }
	/** A git repository or a file on the web that the daemon fetches by itself. */
	| { readonly kind: "url"; readonly url: string };

/**
 * Reads the CONTEXT argument as `docker build` does: "-" is standard input, a path that exists is
 * local even if it looks like a URL, and only then may it be one.
 *
 * @throws ContextError when it is neither, or a file.
 */
export async function parseContextSource(
	argument: string,
	workingDirectory: string,
): Promise<ContextSource> {
	if (argument === "-") return { kind: "stdin" };
	const directory = resolve(workingDirectory, argument);
	const found = await stat(directory).catch((error: NodeJS.ErrnoException) => {
		if (error.code === "ENOENT" || error.code === "ENOTDIR") return undefined;
		throw new ContextError(`cannot read the build context ${argument}: ${systemReason(error)}`, {
			cause: error,
		});
	});
	if (found?.isDirectory()) return { kind: "directory", directory };
	if (found !== undefined) {
		throw new ContextError(`the build context ${argument} is a file, not a directory`, {
			hint: "give the directory that holds the Dockerfile, and name the Dockerfile with -f",
		});
	}
	if (isRemoteUrl(argument)) return { kind: "url", url: argument };
	if (hasLostBytes(directory)) {
		throw new ContextError(`cannot open the build context ${argument}: its path is not UTF-8`, {
			hint: "rename it, or give what is in it as a tar on standard input",
		});
	}
	throw new ContextError(`the build context ${argument} does not exist`, {
		hint: `it was looked for at ${directory}`,
	});
}

/**
 * Whether a daemon fetches it by itself: the forms that it takes as `remote` (moby
 * daemon/builder/remotecontext/urlutil), and ssh://, which BuildKit knows beside them (util/gitutil).
 */
export function isRemoteUrl(text: string): boolean {
	return /^(?:https?:\/\/|git:\/\/|ssh:\/\/|github\.com\/|git@)/.test(text);
}
