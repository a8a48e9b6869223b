import type { Readable } from "node:stream";
import { EngineError } from "../errors.js";

/** Longest line that is believed, in bytes. A BuildKit trace holds at most some MiB of a step's log. */
const LINE_LIMIT = 8 * 1024 * 1024;

const NEWLINE = 0x0a;

/**
 * The daemon's progress streams: one JSON document a line (application/json or x-ndjson, as POST
 * /build, /images/{name}/push, /images/load and /images/create answer). Leaving the loop early
 * destroys the body, and with it the request.
 *
 * @throws EngineError for a line that is not JSON or is longer than 8 MiB, and for a stream that
 * ends within one; whatever the body fails with
 */
export async function* readJsonLines(body: Readable): AsyncGenerator<unknown> {
	let parts: Buffer[] = [];
	let length = 0;
	for await (const chunk of body as AsyncIterable<Buffer>) {
		let start = 0;
		for (;;) {
			const newline = chunk.indexOf(NEWLINE, start);
			const part = chunk.subarray(start, newline < 0 ? chunk.length : newline);
			length += part.length;
			if (length > LINE_LIMIT) {
				throw new EngineError("the daemon sent a line of more than 8 MiB", {
					hint: "is that a Docker daemon?",
				});
			}
			if (part.length > 0) parts.push(part);
			if (newline < 0) break;
			const line = lineText(parts);
			parts = [];
			length = 0;
			start = newline + 1;
			if (line !== "") yield parseLine(line);
		}
	}
	// Bytes are decoded a whole line at a time, so that a character split between chunks survives.
	const rest = lineText(parts);
	if (rest !== "") yield parseLastLine(rest);
}

function lineText(parts: readonly Buffer[]): string {
	const bytes = parts.length === 1 ? parts[0] : Buffer.concat(parts);
	return bytes?.toString("utf8").trim() ?? "";
}

function parseLine(line: string): unknown {
	try {
		return JSON.parse(line);
	} catch (cause) {
		throw new EngineError(`the daemon sent a line that is not JSON: ${excerpt(line)}`, { cause });
	}
}

/** The newline after the last document may be missing, the document itself not. */
function parseLastLine(line: string): unknown {
	try {
		return JSON.parse(line);
	} catch (cause) {
		throw new EngineError(`the daemon's answer ends in the middle of a line: ${excerpt(line)}`, {
			cause,
			hint: "the daemon may have stopped: look at its log on that machine (journalctl -u docker)",
		});
	}
}

/** Quoted, so that control characters do not reach a terminal. */
function excerpt(line: string): string {
	return JSON.stringify(line.length > 60 ? `${line.slice(0, 60)}…` : line);
}
