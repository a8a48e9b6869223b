import { randomBytes } from "node:crypto";
import { realpath, rename, rm, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { UsageError } from "../errors.js";
import { makeFolder } from "../folder.js";
import { systemReason } from "../system-reason.js";

/**
 * Writes one of the user's small files, which others may read at the same time: it is there as a whole,
 * or as it was. A link stays a link, and a file keeps its permissions.
 *
 * @param mode of a new file
 * @throws UsageError
 */
export async function replaceFile(path: string, content: string | Uint8Array, mode: number) {
	let temporary: string | undefined;
	try {
		await makeFolder(dirname(path), 0o700);
		const target = await realpath(path).catch(() => path);
		const existing = await stat(target).catch(() => undefined);
		temporary = join(dirname(target), `.${basename(target)}.${randomBytes(6).toString("hex")}.tmp`);
		await writeFile(temporary, content, { mode: (existing?.mode ?? mode) & 0o777, flag: "wx" });
		await rename(temporary, target);
	} catch (error) {
		if (temporary !== undefined) await rm(temporary, { force: true }).catch(() => {});
		throw new UsageError(`cannot write ${path}: ${systemReason(error)}`, { cause: error });
	}
}
