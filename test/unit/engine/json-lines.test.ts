import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { test } from "node:test";
import fc from "fast-check";
import { readJsonLines } from "../../../src/engine/json-lines.js";
import { ConnectionError, EngineError } from "../../../src/errors.js";
import { anyCharacter } from "../../support/any-character.js";

const body = (...chunks: (string | Buffer)[]) =>
	Readable.from(
		chunks.map((chunk) => Buffer.from(chunk)),
		{ objectMode: false },
	);

async function collect(lines: AsyncIterable<unknown>): Promise<unknown[]> {
	const all: unknown[] = [];
	for await (const line of lines) all.push(line);
	return all;
}

const read = (...chunks: (string | Buffer)[]) => collect(readJsonLines(body(...chunks)));

test("lines come out as documents, whatever ends them and however they are cut", async () => {
	assert.deepEqual(await read('{"a":1}\r\n{"b', '":2}\n\n\r\n', '"c"\n'), [
		{ a: 1 },
		{ b: 2 },
		"c",
	]);
	assert.deepEqual(await read(), []);
});

test("every document survives every way to cut the stream, also within a character", async () => {
	await fc.assert(
		fc.asyncProperty(
			fc.array(fc.array(fc.string({ unit: anyCharacter })), { maxLength: 5 }),
			fc.array(fc.nat(), { maxLength: 8 }),
			async (documents, cuts) => {
				const bytes = Buffer.from(documents.map((line) => `${JSON.stringify(line)}\n`).join(""));
				const points = cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b);
				const chunks = [...points, bytes.length]
					.map((point, index) => bytes.subarray(points[index - 1] ?? 0, point))
					.filter((chunk) => chunk.length > 0);
				assert.deepEqual(await read(...chunks), documents);
			},
		),
		{ numRuns: 200 },
	);
});

test("the newline behind the last document may be missing", async () => {
	assert.deepEqual(await read('{"stream":"Loaded image: app"}'), [{ stream: "Loaded image: app" }]);
});

test("a stream that ends within a document is an error, after the whole ones were given out", async () => {
	const seen: unknown[] = [];
	await assert.rejects(
		async () => {
			for await (const line of readJsonLines(body('{"a":1}\n{"stream":"Step 1'))) seen.push(line);
		},
		{
			name: "EngineError",
			message: `the daemon's answer ends in the middle of a line: "{\\"stream\\":\\"Step 1"`,
		},
	);
	assert.deepEqual(seen, [{ a: 1 }]);
});

test("a line that is not JSON is named, without its control characters", async () => {
	await assert.rejects(read("\x1b[31m<html>\n"), {
		name: "EngineError",
		message: 'the daemon sent a line that is not JSON: "\\u001b[31m<html>"',
	});
});

test("a line of 8 MiB is read, one byte more is refused before the rest is", async () => {
	const longest = Buffer.alloc(8 * 1024 * 1024, "x");
	longest[0] = longest[longest.length - 1] = 0x22;
	assert.equal(((await read(longest, "\n"))[0] as string).length, longest.length - 2);

	let chunks = 0;
	const endless = new Readable({
		read() {
			chunks++;
			this.push(longest.subarray(0, 1024 * 1024));
		},
	});
	await assert.rejects(
		collect(readJsonLines(endless)),
		(error: unknown) =>
			error instanceof EngineError && error.message === "the daemon sent a line of more than 8 MiB",
	);
	assert.ok(chunks < 12, `${chunks} chunks of 1 MiB were read`);
	assert.ok(endless.destroyed);
});

test("leaving the loop destroys the body", async () => {
	const lines = body("1\n2\n3\n");
	for await (const line of readJsonLines(lines)) {
		assert.equal(line, 1);
		break;
	}
	assert.ok(lines.destroyed);
});

test("the body's own failure comes through as it is", async () => {
	const failure = new ConnectionError("lost", "gone");
	const lines = new Readable({
		read() {
			this.destroy(failure);
		},
	});
	await assert.rejects(collect(readJsonLines(lines)), failure);
});
