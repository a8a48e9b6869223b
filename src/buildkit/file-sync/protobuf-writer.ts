/** A chunk of content, with what is written around it. */
const INITIAL_BYTES = 72 * 1024;
/** A field's tag and the longest number after it. */
const NUMBER_BYTES = 11;

/** Writes fields of a protobuf message with numbers up to 15; as proto3 wants it, none that are 0 or empty. */
export class ProtobufWriter {
	#buffer = Buffer.allocUnsafeSlow(INITIAL_BYTES);
	#used = 0;

	get length(): number {
		return this.#used;
	}

	/** What was written; good until more is. */
	get bytes(): Uint8Array {
		return this.#buffer.subarray(0, this.#used);
	}

	/** Starts anew in the same memory. */
	reset(): void {
		this.#used = 0;
	}

	/** What was written; starts anew in other memory. */
	take(): Uint8Array {
		const written = this.#buffer.subarray(0, this.#used);
		this.#buffer = Buffer.allocUnsafeSlow(INITIAL_BYTES);
		this.#used = 0;
		return written;
	}

	/** @param value an unsigned integer below 2^53 */
	number(field: number, value: number): void {
		if (value === 0) return;
		this.#reserve(NUMBER_BYTES);
		this.#buffer[this.#used++] = field << 3;
		this.#varint(value);
	}

	/** A number of 64 bits, in two's complement if it is negative. */
	int64(field: number, value: bigint): void {
		if (value === 0n) return;
		this.#reserve(NUMBER_BYTES);
		this.#buffer[this.#used++] = field << 3;
		let left = BigInt.asUintN(64, value);
		// Numbers are much faster, as soon as it is small enough for one.
		for (; left > BigInt(Number.MAX_SAFE_INTEGER); left >>= 7n) {
			this.#buffer[this.#used++] = Number(left & 0x7fn) | 0x80;
		}
		this.#varint(Number(left));
	}

	text(field: number, value: string): void {
		if (value === "") return;
		const length = Buffer.byteLength(value);
		this.lengthOf(field, length);
		this.#reserve(length);
		this.#buffer.write(value, this.#used);
		this.#used += length;
	}

	/** The beginning of a field of text, bytes or another message; its content has to follow. */
	lengthOf(field: number, length: number): void {
		this.#reserve(NUMBER_BYTES);
		this.#buffer[this.#used++] = (field << 3) | 2;
		this.#varint(length);
	}

	append(other: ProtobufWriter): void {
		this.#reserve(other.#used);
		other.#buffer.copy(this.#buffer, this.#used, 0, other.#used);
		this.#used += other.#used;
	}

	raw(content: Uint8Array): void {
		this.#reserve(content.length);
		this.#buffer.set(content, this.#used);
		this.#used += content.length;
	}

	#varint(value: number): void {
		let left = value;
		for (; left >= 0x80; left = Math.floor(left / 0x80)) {
			this.#buffer[this.#used++] = (left % 0x80) | 0x80;
		}
		this.#buffer[this.#used++] = left;
	}

	#reserve(bytes: number): void {
		const needed = this.#used + bytes;
		if (needed <= this.#buffer.length) return;
		const larger = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.#buffer.length));
		this.#buffer.copy(larger, 0, 0, this.#used);
		this.#buffer = larger;
	}
}
