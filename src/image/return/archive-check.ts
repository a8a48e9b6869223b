import { Transform, type TransformCallback } from "node:stream";
import { DeliveryError } from "../../errors.js";
import { isTarHeader, padded, TAR_BLOCK } from "../../tar-block.js";
import { ArchiveContents, type ArchiveEntry } from "./archive-contents.js";

const EMPTY_BLOCK = Buffer.alloc(TAR_BLOCK);

/**
 * Passes an image archive (a tar of GET /images/get) through unchanged and reads along, so that one
 * that is cut short, damaged, or of another image, never counts as delivered: the daemon has already said 200
 * when something goes wrong, and then just stops, or goes on with an error message in place of tar.
 *
 * Fails with a DeliveryError at the place of the damage, or at the end before the end is passed on.
 */
export class ArchiveCheck extends Transform {
	/** Bytes of archive so far. */
	bytes = 0;
	readonly contents = new ArchiveContents();

	readonly #imageId: string;
	/** The part of the next block that has arrived. */
	#partial = Buffer.alloc(0);
	/** What is left of the present entry: its data, and then the padding to a whole block. */
	#data = 0;
	#padding = 0;
	#entry: ArchiveEntry | undefined;
	#emptyBlocks = 0;

	/** @param imageId as the daemon that made the archive calls the image */
	constructor(imageId: string) {
		super();
		this.#imageId = imageId;
	}

	override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
		this.bytes += chunk.length;
		try {
			this.#read(chunk);
		} catch (error) {
			done(error as Error);
			return;
		}
		done(null, chunk);
	}

	override _flush(done: TransformCallback): void {
		try {
			this.#readEnd();
		} catch (error) {
			done(error as Error);
			return;
		}
		done();
	}

	#read(chunk: Buffer): void {
		let rest = chunk;
		while (rest.length > 0) {
			if (this.#data > 0) {
				const data = rest.subarray(0, this.#data);
				this.#entry?.append(data);
				this.#data -= data.length;
				rest = rest.subarray(data.length);
			} else if (this.#padding > 0) {
				const length = Math.min(this.#padding, rest.length);
				this.#padding -= length;
				rest = rest.subarray(length);
			} else {
				rest = this.#readBlock(rest);
			}
		}
	}

	/** Takes a header, or a block of the end, and returns what comes after it. */
	#readBlock(chunk: Buffer): Buffer {
		const wanted = TAR_BLOCK - this.#partial.length;
		this.#partial = Buffer.concat([this.#partial, chunk.subarray(0, wanted)]);
		if (this.#partial.length === TAR_BLOCK) {
			const block = this.#partial;
			this.#partial = Buffer.alloc(0);
			if (block.equals(EMPTY_BLOCK)) this.#emptyBlocks++;
			else this.#startEntry(block);
		}
		return chunk.subarray(wanted);
	}

	#startEntry(header: Buffer): void {
		if (this.#emptyBlocks > 0 || !isTarHeader(header)) throw damaged(header);
		this.#entry = this.contents.entry(header);
		this.#data = this.#entry.size;
		this.#padding = padded(this.#data) - this.#data;
	}

	#readEnd(): void {
		if (this.#data > 0 || this.#padding > 0 || this.#emptyBlocks < 2) {
			throw damaged(this.#partial);
		}
		if (this.#partial.some((byte) => byte !== 0)) throw damaged(this.#partial);
		if (!this.contents.holds(this.#imageId)) {
			throw new DeliveryError(
				`the daemon sent an archive without image ${this.#imageId}: its tag may have been moved meanwhile`,
				{ hint: "build again, with a tag that nobody else builds at the same time" },
			);
		}
		this.contents.check();
	}
}

/** @param text what stands where a header should be: perhaps the daemon's reason, as JSON */
function damaged(text: Buffer): DeliveryError {
	const reason = /"(?:message|error)":\s*"((?:[^"\\]|\\.)*)/.exec(text.toString("utf8"))?.[1];
	return new DeliveryError(
		reason === undefined
			? "the daemon's image archive is truncated"
			: `the daemon could not export the image: ${reason}`,
		{
			hint: "the disk of the daemon's machine may be full, or the daemon stopped: look at its log, then try again",
		},
	);
}
