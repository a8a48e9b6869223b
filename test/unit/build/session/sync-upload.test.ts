import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SyncUpload } from "../../../../src/build/session/sync-upload.js";
import type { CopyProgress } from "../../../../src/buildkit/file-sync/diff-copy.js";
import type { RequestedPart } from "../../../../src/buildkit/file-sync/requested-part.js";
import type { BuildEvent } from "../../../../src/events.js";

const { signal } = new AbortController();
const totals = { files: 9, bytes: 900 };

function part(directory: string, ...followPaths: string[]): RequestedPart {
	return { directory, filter: { includes: [], excludes: [], followPaths } };
}

function progress(offered: [number, number], sent: [number, number]): CopyProgress {
	const [[offeredFiles, offeredBytes], [files, bytes]] = [offered, sent];
	return { offeredFiles, offeredBytes, files, bytes, sentBytes: bytes + 50, savedBytes: 5 };
}

const contexts = new Map([
	["context", undefined],
	["lib-0123456789abcdef", "lib"],
]);

function start(tellSentFiles: boolean) {
	const events: BuildEvent[] = [];
	const emit = (event: BuildEvent) => void events.push(event);
	return { upload: new SyncUpload(totals, { emit, signal, tellSentFiles }, contexts), events };
}

describe("the report on an upload by sync", () => {
	it("tells what was sent from what was there, of all contexts and nothing else", () => {
		const { upload, events } = start(false);
		const transfers = [
			[part("dockerfile", "Dockerfile"), progress([1, 30], [1, 30])],
			[part("context", ".dockerignore"), progress([1, 7], [1, 7])],
			[part("context", "src"), progress([5, 500], [2, 120])],
			[part("lib-0123456789abcdef"), progress([3, 60], [0, 0])],
		] as const;
		for (const [asked, done] of transfers) {
			const observer = upload.begin(asked, () => {});
			// What counts is the last word of each transfer.
			observer.progress(progress([1, 1], [0, 0]));
			observer.progress(done);
			observer.done();
		}
		upload.end();
		assert.deepEqual(upload.report, {
			transfer: "sync",
			files: 2,
			bytes: 120,
			alreadyThere: { files: 6, bytes: 440 },
			sentBytes: 30 + 7 + 120 + 4 * 50,
			savedBytes: 4 * 5,
		});
		const last = events.at(-1);
		assert.ok(last?.type === "upload" && last.status === "done");
		assert.deepEqual([last.files, last.bytes, last.totalFiles], [2, 120, 9]);
	});

	it("names the files of contexts as they are sent, where somebody wants to know", () => {
		const { upload, events } = start(true);
		upload.begin(part("context"), () => {}).sentFile?.("src/a", 3);
		upload.begin(part("lib-0123456789abcdef"), () => {}).sentFile?.("b", 4);
		assert.deepEqual(events, [
			{ type: "sent-file", path: "src/a", bytes: 3 },
			{ type: "sent-file", path: "b", bytes: 4, context: "lib" },
		]);
		const rules = upload.begin(part("context", ".dockerignore"), () => {});
		const dockerfile = upload.begin(part("dockerfile", "Dockerfile"), () => {});
		assert.deepEqual([rules.sentFile, dockerfile.sentFile], [undefined, undefined]);
	});

	it("is done once, when all contexts are there, however often one is asked for", () => {
		const { upload, events } = start(false);
		let done = 0;
		const ask = (directory: string) =>
			upload.begin(part(directory, "a"), () => {
				done += 1;
			});
		ask("context").done();
		ask("context").done();
		assert.equal(done, 0);
		ask("lib-0123456789abcdef").done();
		assert.equal(done, 1);
		ask("context").done();
		upload.end();
		assert.equal(done, 1);
		assert.equal(events.filter((one) => one.type === "upload" && one.status === "done").length, 1);
	});

	it("keeps no names where nobody does", () => {
		const { upload } = start(false);
		assert.equal(upload.begin(part("context"), () => {}).sentFile, undefined);
	});
});
