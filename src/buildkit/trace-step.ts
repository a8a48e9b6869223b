import type { Timestamp } from "@bufbuild/protobuf/wkt";
import type { Emit, StepEvent } from "../events.js";
import { LogTail } from "./log-tail.js";
import type { Vertex, VertexLog, VertexStatus } from "./proto/gen/trace_pb.js";

/** What happened to a step, without which step it is. */
type News = StepEvent extends infer Event
	? Event extends StepEvent
		? Omit<Event, "type" | "id" | "name">
		: never
	: never;

/** In VertexLog.stream. */
const STDERR = 2n;

/**
 * One vertex of the build graph, as the daemon's reports tell of it. A vertex may run in several
 * intervals (looked up first, pulled later; or shared by two parts of the build), each reported when
 * it starts and again when it ends: the step runs as long as one of them is open.
 *
 * BuildKit's solver reports the look-up of a cache key for vertices without inputs only, which are base images
 * and contexts (solver/jobs.go, sharedOp.CacheMap). These are not over with that, but wait() for release().
 */
export class TraceStep {
	readonly id: string;
	name = "";
	/** Why it failed, in the daemon's words. */
	error: string | undefined;
	readonly tail = new LogTail();
	/** Whether another vertex is known that takes what this one gives. */
	isUsed = false;
	#state: "new" | "running" | "waiting" | "over" = "new";
	/** Parts of a graph are announced before they start, unless another build has started them already. */
	#isAnnounced = false;
	#hasInputs = false;
	#isReleased = false;
	/** Start to end in nanoseconds since 1970; `undefined` as long as it is open. */
	readonly #intervals = new Map<bigint, bigint | undefined>();
	/** True as long as every interval that ended did so by finding the result in the cache. */
	#cached = true;
	readonly #emit: Emit;
	readonly #decoders = { stdout: new TextDecoder(), stderr: new TextDecoder() };
	/** The last progress told of each item, so that nothing is told twice. */
	readonly #progress = new Map<string, string>();

	constructor(id: string, emit: Emit) {
		this.id = id;
		this.#emit = emit;
	}

	/** Of a step that did not end well: whether BuildKit stopped it because another one had failed. */
	get wasCanceled(): boolean | undefined {
		return this.error?.endsWith("context canceled");
	}

	/** Takes in a report. What it ends is told by settle(), after the logs that came with it. */
	report(vertex: Vertex): void {
		this.name = vertex.name;
		this.#hasInputs = vertex.inputs.length > 0;
		if (this.#state === "new" && vertex.started === undefined) this.#isAnnounced = true;
		if (this.error !== undefined) return;
		if (vertex.error !== "") this.error = vertex.error;
		if (vertex.started === undefined) return;
		const ended = vertex.completed && nanoseconds(vertex.completed);
		this.#intervals.set(nanoseconds(vertex.started), ended);
		if (ended !== undefined && !vertex.cached) this.#cached = false;
		// What both starts and ends in one report is news the first time only.
		if (ended === undefined || (this.#state === "new" && !this.#cached)) this.#start();
	}

	/** Tells that the step is over, if the reports so far say so. */
	settle(): void {
		if (this.#state === "over") return;
		if (this.error !== undefined) {
			this.#fail(this.error);
		} else if (this.#intervals.size === 0 || this.#isOpen()) {
			return;
		} else if (this.#cached) {
			this.#end({ status: "cached" });
		} else if (this.#isSource() && !this.#isReleased) {
			this.#wait();
		} else {
			this.#end({ status: "done", durationMs: this.#durationMs() });
		}
	}

	/** What this one gives was used, so it has been got by now, or was not needed. It has no logs to wait for. */
	release(): void {
		this.#isReleased = true;
		if (this.#isSource()) this.settle();
	}

	/**
	 * A new step has begun. A source that no step uses, such as the Dockerfile or a frontend's image, is read by the
	 * builder itself before it goes on, so that it is done by now.
	 */
	passBy(): void {
		if (!this.isUsed && this.#state === "waiting" && this.#intervals.size > 1) this.release();
	}

	progress({ id: item, current: bytes, total: size, completed }: VertexStatus): void {
		// Some items never tell their size, and some end without a last report of it.
		const total = Math.max(Number(size), completed ? Number(bytes) : 0);
		const current = completed ? total : Number(bytes);
		const news = `${current}/${total}`;
		if (this.#progress.get(item) === news) return;
		this.#progress.set(item, news);
		this.#tell({ status: "progress", item, current, total });
	}

	log({ stream, msg }: VertexLog): void {
		this.#write(stream === STDERR ? "stderr" : "stdout", msg);
	}

	/** The build is over, and so is this step, whether it was reported or not. */
	close(succeeded: boolean): void {
		this.release();
		if (this.#state !== "running") return;
		if (succeeded) this.#end({ status: "done", durationMs: this.#durationMs() });
		else this.#end({ status: "canceled" });
	}

	#start(): void {
		if (this.#state === "running") return;
		this.#state = "running";
		this.#tell({ status: "started" });
	}

	#wait(): void {
		if (this.#state === "waiting") return;
		this.#state = "waiting";
		this.#tell({ status: "waiting" });
	}

	#fail(error: string): void {
		this.#start();
		if (this.wasCanceled) this.#end({ status: "canceled" });
		else this.#end({ status: "failed", error, durationMs: this.#durationMs() });
	}

	#end(news: News): void {
		this.#state = "over";
		// A character that was cut off at the end of the output.
		this.#write("stdout");
		this.#write("stderr");
		this.#tell(news);
	}

	/** Characters may be split between two reports; without bytes, what is left of one is written. */
	#write(stream: "stdout" | "stderr", bytes?: Uint8Array): void {
		const text = this.#decoders[stream].decode(bytes, { stream: bytes !== undefined });
		if (text === "") return;
		this.tail.push(text);
		this.#emit({ type: "log", stepId: this.id, stream, text });
	}

	#tell(news: News): void {
		this.#emit({ type: "step", id: this.id, name: this.name, ...news });
	}

	#isSource(): boolean {
		return !this.#hasInputs && (this.#isAnnounced || this.isUsed);
	}

	#isOpen(): boolean {
		return [...this.#intervals.values()].includes(undefined);
	}

	/** The time in which at least one interval ran; an open one counts as nothing. */
	#durationMs(): number {
		let total = 0n;
		let covered = 0n;
		for (const [start, end = start] of [...this.#intervals].sort(byStart)) {
			const from = start > covered ? start : covered;
			if (end <= from) continue;
			total += end - from;
			covered = end;
		}
		return Number(total) / 1e6;
	}
}

function byStart([a]: [bigint, unknown], [b]: [bigint, unknown]): number {
	return a < b ? -1 : a > b ? 1 : 0;
}

function nanoseconds({ seconds, nanos }: Timestamp): bigint {
	return seconds * 1_000_000_000n + BigInt(nanos);
}
