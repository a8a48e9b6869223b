import { createReadStream, fstatSync } from "node:fs";
import type { Readable } from "node:stream";

const STDIN = 0;

/** The standard input; one that is a directory fails when it is read, where node's own would be empty. */
export function standardInput(): Readable {
	const isFolder = process.platform !== "win32" && fstatSync(STDIN).isDirectory();
	return isFolder ? createReadStream("", { fd: STDIN }) : process.stdin;
}
