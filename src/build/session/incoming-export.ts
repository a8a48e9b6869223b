import { GRPC_STATUS, GrpcError } from "../../buildkit/grpc/grpc-status.js";
import { DeliveryError } from "../../errors.js";
import type { DeliveryReport, Run } from "../../events.js";
import type { ExportTarget } from "../../image/export/export-target.js";
import { PROGRESS_STEP } from "../../image/progress-step.js";

/** Two blocks of zeros are the end of a tar (POSIX pax format). */
const END_BYTES = 1024;

/** One output of a build on its way to its target: counts what passes and tells of it. */
export class IncomingExport implements AsyncDisposable {
	readonly #target: ExportTarget;
	readonly #run: Run;
	#bytes = 0;
	#durationMs = 0;
	#isComplete = false;
	#digest: string | undefined;
	#receiving: Promise<void> | undefined;

	constructor(target: ExportTarget, run: Run) {
		this.#target = target;
		this.#run = run;
	}

	get isStarted(): boolean {
		return this.#receiving !== undefined;
	}

	/** @throws DeliveryError; whatever `tar` throws */
	receive(
		tar: AsyncIterable<Uint8Array>,
		digest: string | undefined,
		signal: AbortSignal,
	): Promise<void> {
		this.#digest = digest;
		this.#receiving = this.#receive(tar, signal);
		return this.#receiving;
	}

	async commit(): Promise<DeliveryReport> {
		const { name } = this.#target;
		if (!this.#isComplete) {
			throw new DeliveryError(`the build is done, but the daemon has not sent all of ${name}`);
		}
		const startedAt = performance.now();
		await this.#target.commit();
		this.#report("done");
		const durationMs = this.#durationMs + performance.now() - startedAt;
		const digest = this.#digest === undefined ? {} : { digest: this.#digest };
		return { method: "export", destination: name, bytes: this.#bytes, ...digest, durationMs };
	}

	/** To be called when the session is over, with which what is being received ends. */
	async [Symbol.asyncDispose](): Promise<void> {
		await this.#receiving?.catch(() => {});
		await this.#target[Symbol.asyncDispose]();
	}

	async #receive(tar: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void> {
		const startedAt = performance.now();
		this.#report("started");
		const source = new Source(tar, (length) => this.#count(length));
		const ended = AbortSignal.any([signal, this.#run.signal]);
		try {
			await this.#target.receive(source, ended);
		} catch (error) {
			// Why the build was ended is told where it was.
			if (ended.aborted) throw new GrpcError(GRPC_STATUS.unavailable, "the build was ended");
			throw source.failure ?? error;
		}
		this.#isComplete = true;
		this.#durationMs = performance.now() - startedAt;
	}

	#count(length: number): void {
		const steps = Math.floor(this.#bytes / PROGRESS_STEP);
		this.#bytes += length;
		if (Math.floor(this.#bytes / PROGRESS_STEP) > steps) this.#report("progress");
	}

	#report(status: "started" | "progress" | "done"): void {
		const destination = this.#target.name;
		this.#run.emit({ type: "deliver", method: "export", destination, status, bytes: this.#bytes });
	}
}

/**
 * The daemon's bytes, checked for the end of a tar: a daemon that cannot go on ends them as if they were
 * complete, and tells the reason in the output of the build.
 */
class Source implements AsyncIterable<Uint8Array> {
	/** What the daemon or the link to it failed with, as against the target. */
	failure: Error | undefined;
	readonly #tar: AsyncIterable<Uint8Array>;
	readonly #onBytes: (length: number) => void;

	constructor(tar: AsyncIterable<Uint8Array>, onBytes: (length: number) => void) {
		this.#tar = tar;
		this.#onBytes = onBytes;
	}

	async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
		let zeros = 0;
		try {
			for await (const chunk of this.#tar) {
				const atEnd = zerosAtEnd(chunk);
				zeros = atEnd === chunk.length ? zeros + atEnd : atEnd;
				this.#onBytes(chunk.length);
				yield chunk;
			}
			if (zeros < END_BYTES) {
				throw new GrpcError(GRPC_STATUS.unknown, "the tar from the daemon is truncated");
			}
		} catch (error) {
			this.failure = error as Error;
			throw error;
		}
	}
}

/** Counts no further than is of interest. */
function zerosAtEnd(chunk: Uint8Array): number {
	const limit = Math.min(chunk.length, END_BYTES);
	let zeros = 0;
	while (zeros < limit && chunk[chunk.length - 1 - zeros] === 0) zeros++;
	return zeros === END_BYTES ? chunk.length : zeros;
}
