import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { packFiles } from "../../../src/context/content/tar-pack.js";
import { layerFiles } from "../../../src/image/layer-files.js";

const LIMIT = 1024 * 1024;
const base = Buffer.from("content ".repeat(100));
const layer = packFiles([
	{ path: "base", content: base },
	{ path: "delta", content: Buffer.alloc(0) },
]);

describe("the files of an image", () => {
	it("are found in layers of any name, compressed or not", () => {
		for (const content of [layer, gzipSync(layer)]) {
			const archive = packFiles([
				{ path: "blobs/sha256/abc", content: Buffer.from('{"config": {}}') },
				{ path: "0123/layer.tar", content },
				{ path: "manifest.json", content: Buffer.from("[]") },
			]);
			assert.deepEqual(
				layerFiles(archive, LIMIT),
				new Map([
					["base", base],
					["delta", Buffer.alloc(0)],
				]),
			);
		}
	});

	it("are those before a size that leads back", () => {
		const tar = packFiles([
			{ path: "a", content: base },
			{ path: "b", content: base },
		]);
		const header = Buffer.from(tar.buffer, tar.byteOffset + 512 + 1024, 512);
		header.write("-1000\0", 124, "latin1");
		header.fill(" ", 148, 156);
		const sum = header.reduce((total, byte) => total + byte, 0);
		header.write(`${sum.toString(8).padStart(6, "0")}\0`, 148, "latin1");
		const archive = packFiles([{ path: "layer.tar", content: tar }]);
		assert.deepEqual([...layerFiles(archive, LIMIT).keys()], ["a", "b"]);
	});

	it("are none in what is damaged, cut off, or unpacks to too much", () => {
		const bomb = gzipSync(packFiles([{ path: "base", content: Buffer.alloc(2 * LIMIT) }]));
		assert.equal(layerFiles(packFiles([{ path: "x", content: bomb }]), LIMIT).size, 0);
		const archive = packFiles([{ path: "x", content: layer }]);
		assert.equal(layerFiles(archive.subarray(0, 1000), LIMIT).size, 0);
		fc.assert(
			fc.property(fc.nat(archive.length - 1), fc.nat(255), (at, value) => {
				const damaged = Buffer.from(archive);
				damaged[at] = value;
				layerFiles(damaged, LIMIT);
			}),
		);
	});
});
