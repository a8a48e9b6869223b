/** An entry as anybody can write it into a tar, sensible or not. */
export interface Entry {
	readonly name: string | Buffer;
	/** The type flag: "0" file, "1" hard link, "2" symlink, "3" device, "5" directory, "6" fifo. */
	readonly type?: string;
	readonly mode?: number;
	/** Seconds since 1970. */
	readonly mtime?: number;
	readonly link?: string;
	readonly content?: string;
}

export const END = Buffer.alloc(1024);

/** In the ustar format (POSIX.1-1988). */
export function tarBytes(entries: readonly Entry[]): Buffer {
	return Buffer.concat([...entries.map(entryBytes), END]);
}

/** A tar as it comes: in pieces that begin and end anywhere. */
export async function* pieces(tar: Buffer, length = 700): AsyncGenerator<Uint8Array> {
	for (let at = 0; at < tar.length; at += length) yield tar.subarray(at, at + length);
}

function entryBytes({ name, type = "0", mode = 0o644, mtime = 1e9, link = "", content }: Entry) {
	const data = Buffer.from(content ?? "");
	const header = Buffer.alloc(512);
	Buffer.from(name).copy(header, 0);
	const octal = (value: number, at: number, digits: number) =>
		header.write(value.toString(8).padStart(digits, "0"), at);
	octal(mode, 100, 7);
	octal(12345, 108, 7);
	octal(12345, 116, 7);
	octal(data.length, 124, 11);
	octal(mtime, 136, 11);
	header.write(`        ${type}${link}`, 148);
	header.write("ustar\x0000", 257, "latin1");
	octal(
		header.reduce((total, byte) => total + byte, 0),
		148,
		6,
	);
	header[154] = 0;
	return Buffer.concat([header, data, Buffer.alloc((512 - (data.length % 512)) % 512)]);
}
