import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { after, before, describe, it } from "node:test";
import { DeliveryError } from "../../../../src/errors.js";
import { digestOf, hexOf } from "../../../../src/image/manifest/digest.js";
import { ArchiveCheck } from "../../../../src/image/return/archive-check.js";
import { without } from "../../../support/this-system.js";

const CONFIG = "c".repeat(64);
const INDEX = "d".repeat(64);

describe("an image archive", { skip: without("tar") }, () => {
	let directory: string;
	let archive: Buffer;

	before(() => {
		directory = mkdtempSync(join(tmpdir(), "rbuild-archive-"));
		const layer = Buffer.alloc(3000, "layer");
		archive = tar({
			"layer.tar": layer,
			"manifest.json": JSON.stringify([{ Config: `${CONFIG}.json`, RepoTags: ["app:latest"] }]),
		});
	});
	after(() => rmSync(directory, { recursive: true }));

	const tar = (files: Record<string, string | Buffer>, ...options: string[]): Buffer => {
		const folder = mkdtempSync(join(directory, "tar-"));
		for (const [name, content] of Object.entries(files)) {
			mkdirSync(dirname(join(folder, name)), { recursive: true });
			if (content.length > 0) writeFileSync(join(folder, name), content);
			else symlinkSync("../layer1/layer.tar", join(folder, name));
		}
		return execFileSync("tar", ["-C", folder, ...options, "-c", ...Object.keys(files)]);
	};

	/** The archive in pieces of so many bytes. @returns what comes out at the other side */
	const passThrough = async (bytes: Buffer, imageId = `sha256:${CONFIG}`, size = 700) => {
		const pieces: Buffer[] = [];
		for (let at = 0; at < bytes.length; at += size) pieces.push(bytes.subarray(at, at + size));
		const check = new ArchiveCheck(imageId);
		Readable.from(pieces).pipe(check);
		return { output: await buffer(check), check };
	};

	for (const size of [1, 511, 512, 513, 65536]) {
		it(`is passed on unchanged and counted in pieces of ${size} bytes`, async () => {
			const { output, check } = await passThrough(archive, undefined, size);
			assert.ok(output.equals(archive));
			assert.equal(check.bytes, archive.length);
		});
	}

	it("is known by the digest of its config, as docker 25 writes it too", async () => {
		const manifest = JSON.stringify([{ Config: `blobs/sha256/${CONFIG}` }]);
		await passThrough(tar({ "manifest.json": manifest }));
	});

	it("is known by the digest of its index, as the containerd image store has it", async () => {
		const { check } = await passThrough(
			tar({
				"index.json": JSON.stringify({ manifests: [{ digest: `sha256:${INDEX}` }] }),
				"manifest.json": JSON.stringify([{ Config: `blobs/sha256/${CONFIG}` }]),
			}),
			`sha256:${INDEX}`,
		);
		assert.deepEqual([...check.contents.imageIds].sort(), [`sha256:${CONFIG}`, `sha256:${INDEX}`]);
	});

	it("is read when pax headers give names and sizes", async () => {
		const options = ["--format=pax", "--pax-option=comment=x"];
		const manifest = JSON.stringify([{ Config: `${CONFIG}.json` }]);
		await passThrough(
			tar({ [`${"long".repeat(50)}`]: "x", "manifest.json": manifest }, ...options),
		);
	});

	it("of more than 8 GiB in a layer has its size in a pax header", () => {
		const check = new ArchiveCheck("sha256:x");
		const header = (name: string, type: string, size: string) => {
			const block = Buffer.alloc(512);
			block.write(name, 0);
			block.write(size, 124);
			block.write(type, 156);
			return block;
		};
		const record = "20 size=10000000000\n";
		check.contents.entry(header("pax", "x", "00000000024")).append(Buffer.from(record));
		assert.equal(
			check.contents.entry(header("layer.tar", "0", "00000000000")).size,
			10_000_000_000,
		);
		assert.equal(check.contents.entry(header("other", "0", "00000000010")).size, 8);
	});

	it("is refused wherever it is cut short", async () => {
		const end = archive.lastIndexOf("manifest.json") + 2 * 512;
		for (const length of [0, 100, 512, 1000, 4096, end - 600, end, end + 512, end + 600]) {
			await assert.rejects(passThrough(archive.subarray(0, length)), {
				name: "DeliveryError",
				message: "the daemon's image archive is truncated",
			});
		}
	});

	it("is refused with the daemon's reason where an error stands in place of tar", async () => {
		const reason = '{"errorDetail":{"message":"no space left on device"},"error":"no space"}\n';
		const broken = Buffer.concat([archive.subarray(0, 4096 - 512), Buffer.from(reason)]);
		await assert.rejects(passThrough(broken), {
			name: "DeliveryError",
			message: "the daemon could not export the image: no space left on device",
		});
	});

	const layer = Buffer.alloc(3000, "what was built");
	const diffId = digestOf(layer);
	/** With one byte that has changed. */
	const damaged = (bytes: Buffer) => Buffer.from(bytes.map((byte, at) => (at === 9 ? 0 : byte)));

	for (const name of [`blobs/sha256/${hexOf(diffId)}`, `${hexOf(diffId)}.tar`]) {
		it(`is refused when ${name.replace(hexOf(diffId), "HEX")} has another digest`, async () => {
			const manifest = JSON.stringify([{ Config: `${CONFIG}.json`, Layers: [name] }]);
			await passThrough(tar({ [name]: layer, "manifest.json": manifest }));
			await assert.rejects(
				passThrough(tar({ [name]: damaged(layer), "manifest.json": manifest })),
				{
					name: "DeliveryError",
					message: `the daemon's image archive is damaged: ${name} is not what was built`,
				},
			);
		});
	}

	it("of docker 20.10 is refused when a layer is not what the configuration says", async () => {
		const config = Buffer.from(JSON.stringify({ rootfs: { diff_ids: [diffId, diffId] } }));
		const Config = `${hexOf(digestOf(config))}.json`;
		const Layers = ["layer1/layer.tar", "layer2/layer.tar"];
		const parts = (layer: Buffer, config: Buffer) =>
			tar({
				"layer1/layer.tar": layer,
				"layer2/layer.tar": "",
				[Config]: config,
				"manifest.json": JSON.stringify([{ Config, Layers }]),
			});
		const id = digestOf(config);
		await passThrough(parts(layer, config), id);
		await assert.rejects(passThrough(parts(damaged(layer), config), id), {
			message: "the daemon's image archive is damaged: layer1/layer.tar is not what was built",
		});
		await assert.rejects(passThrough(parts(layer, damaged(config)), id), {
			message: `the daemon's image archive is damaged: ${Config} is not what was built`,
		});
	});

	it("is refused when it is of another image, or of none", async () => {
		await assert.rejects(passThrough(archive, `sha256:${INDEX}`), /an archive without image/);
		await assert.rejects(passThrough(tar({ "layer.tar": "x" })), /an archive without image/);
	});

	it("is refused when its list is not JSON", async () => {
		await assert.rejects(passThrough(tar({ "manifest.json": "[{" })), {
			name: "DeliveryError",
			message: "manifest.json in the daemon's image archive is not JSON",
		});
	});

	it("is refused when it is no tar at all", async () => {
		await assert.rejects(passThrough(Buffer.alloc(2048, "<html>")), DeliveryError);
	});
});
