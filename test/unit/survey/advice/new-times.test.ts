import assert from "node:assert/strict";
import { lstatSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite, test } from "node:test";
import { ContentDigest } from "../../../../src/context/index/content-digest.js";
import { FileHashes } from "../../../../src/context/index/file-hashes.js";
import { fileState } from "../../../../src/context/tree/file-state.js";
import { emptyTree } from "../../context/trees.js";
import { surveyOf } from "../surveys.js";

const LARGE = "x".repeat(200_000);

function hashOf(content: Buffer): Buffer {
	const digest = new ContentDigest(content.length);
	digest.update(content);
	return digest.hash;
}

suite("files that got new times and no new content", () => {
	async function adviceAfter(
		test: Parameters<typeof emptyTree>[0],
		change: (path: (name: string) => string) => void,
	) {
		const root = emptyTree(test);
		const path = (name: string) => join(root, name);
		const names = ["a", "b", "c"];
		for (const name of names) writeFileSync(path(name), `${name}${LARGE}`);
		const hashesFile = join(emptyTree(test), "hashes");
		const files = names.map((name) => {
			const stats = lstatSync(path(name));
			return {
				path: name,
				size: stats.size,
				mtimeMs: stats.mtimeMs,
				state: fileState(stats),
				hash: hashOf(readFileSync(path(name))),
			};
		});
		new FileHashes(hashesFile).replace(files, Date.now() + 60_000);
		change(path);
		const { head } = await surveyOf(root, "", { hashesFile });
		return head.advice.filter(({ kind }) => kind === "new-times");
	}

	test("are told of, with what others would send again", async (context) => {
		const [advice, ...more] = await adviceAfter(context, (path) => {
			utimesSync(path("a"), 1, 1);
			utimesSync(path("c"), 2, 2);
			writeFileSync(path("b"), `B${LARGE}`);
		});
		assert.deepEqual(more, []);
		assert.equal(advice?.files, 2);
		assert.equal(advice.bytes, 400_002);
		assert.deepEqual([...advice.paths].sort(), ["a", "c"]);
		assert.deepEqual(advice.lines, []);
	});

	test("are none where nothing was touched, or nothing is known", async (context) => {
		assert.deepEqual(await adviceAfter(context, () => {}), []);
		const root = emptyTree(context);
		writeFileSync(join(root, "a"), LARGE);
		const { head } = await surveyOf(root, "", { hashesFile: join(root, "missing") });
		assert.deepEqual(
			head.advice.filter(({ kind }) => kind === "new-times"),
			[],
		);
	});
});
