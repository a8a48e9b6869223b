import { addAbortSignal, type Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { ContextError } from "../errors.js";
import { systemReason } from "../system-reason.js";

/** All of it. @throws ContextError */
export async function readStandardInput(stdin: Readable, signal: AbortSignal): Promise<Buffer> {
	try {
		return await buffer(addAbortSignal(signal, stdin));
	} catch (error) {
		throw stdinFailure(error);
	}
}

/** Puts the system's errors into words, such as that of a descriptor for writing; all others stay as they are. */
export function stdinFailure(error: unknown): unknown {
	if ((error as NodeJS.ErrnoException).syscall === undefined) return error;
	return new ContextError(`cannot read the standard input: ${systemReason(error)}`, {
		cause: error,
	});
}
