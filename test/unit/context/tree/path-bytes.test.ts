import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
	comparePaths,
	fromBytes,
	printablePath,
	sortByBytes,
	toBytes,
} from "../../../../src/context/tree/path-bytes.js";

describe("a name", () => {
	it("that is UTF-8 is that text, U+FFFD and a byte order mark included", () => {
		assert.equal(fromBytes(Buffer.from("\ufeffñ\ufffd😀")), "\ufeffñ\ufffd😀");
	});

	it("has a lone surrogate for each byte that is not UTF-8", () => {
		assert.equal(fromBytes(Buffer.of(0x61, 0xff, 0xc3, 0xa9, 0xc3)), "a\udcffé\udcc3");
		// A surrogate and an overlong slash, encoded: neither is UTF-8 (RFC 3629).
		assert.equal(fromBytes(Buffer.of(0xed, 0xb2, 0x80)), "\udced\udcb2\udc80");
		assert.equal(fromBytes(Buffer.of(0xc0, 0xaf)), "\udcc0\udcaf");
	});

	it("keeps every byte on the way there and back", () => {
		fc.assert(
			fc.property(fc.uint8Array(), (bytes) => {
				assert.deepEqual(new Uint8Array(toBytes(fromBytes(bytes))), bytes);
			}),
		);
	});
});

describe("names", () => {
	it("are sorted by their bytes, not by their UTF-16 units", () => {
		assert.deepEqual(sortByBytes(["\uffee", "😀", "a", "é", "\udc80", "B"]), [
			"B",
			"a",
			"\udc80",
			"é",
			"\uffee",
			"😀",
		]);
	});

	it("are sorted as Buffer.compare sorts their bytes", () => {
		fc.assert(
			fc.property(fc.array(fc.uint8Array({ minLength: 1, maxLength: 4 })), (names) => {
				const expected = names.map((name) => Buffer.from(name)).sort(Buffer.compare);
				const actual = sortByBytes(names.map(fromBytes)).map(toBytes);
				assert.deepEqual(actual, expected);
			}),
		);
	});

	it("of directories come before what is in them, and before longer names", () => {
		const paths = ["a.b", "a/c", "a", "a/b/c", "a/b"];
		assert.deepEqual(paths.sort(comparePaths), ["a", "a/b", "a/b/c", "a/c", "a.b"]);
	});
});

describe("a path in a message", () => {
	it("is itself, and quoted where it would break the line or the encoding", () => {
		assert.equal(printablePath("src/é 1.ts"), "src/é 1.ts");
		assert.equal(printablePath("a\nb"), '"a\\nb"');
		assert.equal(printablePath("a\udcff"), '"a\\udcff"');
		assert.equal(printablePath("a\u009b2Jb\u007f"), '"a\\u009b2Jb\\u007f"');
		assert.equal(printablePath("a\u202egpj"), '"a\\u202egpj"');
	});
});
