import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { isTarHeader, TAR_BLOCK } from "../../src/tar-block.js";
import { without } from "../support/this-system.js";

const skip = without("tar");
const tar = skip
	? Buffer.alloc(TAR_BLOCK)
	: execFileSync("tar", ["-c", "--format=ustar", "package.json"]);
const header = tar.subarray(0, TAR_BLOCK);

/** The header with its checksum written in another way. */
function sealed(checksum: string): Buffer {
	const block = Buffer.from(header);
	block.write(checksum, 148, "latin1");
	return block;
}

test("a header is told by its checksum, however that is padded", { skip }, () => {
	const digits = header.toString("latin1", 148, 154);
	const short = digits.replace(/^0+/, "");
	assert.ok(isTarHeader(tar));
	for (const checksum of [
		`${digits}\0 `,
		` ${digits}\0`,
		short.padStart(8),
		short.padStart(8, "\0"),
	]) {
		assert.ok(isTarHeader(sealed(checksum)), checksum);
	}
});

test("a block with another checksum, or without one, is no header, and neither is a part of one", {
	skip,
}, () => {
	const damaged = Buffer.from(header);
	damaged[0] = 0x50;
	const others = [
		damaged,
		sealed("0000000\0"),
		Buffer.alloc(TAR_BLOCK),
		Buffer.alloc(TAR_BLOCK, "F"),
	];
	for (const block of [...others, header.subarray(0, TAR_BLOCK - 1), Buffer.alloc(0)]) {
		assert.ok(!isTarHeader(block));
	}
});
