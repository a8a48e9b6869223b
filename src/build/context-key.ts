import { createHash } from "node:crypto";

/**
 * Names a build context to the daemon, which keeps a copy of the files for each name and transfers the
 * difference. Another place is another project.
 *
 * @param root the context directory, absolute and without symlinks
 */
export function contextKey(root: string): string {
	return createHash("sha256").update(`rbuild\0${root}`).digest("hex");
}
