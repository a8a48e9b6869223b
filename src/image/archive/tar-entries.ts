import { Readable } from "node:stream";
import { DeliveryError } from "../../errors.js";
import { padded, TAR_BLOCK } from "../../tar-block.js";

/** A regular file of a tar. */
export interface TarEntry {
	/** At most 100 bytes of ASCII. */
	readonly name: string;
	/** Bytes. */
	readonly size: number;
	/** Called once, when it is its turn. */
	readonly open: () => AsyncIterable<Uint8Array>;
}

export function tarEntry(name: string, content: Uint8Array): TarEntry {
	return {
		name,
		size: content.length,
		open: async function* () {
			yield content;
		},
	};
}

/**
 * A tar (POSIX ustar) in which nothing tells when or by whom it was made: the same files, the same bytes.
 * @throws DeliveryError for an entry of another size than it was said to have; whatever an entry fails with
 */
export async function* tarOf(entries: readonly TarEntry[]): AsyncGenerator<Uint8Array> {
	for (const { name, size, open } of entries) {
		yield header(name, size);
		let written = 0;
		for await (const chunk of open()) {
			written += chunk.length;
			yield chunk;
		}
		if (written !== size) throw new DeliveryError(`${name} has ${written} bytes, not ${size}`);
		if (padded(size) > size) yield Buffer.alloc(padded(size) - size);
	}
	yield Buffer.alloc(2 * TAR_BLOCK);
}

/** tarOf() as a stream, which fails with the same. */
export function tarStream(entries: readonly TarEntry[]): Readable {
	return Readable.from(tarOf(entries), { objectMode: false });
}

function header(name: string, size: number): Buffer {
	const block = Buffer.alloc(TAR_BLOCK);
	const put = (text: string, at: number) => block.write(text, at, "latin1");
	put(name, 0);
	put("0000644\0", 100);
	put("0000000\0", 108);
	put("0000000\0", 116);
	put(size.toString(8).padStart(11, "0"), 124);
	// As GNU tar and Go write what eleven octal digits do not hold.
	if (size >= 8 ** 11) block.fill(0, 124, 136).writeBigUInt64BE(BigInt(size), 128);
	if (size >= 8 ** 11) block[124] = 0x80;
	put("00000000000\0", 136);
	put("        0", 148);
	put("ustar\x0000", 257);
	const sum = block.reduce((total, byte) => total + byte, 0);
	put(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
	return block;
}
