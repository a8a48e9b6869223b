import { lstat, unlink } from "node:fs/promises";
import { resolve } from "node:path";
import { checkWritable, replaceFile } from "../../disk/replacement-file.js";

/** The small files for scripts: --iidfile and --metadata-file. All throw DeliveryError. */

/**
 * Before anything is built: whether the file could be written at its end.
 * @param example what it may be called
 */
export async function checkResultFile(file: string | undefined, example: string): Promise<void> {
	if (file !== undefined) await checkWritable(resolve(file), example);
}

/** Writes it, whole or not at all; what is no regular file is written to as it is. */
export async function writeResultFile(file: string | undefined, content: string): Promise<void> {
	if (file !== undefined) await replaceFile(resolve(file), content);
}

/** As docker does with the id: that of an earlier build must not pass for that of one that fails. */
export async function removeResultFile(file: string | undefined): Promise<void> {
	if (file === undefined) return;
	const path = resolve(file);
	const found = await lstat(path).catch(() => undefined);
	if (found?.isFile()) await unlink(path);
}
