import { realpath, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { makeFolder } from "../disk/folder.js";
import { UnfinishedFile } from "../disk/unfinished-file.js";
import { DeliveryError } from "../errors.js";
import { systemReason } from "../system-reason.js";

/**
 * Writes a file of the user's settings for docker, which others may read at the same time: it is there as a
 * whole, or as it was. A link stays a link, and a file keeps its permissions.
 *
 * @param mode of a new file
 * @throws DeliveryError
 */
export async function writeSettings(path: string, content: string | Uint8Array, mode: number) {
	try {
		await makeFolder(dirname(path), 0o700);
		const target = await realpath(path).catch(() => path);
		const existing = await stat(target).catch(() => undefined);
		const permissions = (existing?.mode ?? mode) & 0o777;
		await using file = await UnfinishedFile.create(dirname(target), permissions);
		await file.append(Buffer.from(content));
		await file.commit(target);
	} catch (error) {
		throw settingsFailure(`cannot write ${path}`, error);
	}
}

/** @param what could not be done to them */
export function settingsFailure(what: string, error: unknown): DeliveryError {
	return new DeliveryError(`${what}: ${systemReason(error)}`, {
		hint: "docker's settings are in ~/.docker or DOCKER_CONFIG, which must be writable for you",
		cause: error,
	});
}
