import {
	PassThrough,
	pipeline,
	type Readable,
	Transform,
	type TransformCallback,
} from "node:stream";
import type { BuildContext } from "../../context/build-context.js";
import { AdaptiveGzip } from "../../context/content/adaptive-gzip.js";
import type { PartTotals } from "../../context/entries/part-of-context.js";
import type { ContextPart } from "../../context/thread/directory-context.js";
import { ContextError } from "../../errors.js";
import type { Emit, Run, UploadReport } from "../../events.js";

/** Milliseconds between two progress events. */
export const PROGRESS_INTERVAL = 100;

type SentContext = Exclude<BuildContext, { kind: "remote" }> | ContextPart;

/**
 * Starts to read the context as fast as the daemon takes it.
 *
 * @param far whether to compress what is not, as far as that pays
 * @param before what the tar begins with, of a context that is not compressed
 */
export function openUpload(
	context: SentContext,
	far: boolean,
	{ emit }: Run,
	before?: Uint8Array,
): Upload {
	const compressed = "compressed" in context && context.compressed;
	const gzip = far && !compressed ? new AdaptiveGzip() : undefined;
	return new Upload(context, gzip, emit, before);
}

/** A context on its way to the daemon: counts what passes and tells of it. */
export class Upload {
	/** What POST /build sends. */
	readonly body: Readable;
	/** Why the context could not be read to its end; undefined where the daemon stopped taking it. */
	failure: ContextError | undefined;
	durationMs = 0;
	readonly #compress: AdaptiveGzip | undefined;
	readonly #startedAt = performance.now();
	readonly #emit: Emit;
	#lastEventAt = 0;
	readonly #totals: PartTotals | undefined;
	#read = { files: 0, bytes: 0 };
	#sentBytes = 0;

	constructor(
		context: SentContext,
		compress: AdaptiveGzip | undefined,
		emit: Emit,
		before: Uint8Array | undefined,
	) {
		this.#compress = compress;
		this.#emit = emit;
		this.#totals = knownTotals(context);
		const tar = context.tar((read) => {
			this.#read = read;
		});
		const stages = [
			tar,
			...(before === undefined ? [] : [following(before)]),
			...(compress === undefined ? [] : [compress]),
			this.#meter(),
		];
		this.body = pipeline(stages, (error) => {
			if (error instanceof ContextError) this.failure = error;
		}) as unknown as Readable;
	}

	/** What has been done so far. */
	get report(): UploadReport {
		const { files, bytes } = this.#read;
		return {
			transfer: "tar",
			...(this.#totals === undefined ? {} : { files }),
			bytes,
			alreadyThere: { files: 0, bytes: 0 },
			sentBytes: this.#sentBytes,
			savedBytes: this.#savedBytes,
		};
	}

	get #savedBytes(): number {
		return this.#compress === undefined ? 0 : this.#compress.inputBytes - this.#sentBytes;
	}

	#meter(): Transform {
		const count = (chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback) => {
			this.#sentBytes += chunk.length;
			const now = performance.now();
			if (now - this.#lastEventAt >= PROGRESS_INTERVAL) {
				this.#lastEventAt = now;
				this.#report("progress");
			}
			done(null, chunk);
		};
		const end = (done: TransformCallback) => {
			this.durationMs = performance.now() - this.#startedAt;
			this.#report("done");
			done();
		};
		return new Transform({ transform: count, flush: end });
	}

	#report(status: "progress" | "done"): void {
		this.#emit({
			type: "upload",
			status,
			...this.#read,
			...(this.#totals && { totalFiles: this.#totals.files, totalBytes: this.#totals.bytes }),
			sentBytes: this.#sentBytes,
			...(this.#compress && { savedBytes: this.#savedBytes }),
			durationMs: performance.now() - this.#startedAt,
		});
	}
}

/** What is written to it comes after this. */
function following(before: Uint8Array): PassThrough {
	const stream = new PassThrough();
	stream.write(before);
	return stream;
}

/** Nothing is known of an archive before its end. */
export function knownTotals(context: SentContext): PartTotals | undefined {
	return "compressed" in context ? undefined : context.totals();
}
