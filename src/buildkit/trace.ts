import { fromBinary } from "@bufbuild/protobuf";
import { EngineError } from "../errors.js";
import type { Emit, WarningEvent } from "../events.js";
import {
	type StatusResponse,
	StatusResponseSchema,
	type VertexWarning,
} from "./proto/gen/trace_pb.js";
import { TraceStep } from "./trace-step.js";

/** A step that ended a build. */
export interface FailedStep {
	readonly name: string;
	/** In the builder's words. */
	readonly error: string;
	/** The last lines of its output. */
	readonly logTail: readonly string[];
}

/**
 * BuildKit's progress as events. Each report is a moby.buildkit.v1.StatusResponse and tells only what
 * is new, in part again.
 */
export class BuildTrace {
	readonly #steps = new Map<string, TraceStep>();
	readonly #emit: Emit;

	constructor(emit: Emit) {
		this.#emit = emit;
	}

	/**
	 * @param aux the aux field of a "moby.buildkit.trace" line: base64 of the report
	 * @throws EngineError when it is not that
	 */
	read(aux: unknown): void {
		this.add(decode(aux));
	}

	add(report: StatusResponse): void {
		const settling = new Set<TraceStep>();
		for (const vertex of report.vertexes) {
			const step = this.#step(vertex.digest);
			for (const input of vertex.inputs) {
				const source = this.#step(input);
				source.isUsed = true;
				if (vertex.started !== undefined) source.release();
			}
			step.report(vertex);
			settling.add(step);
		}
		// A report may hold a step's last lines beside its end.
		for (const status of report.statuses) this.#steps.get(status.vertex)?.progress(status);
		for (const log of report.logs) this.#steps.get(log.vertex)?.log(log);
		for (const warning of report.warnings) this.#emit(warningEvent(warning));
		for (const step of settling) step.settle();
	}

	/** Closes the steps that are still open: as done, or as canceled when the build has failed. */
	close(succeeded: boolean): void {
		for (const step of this.#steps.values()) step.close(succeeded);
	}

	/**
	 * The step that the build failed with. Failed steps that did no harm to it (such as a cache that
	 * could not be imported) are told apart by the build's own error, which quotes the step's.
	 */
	failedStep(buildError: string): FailedStep | undefined {
		for (const { name, error, tail } of this.#steps.values()) {
			if (error !== undefined && buildError.includes(error)) {
				return { name, error, logTail: tail.lines };
			}
		}
		return undefined;
	}

	/** The step that failed last, for a build whose own error is not known. */
	lastFailedStep(): FailedStep | undefined {
		const step = [...this.#steps.values()].findLast(({ wasCanceled }) => wasCanceled === false);
		return step?.error === undefined
			? undefined
			: { name: step.name, error: step.error, logTail: step.tail.lines };
	}

	#step(digest: string): TraceStep {
		const known = this.#steps.get(digest);
		if (known !== undefined) return known;
		for (const other of this.#steps.values()) other.passBy();
		const step = new TraceStep(digest, this.#emit);
		this.#steps.set(digest, step);
		return step;
	}
}

function decode(aux: unknown): StatusResponse {
	try {
		if (typeof aux !== "string") throw new TypeError(`aux is of type ${typeof aux}`);
		return fromBinary(StatusResponseSchema, Buffer.from(aux, "base64"));
	} catch (cause) {
		throw new EngineError("the daemon sent build progress that is not BuildKit's", { cause });
	}
}

function warningEvent({ short, detail, url }: VertexWarning): WarningEvent {
	const decoder = new TextDecoder();
	const message = decoder.decode(short);
	// The detail says the message again, in other words; the page says more.
	const hint = url === "" ? detail.map((line) => decoder.decode(line)).join(" ") : `see ${url}`;
	return { type: "warning", message, ...(hint === "" ? {} : { hint }) };
}
