import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { suite, test } from "node:test";
import { gzipSync } from "node:zlib";
import { readStdinContext } from "../../../src/context/stdin-context.js";
import { ContextError, UsageError } from "../../../src/errors.js";
import { without } from "../../support/this-system.js";

const skip = without("tar");
const tar = skip
	? Buffer.alloc(0)
	: execFileSync("tar", ["-c", "package.json"], { maxBuffer: 1 << 26 });

/** Bytes that come one by one, as from a slow pipe. */
function trickle(bytes: Uint8Array): Readable {
	return Readable.from(
		Array.from(bytes, (byte) => Buffer.of(byte)),
		{ objectMode: false },
	);
}

suite("a context on standard input", { skip }, () => {
	test("is a tar archive by its first header, and no byte of it is lost", async () => {
		const context = await readStdinContext(trickle(tar), undefined);
		assert.equal(context.kind, "archive");
		assert.ok(context.kind === "archive" && !context.compressed);
		assert.deepEqual(await buffer(context.archive), tar);
	});

	test("is an archive when it is compressed, and is passed on as it is", async () => {
		const zipped = gzipSync(tar);
		const context = await readStdinContext(Readable.from([zipped]), "sub/Dockerfile");
		assert.ok(context.kind === "archive" && context.compressed);
		assert.deepEqual(await buffer(context.archive), zipped);
	});

	test("is a Dockerfile otherwise, be it shorter or longer than a tar header", async () => {
		for (const text of ["FROM scratch\n", `FROM scratch\n${"# long\n".repeat(200)}`]) {
			const context = await readStdinContext(trickle(Buffer.from(text)), undefined);
			assert.ok(context.kind === "dockerfile");
			assert.equal(Buffer.from(context.content).toString(), text);
		}
	});

	test("is refused when it is empty", async () => {
		await assert.rejects(readStdinContext(Readable.from([]), undefined), ContextError);
	});

	test("is refused when it is a Dockerfile in UTF-16", async () => {
		const dockerfile = Readable.from([Buffer.from("\uFEFFFROM scratch\n", "utf16le")]);
		await assert.rejects(readStdinContext(dockerfile, undefined), {
			name: "ContextError",
			message:
				"cannot read the Dockerfile on standard input: it is text in UTF-16, which no builder reads",
		});
	});

	test("cannot be the context and the Dockerfile at once", async () => {
		await assert.rejects(readStdinContext(Readable.from([tar]), "-"), UsageError);
	});

	test("leaves -f nothing to name when it is a Dockerfile", async () => {
		const dockerfile = Readable.from([Buffer.from("FROM scratch\n")]);
		await assert.rejects(readStdinContext(dockerfile, "other"), UsageError);
	});
});
