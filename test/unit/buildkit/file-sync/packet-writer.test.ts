import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { gunzipSync, gzipSync } from "node:zlib";
import { fromBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { PacketWriter } from "../../../../src/buildkit/file-sync/packet-writer.js";
import { readMessages } from "../../../../src/buildkit/grpc/grpc-frames.js";
import { type Packet, PacketSchema } from "../../../../src/buildkit/proto/gen/fsutil_pb.js";
import type { ContextEntry } from "../../../../src/context/tree/manifest.js";

/** What @bufbuild/protobuf reads of what was written. */
async function read(write: (writer: PacketWriter) => void): Promise<Packet[]> {
	const writer = new PacketWriter();
	write(writer);
	const { length } = writer;
	const { bytes } = writer.take();
	assert.equal(bytes.length, length);
	assert.equal(writer.length, 0);
	const packets: Packet[] = [];
	const chunks = (async function* () {
		yield bytes;
	})();
	for await (const message of readMessages(chunks, 2 ** 24)) {
		packets.push(fromBinary(PacketSchema, message));
	}
	return packets;
}

const text = fc.string({ unit: "grapheme", minLength: 1, maxLength: 300 });
const entry: fc.Arbitrary<ContextEntry> = fc.record({
	path: text,
	type: fc.constant("file" as const),
	size: fc.maxSafeNat(),
	mode: fc.integer({ min: 0, max: 0o777 }),
	mtimeMs: fc.integer({ min: -(2 ** 40), max: 2 ** 42 }).map((quarters) => quarters / 4),
});

describe("a packet writer", () => {
	it("writes stats that a protobuf reader reads as they were", async () => {
		await fc.assert(
			fc.asyncProperty(fc.array(entry, { maxLength: 20 }), async (entries) => {
				const packets = await read((writer) => {
					for (const one of entries) writer.stat(one);
				});
				assert.deepEqual(
					packets.map(({ type, stat }) => ({ type, ...stat, $typeName: undefined })),
					entries.map(({ path, size, mode, mtimeMs }) => ({
						type: 0,
						$typeName: undefined,
						path,
						mode,
						uid: 0,
						gid: 0,
						size: BigInt(size),
						modTime: BigInt(mtimeMs * 4) * 250_000n,
						linkname: "",
						devmajor: 0n,
						devminor: 0n,
					})),
				);
			}),
			{ numRuns: 100 },
		);
	});

	it("writes content, ends and errors as fsutil names them", async () => {
		const large = Buffer.alloc(300_000, "x");
		const packets = await read((writer) => {
			writer.data(0, Buffer.from("a"));
			writer.data(300, large);
			writer.data(300, Buffer.alloc(0));
			writer.endOfFile(300);
			writer.endOfStats();
			writer.fin();
			writer.error("résumé");
		});
		assert.deepEqual(
			packets.map(({ type, id, data, stat }) => [type, id, Buffer.from(data).toString(), stat]),
			[
				[2, 0, "a", undefined],
				[2, 300, large.toString(), undefined],
				[2, 300, "", undefined],
				[0, 0, "", undefined],
				[3, 0, "", undefined],
				[4, 0, "résumé", undefined],
			],
		);
	});

	it("gives modes as Go's os.FileMode has them", async () => {
		const types = ["file", "directory", "symlink", "fifo", "char-device", "block-device"] as const;
		const packets = await read((writer) => {
			for (const type of types) {
				writer.stat({ path: type, type, size: 0, mode: 0o7654, mtimeMs: 0 });
			}
		});
		// "fmt.Printf("%#x", mode)" of what os.Lstat gives for such files.
		assert.deepEqual(
			packets.map(({ stat }) => stat?.mode.toString(16)),
			["d001ac", "80d001ac", "80001ff", "2d001ac", "4f001ac", "4d001ac"],
		);
	});

	it("gives sizes as the daemon finds them in its copy", async () => {
		const rest = { size: 5, mode: 0, mtimeMs: 0 };
		const packets = await read((writer) => {
			writer.stat({ ...rest, path: "f", type: "file" });
			writer.stat({ ...rest, path: "h", type: "file", hardlink: "f" });
			writer.stat({ ...rest, path: "l", type: "symlink", linkname: "é" });
			writer.stat({
				...rest,
				path: "d",
				type: "char-device",
				size: 0,
				device: { major: 1, minor: 3 },
			});
		});
		assert.deepEqual(
			packets.map(({ stat }) => [stat?.size, stat?.linkname, stat?.devmajor, stat?.devminor]),
			[
				[5n, "", 0n, 0n],
				[5n, "f", 0n, 0n],
				[2n, "é", 0n, 0n],
				[0n, "", 1n, 3n],
			],
		);
	});

	it("puts content that is compressed into a message that unpacks to the packet", () => {
		const content = Buffer.alloc(1_000, "abc");
		const packed = new PacketWriter();
		const saved = packed.gzippedData(300, content.length, gzipSync(content));
		const plain = new PacketWriter();
		plain.data(300, content);
		assert.equal(packed.length + saved, plain.length);
		const message = Buffer.from(packed.take().bytes);
		assert.deepEqual([message[0], message.readUInt32BE(1)], [1, message.length - 5]);
		assert.deepEqual(gunzipSync(message.subarray(5)), Buffer.from(plain.take().bytes.subarray(5)));
	});
});
