import { comparePaths, fromBytes, toBytes } from "../tree/path-bytes.js";

/**
 * Rows of bytes by path, kept in few large buffers: as objects, 50,000 of them take tens of MB. Paths are
 * in the order of comparePaths() and lack what they share with the one before, and the bytes of a row
 * are kept in columns: both is for compression.
 */
export class PathTable {
	readonly count: number;
	readonly #paths: Buffer;
	readonly #columns: readonly Column[];

	/**
	 * @param widths bytes of each column
	 * @throws RangeError for what toBytes() did not make with these columns
	 */
	constructor(bytes: Buffer, widths: readonly number[]) {
		const count = bytes.readUInt32LE(0);
		const pathsEnd = HEAD + bytes.readUInt32LE(4);
		let at = pathsEnd;
		this.#columns = widths.map((width) => {
			const cells = bytes.subarray(at, at + width * count);
			at += width * count;
			return { width, cells };
		});
		if (at !== bytes.length) throw new RangeError("not a table of these columns");
		this.count = count;
		this.#paths = bytes.subarray(HEAD, pathsEnd);
	}

	/** The cells of a column, one behind the other. */
	column(column: number): Buffer {
		return (this.#columns[column] as Column).cells;
	}

	/** Goes through the paths, once. */
	cursor(): PathCursor {
		return new PathCursor(this.#paths, this.count);
	}

	/** All cells of a row, one behind the other. */
	row(row: number): Buffer {
		return Buffer.concat(
			this.#columns.map(({ width, cells }) => cells.subarray(row * width, (row + 1) * width)),
		);
	}
}

interface Column {
	readonly width: number;
	readonly cells: Buffer;
}

/** Two numbers: of rows, and of bytes of paths. */
const HEAD = 8;

export class PathCursor {
	/** The row it is at; -1 before the first step. */
	row = -1;
	/** The path there; undefined before the first step and behind the last row. */
	path: string | undefined;
	readonly #paths: Buffer;
	readonly #count: number;
	#at = 0;
	#bytes = Buffer.alloc(256);
	#length = 0;

	constructor(paths: Buffer, count: number) {
		this.#paths = paths;
		this.#count = count;
	}

	/** Goes to the next row. Where paths make no sense, there are no more rows. */
	step(): void {
		this.row += 1;
		this.path = undefined;
		if (this.row >= this.#count) return;
		const shared = this.#number();
		const added = this.#number();
		const end = this.#at + added;
		if (shared > this.#length || end > this.#paths.length) {
			this.row = this.#count;
			return;
		}
		this.#length = shared + added;
		if (this.#length > this.#bytes.length) {
			this.#bytes = Buffer.concat([this.#bytes, Buffer.alloc(this.#length)]);
		}
		this.#paths.copy(this.#bytes, shared, this.#at, end);
		this.#at = end;
		this.path = fromBytes(this.#bytes.subarray(0, this.#length));
	}

	/**
	 * Goes on to a path and tells its row; undefined if it has none. Paths have to be asked for in their
	 * order.
	 */
	find(path: string): number | undefined {
		if (this.row < 0) this.step();
		while (this.path !== undefined && this.path !== path && comparePaths(this.path, path) < 0) {
			this.step();
		}
		return this.path === path ? this.row : undefined;
	}

	#number(): number {
		let value = 0;
		for (let scale = 1; ; scale *= 128) {
			const byte = this.#paths[this.#at++] ?? 0;
			value += (byte & 0x7f) * scale;
			if (byte < 0x80) return value;
		}
	}
}

/** Makes a PathTable of paths that are added in their order. */
export class PathTableWriter {
	readonly #widths: readonly number[];
	readonly #rowBytes: number;
	#paths = new GrowingBuffer();
	#rows = new GrowingBuffer();
	#last: Buffer = Buffer.alloc(0);
	count = 0;

	constructor(widths: readonly number[]) {
		this.#widths = widths;
		this.#rowBytes = widths.reduce((sum, width) => sum + width, 0);
	}

	/** @param row its cells, one behind the other */
	add(path: string, row: Uint8Array): void {
		const bytes = toBytes(path);
		const most = Math.min(bytes.length, this.#last.length);
		let shared = 0;
		while (shared < most && bytes[shared] === this.#last[shared]) shared++;
		this.#number(shared);
		this.#number(bytes.length - shared);
		this.#paths.append(bytes.subarray(shared));
		this.#rows.append(row);
		this.#last = bytes;
		this.count += 1;
	}

	toBytes(): Buffer {
		const paths = this.#paths.content;
		const rows = this.#rows.content;
		const bytes = Buffer.allocUnsafeSlow(HEAD + paths.length + rows.length);
		bytes.writeUInt32LE(this.count, 0);
		bytes.writeUInt32LE(paths.length, 4);
		paths.copy(bytes, HEAD);
		let to = HEAD + paths.length;
		let start = 0;
		for (const width of this.#widths) {
			for (let row = 0; row < this.count; row++) {
				// By hand: for so few bytes, copy() takes five times as long.
				let from = row * this.#rowBytes + start;
				for (const end = from + width; from < end; from++) bytes[to++] = rows[from] as number;
			}
			start += width;
		}
		return bytes;
	}

	#number(value: number): void {
		let left = value;
		for (; left >= 128; left = Math.floor(left / 128)) this.#paths.appendByte((left % 128) | 0x80);
		this.#paths.appendByte(left);
	}
}

class GrowingBuffer {
	#buffer = Buffer.allocUnsafeSlow(4096);
	#used = 0;

	get content(): Buffer {
		return this.#buffer.subarray(0, this.#used);
	}

	append(bytes: Uint8Array): void {
		this.#reserve(bytes.length);
		this.#buffer.set(bytes, this.#used);
		this.#used += bytes.length;
	}

	appendByte(byte: number): void {
		this.#reserve(1);
		this.#buffer[this.#used++] = byte;
	}

	#reserve(bytes: number): void {
		if (this.#used + bytes <= this.#buffer.length) return;
		const larger = Buffer.allocUnsafeSlow(2 * (this.#used + bytes));
		this.content.copy(larger);
		this.#buffer = larger;
	}
}
