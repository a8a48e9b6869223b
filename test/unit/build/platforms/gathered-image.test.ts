import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { PlannedRun } from "../../../../src/build/planned-run.js";
import { platformAnnotations } from "../../../../src/build/platforms/annotations.js";
import type { BuiltPlatform } from "../../../../src/build/platforms/built-platform.js";
import { gatherImage } from "../../../../src/build/platforms/gathered-image.js";
import type { Engine } from "../../../../src/engine/engine.js";
import { ConnectionError, EngineError } from "../../../../src/errors.js";
import { BlobCache } from "../../../../src/image/cache/blob-cache.js";
import { readCachedImage } from "../../../../src/image/cache/cached-image.js";
import type { BuiltImage } from "../../../../src/image/delivery.js";
import { ImageReturn, type ReturnedImage } from "../../../../src/image/return/image-return.js";
import { cacheImage } from "../../../support/cached-images.js";

const run = { emit() {}, signal: new AbortController().signal };
const planned = { failed: new AbortController() } as Partial<PlannedRun> as PlannedRun;
const ARCHITECTURES = ["amd64", "arm64", "s390x"];

test("images that a box has sent before its link was lost are not asked for again", async (context) => {
	const directory = mkdtempSync(join(tmpdir(), "rbuild-gathered-"));
	context.after(() => rmSync(directory, { recursive: true }));
	const blobs = new BlobCache(directory);
	const asked: string[] = [];
	let losses = 1;
	/** As the daemon has it: the only name of such an image goes with the push that brings it. */
	const gone = new Set<string>();
	const bring = async (_engine: Engine, { id, mayGo }: BuiltImage): Promise<ReturnedImage> => {
		asked.push(id);
		if (gone.has(id)) throw new EngineError(`No such image: ${id}`);
		if (id === "arm64" && losses-- > 0) throw new ConnectionError("lost", "gone");
		assert.equal(mayGo, true);
		gone.add(id);
		const root = await cacheImage(blobs, [Buffer.from(id)], { os: "linux", architecture: id });
		const image = (await readCachedImage(blobs, root)) ?? assert.fail();
		return { image, received: 1, reused: 10 };
	};
	context.mock.method(ImageReturn.prototype, "bring", bring);
	const connection = {
		async keep<Result>(work: (engine: Engine) => Promise<Result>): Promise<Result> {
			const engine = { transport: { target: "box" } } as unknown as Engine;
			return work(engine).catch((error) => {
				assert.ok(error instanceof ConnectionError, String(error));
				return work(engine);
			});
		},
	};
	const box = { connection };
	const built = ARCHITECTURES.map((id) => ({ platform: `linux/${id}`, image: { id }, box, run }));

	const { index, arrival } = await gatherImage(
		built as unknown as readonly BuiltPlatform[],
		platformAnnotations({}),
		{ blobs, limit: 1e9 },
		planned,
	);
	assert.deepEqual(asked, ["amd64", "arm64", "arm64", "s390x"]);
	assert.equal(index.manifests.length, 3);
	assert.deepEqual(arrival, { bytes: 3, reusedBytes: 30 });
});
