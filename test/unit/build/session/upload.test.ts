import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { describe, it } from "node:test";
import { openUpload } from "../../../../src/build/session/upload.js";
import type { TarProgress } from "../../../../src/context/content/tar-reader.js";
import type { BuildEvent } from "../../../../src/events.js";

const { signal } = new AbortController();
const content = Buffer.alloc(1024, "x");

function tar(onProgress: (progress: TarProgress) => void): Readable {
	onProgress({ files: 2, bytes: 20 });
	return Readable.from([content]);
}

async function upload(context: Parameters<typeof openUpload>[0], before?: Buffer) {
	const events: BuildEvent[] = [];
	const run = { emit: (event: BuildEvent) => void events.push(event), signal };
	const upload = openUpload(context, false, run, before);
	const expected = Buffer.concat([before ?? Buffer.alloc(0), content]);
	assert.deepEqual(await buffer(upload.body), expected);
	return { done: { ...events.at(-1), durationMs: 0 }, report: upload.report };
}

const SENT = { type: "upload", status: "done", bytes: 20, sentBytes: 1024, durationMs: 0 };
const REPORT = {
	...{ transfer: "tar", bytes: 20, sentBytes: 1024, savedBytes: 0 },
	alreadyThere: { files: 0, bytes: 0 },
};

describe("the report on an upload by tar", () => {
	it("tells how much was sent of how much", async () => {
		const totals = { files: 9, bytes: 900 };
		const { done, report } = await upload({
			noted: [],
			isUtf8: true,
			unreadable: [],
			totals: () => totals,
			tar,
		});
		assert.deepEqual(done, { ...SENT, files: 2, totalFiles: 9, totalBytes: 900 });
		assert.deepEqual(report, { ...REPORT, files: 2 });
	});

	it("knows of an archive only what has passed", async () => {
		const { done, report } = await upload({
			...{ kind: "archive", compressed: false, once: true, source: "stdin" },
			...{ dockerfile: undefined, dockerfileName: "Dockerfile", dockerfileContent: undefined },
			tar,
			async [Symbol.asyncDispose]() {},
		});
		assert.deepEqual(done, { ...SENT, files: 2 });
		assert.deepEqual(report, REPORT);
	});

	it("counts what goes before the context as sent, and as nothing of the context", async () => {
		const before = Buffer.alloc(100_000, "s");
		const part = {
			noted: [],
			isUtf8: true,
			unreadable: [],
			totals: () => ({ files: 2, bytes: 20 }),
		};
		const { report } = await upload({ ...part, tar }, before);
		assert.deepEqual(report, { ...REPORT, files: 2, sentBytes: 101_024 });
	});
});
