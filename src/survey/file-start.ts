import { closeSync } from "node:fs";
import type { SourceTree } from "../context/tree/source-tree.js";
import { ContextError } from "../errors.js";

/**
 * The first bytes of a file, fewer if it is shorter. Undefined for what cannot be read: a build will say so.
 */
export function readStart(tree: SourceTree, path: string, bytes: number): Buffer | undefined {
	let file: number | undefined;
	try {
		file = tree.open(path);
		tree.opened(file, path);
		const buffer = Buffer.allocUnsafe(bytes);
		let at = 0;
		for (let read = -1; read !== 0 && at < bytes; at += read) {
			read = tree.read(file, path, { buffer, at, length: bytes - at }, at);
		}
		return buffer.subarray(0, at);
	} catch (error) {
		if (error instanceof ContextError) return undefined;
		throw error;
	} finally {
		if (file !== undefined) closeSync(file);
	}
}
