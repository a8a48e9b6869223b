import { LogTail } from "../../buildkit/log-tail.js";
import type { FailedStep } from "../../buildkit/trace.js";
import type { Emit } from "../../events.js";

/** A line of POST /build's answer, as the classic builder and Podman send it. */
export interface ClassicMessage {
	/** Text for the terminal: a line of the builder's own, or a piece of a command's output. */
	readonly stream?: unknown;
	/** Progress of a base image's layer, named by `id`. */
	readonly status?: unknown;
	readonly id?: unknown;
	readonly progressDetail?: unknown;
	/** `{"ID":"sha256:…"}` at the end of each stage. */
	readonly aux?: unknown;
}

/** "Step 2/3 : RUN make" (docker), "STEP 2/3: RUN make" or "[1/2] STEP 2/3: RUN make" (Podman). */
const STEP = /^(?:Step (?<docker>\d+)\/\d+ : |(?:\[\d+\/\d+\] )?STEP (?<podman>\d+)\/\d+: )/;

/** Podman's last step; writing a big layer takes its time. */
const COMMIT = /^(?:\[\d+\/\d+\] )?COMMIT(?: \S+)?\n$/;

const USING_CACHE = /^ ?-{2,3}> Using cache(?: [0-9a-f]{64})?\n$/;

/** What the builders say of their own doings, each as a message of its own. */
const CHATTER = [
	/^ ?-{2,3}> (?:Running in )?[0-9a-f]{12}\n$/,
	/^(?: ---> Removed|Removing) intermediate container [0-9a-f]{12}\n$/,
	/^Successfully (?:built|tagged) \S+\n$/,
	// Podman's image id; it comes again as `aux`.
	/^[0-9a-f]{64}\n$/,
];

const WARNING = /^(?: ---> )?\[Warning\] (?<message>.*)\n$/;

/** docker's classic builder paints what a command writes to stderr red (pkg/streamformatter). */
// biome-ignore lint/suspicious/noControlCharactersInRegex: the escape sequence is what is looked for.
const STDERR = /^\x1b\[91m(?<text>.*)\x1b\[0m$/s;

/** The phases of a layer's pull that have a size. */
const SIZED_PHASES = new Set(["Downloading", "Extracting"]);

interface Step {
	readonly id: string;
	readonly name: string;
	readonly startedAt: number;
	readonly tail: LogTail;
	cached: boolean;
}

/** The text of the classic builder, and of Podman's, as the same events that BuildKit's trace gives. */
export class ClassicOutput {
	readonly #emit: Emit;
	readonly #now: () => number;
	#step: Step | undefined;
	#steps = 0;
	/** The number in the last "Step 2/3". */
	#number = 0;
	#headline = false;
	#imageId: string | undefined;
	/** By layer: the progress item that is open. */
	readonly #pulling = new Map<string, { readonly item: string; readonly total: number }>();

	/** @param now a clock in milliseconds, for the steps' durations: the builder tells no times */
	constructor(emit: Emit, now: () => number) {
		this.#emit = emit;
		this.#now = now;
	}

	/** The image that was built; `undefined` as long as there are steps to do. */
	get imageId(): string | undefined {
		return this.#imageId;
	}

	read({ stream, status, id, progressDetail, aux }: ClassicMessage): void {
		this.#imageId = imageIdIn(aux) ?? this.#imageId;
		if (typeof stream === "string") this.#readText(stream);
		if (typeof status === "string" && typeof id === "string") {
			this.#readPull(id, status, progressDetail);
		}
	}

	/** Ends the running step with the build's error. */
	fail(error: string): FailedStep | undefined {
		const step = this.#step;
		if (step === undefined) return undefined;
		this.#step = undefined;
		const durationMs = this.#now() - step.startedAt;
		this.#emit({ ...stepOf(step), status: "failed", error, durationMs });
		return { name: step.name, error, logTail: step.tail.lines };
	}

	/** Closes the step that is still open: as done, or as canceled when the build has failed. */
	close(succeeded: boolean): void {
		if (succeeded) this.#finishStep();
		else if (this.#step) this.#emit({ ...stepOf(this.#step), status: "canceled" });
		this.#step = undefined;
	}

	#readText(text: string): void {
		// docker sends the line break after "Step 2/3 : RUN make" as a message of its own.
		const isRestOfHeadline = this.#headline && text === "\n";
		this.#headline = false;
		if (isRestOfHeadline) return;
		if (this.#isHeadline(text)) {
			this.#headline = !text.endsWith("\n");
			this.#finishStep();
			this.#startStep(text.trimEnd());
		} else if (USING_CACHE.test(text) && this.#step) {
			this.#step.cached = true;
		} else if (!CHATTER.some((line) => line.test(text))) {
			this.#readOutput(text);
		}
	}

	/** A command may print such lines too: these must also have the number that is due. */
	#isHeadline(text: string): boolean {
		if (COMMIT.test(text)) return true;
		const { docker, podman } = STEP.exec(text)?.groups ?? {};
		const number = Number(docker ?? podman);
		// Podman counts anew in each stage.
		const isDue = number === this.#number + 1 || (podman !== undefined && number === 1);
		if (isDue) this.#number = number;
		return isDue;
	}

	#readOutput(text: string): void {
		const warning = WARNING.exec(text)?.groups?.message;
		if (warning !== undefined) {
			this.#emit({ type: "warning", message: warning });
			return;
		}
		const step = this.#step ?? this.#startStep("build");
		const stderr = STDERR.exec(text)?.groups?.text;
		const output = stderr ?? text;
		step.tail.push(output);
		const stream = stderr === undefined ? "stdout" : "stderr";
		this.#emit({ type: "log", stepId: step.id, stream, text: output });
	}

	#readPull(layer: string, phase: string, detail: unknown): void {
		const item = `${phase.toLowerCase()} ${layer}`;
		const open = this.#pulling.get(layer);
		if (open && open.item !== item) {
			this.#pulling.delete(layer);
			if (open.total > 0) this.#progress(open.item, open.total, open.total);
		}
		if (!SIZED_PHASES.has(phase)) return;
		const { current = 0, total = 0 } = (detail ?? {}) as { current?: number; total?: number };
		this.#pulling.set(layer, { item, total });
		this.#progress(item, current, total);
	}

	#progress(item: string, current: number, total: number): void {
		if (this.#step) this.#emit({ ...stepOf(this.#step), status: "progress", item, current, total });
	}

	#startStep(name: string): Step {
		this.#imageId = undefined;
		this.#steps += 1;
		const id = `step-${this.#steps}`;
		const step = { id, name, startedAt: this.#now(), tail: new LogTail(), cached: false };
		this.#step = step;
		this.#emit({ ...stepOf(step), status: "started" });
		return step;
	}

	#finishStep(): void {
		const step = this.#step;
		if (step === undefined) return;
		this.#step = undefined;
		const durationMs = this.#now() - step.startedAt;
		this.#emit({
			...stepOf(step),
			...(step.cached ? { status: "cached" } : { status: "done", durationMs }),
		});
	}
}

/** The `aux` of a line that tells an image id. */
export function imageIdIn(aux: unknown): string | undefined {
	const id = (aux as { readonly ID?: unknown } | null | undefined)?.ID;
	return typeof id === "string" ? id : undefined;
}

function stepOf({ id, name }: Step) {
	return { type: "step", id, name } as const;
}
