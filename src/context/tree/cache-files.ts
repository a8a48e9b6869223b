import { randomBytes } from "node:crypto";
import { rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { makeFolderSync } from "../../disk/folder.js";
import { renamePatientlySync } from "../../disk/patient-rename.js";

/**
 * A clock of files may be this coarse, in milliseconds: FAT counts two seconds. What was changed so short
 * before it was looked at could change again and look the same, as in git ("racily clean").
 */
export const CLOCK_STEP = 2_000;

/**
 * Writes what a later run may be without. Others may read it meanwhile, or write it too. Never fails;
 * blocks its thread.
 */
export function keepFile(file: string, content: string | Uint8Array): void {
	const temporary = `${file}.${randomBytes(6).toString("hex")}.tmp`;
	try {
		makeFolderSync(dirname(file), 0o700);
		writeFileSync(temporary, content, { mode: 0o600 });
		renamePatientlySync(temporary, file);
	} catch {
		try {
			rmSync(temporary, { force: true });
		} catch {}
	}
}
