import { rename, rm, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { DeliveryError } from "../errors.js";

/**
 * Writes a small file for scripts, whole or not at all.
 * @throws DeliveryError
 */
export async function writeResultFile(file: string, content: string): Promise<void> {
	const path = resolve(file);
	const unfinished = `${path}.${process.pid}.tmp`;
	try {
		await writeFile(unfinished, content);
		await rename(unfinished, path);
	} catch (error) {
		await rm(unfinished, { force: true });
		throw new DeliveryError(`cannot write ${file}: ${(error as NodeJS.ErrnoException).code}`, {
			hint: "the image was built all the same",
			cause: error,
		});
	}
}
