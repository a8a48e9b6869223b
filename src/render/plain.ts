import picocolors from "picocolors";
import type {
	BuildEvent,
	DeliverEvent,
	LogEvent,
	PlatformNews,
	StepEvent,
	UploadEvent,
} from "../events.js";
import { printableName } from "../printable.js";
import { failureLines, warningLines } from "./failure.js";
import { formatDuration } from "./format.js";
import { newsKey } from "./platform-names.js";
import type { Failure, Renderer, RenderOptions } from "./renderer.js";
import { reportLines } from "./report.js";
import { type Screen, stderrWidth } from "./screen.js";
import { type Step, Steps } from "./steps.js";
import {
	amount,
	connectLine,
	contextLine,
	deliverLine,
	retryLine,
	sentFileLine,
	transferLine,
	uploadLine,
} from "./wording.js";

/** The first word on something that goes on comes after this, the next ones at this distance. */
const FIRST_PROGRESS_MS = 2000;
const NEXT_PROGRESS_MS = 5000;

/** A log is read anywhere, so it is laid out for the usual width. */
const COLUMNS = 80;

/**
 * For CI logs: one line an event, no control characters, no colours. Steps look as in BuildKit's plain
 * progress ("#4 [2/3] RUN make", "#4 0.312 text", "#4 DONE 1.2s"), and each line names its step.
 */
export class PlainRenderer implements Renderer {
	readonly #screen: Screen;
	readonly #verbose: boolean;
	readonly #colors = picocolors.createColors(false);
	readonly #steps = new Steps();
	readonly #announced = new Set<Step>();
	/** When the next progress line of an upload, delivery or step is due. */
	readonly #due = new Map<string, number>();

	constructor(screen: Screen, { verbose = false }: RenderOptions) {
		this.#screen = screen;
		this.#verbose = verbose;
	}

	handle(event: BuildEvent): void {
		this.#write(this.#lines(event));
	}

	fail(failure: Failure): void {
		this.close();
		this.#write(failureLines(failure, this.#colors, stderrWidth(this.#screen)));
	}

	close(): void {
		this.#write(this.#steps.all.flatMap((step) => this.#rest(step)));
	}

	#lines(event: BuildEvent): string[] {
		switch (event.type) {
			case "connect":
				return [connectLine(event) + spent(event.status === "done" ? event : {})];
			case "context":
				return [contextLine(event) + spent(event.status === "done" ? event : {})];
			case "reach":
				return [];
			case "upload":
				return this.#upload(event);
			case "sent-file":
				return this.#verbose ? [sentFileLine(event)] : [];
			case "step":
				return this.#step(event);
			case "log":
				return this.#log(event);
			case "deliver":
				return this.#deliver(event);
			case "transfer":
				return [transferLine(event)];
			case "retry":
				return [retryLine(event)];
			case "secrets":
			case "warning":
				return warningLines(event, this.#colors, stderrWidth(this.#screen));
			// It is the result, and goes where results go.
			case "dry-run":
				return [];
			case "done":
				return reportLines(event.report, this.#colors, COLUMNS);
		}
	}

	#upload(event: UploadEvent & PlatformNews): string[] {
		if (event.status === "done") return [uploadLine(event) + spent(event)];
		return this.#isDue(newsKey(event, "upload")) ? [uploadLine(event)] : [];
	}

	#deliver(event: DeliverEvent & PlatformNews): string[] {
		const { layer, detail } = event;
		if (layer !== undefined) {
			// Each says so once that it is complete.
			const complete = ["here", "there", "done"].includes(layer.state);
			return this.#verbose && complete ? [deliverLine(event)] : [];
		}
		const said = this.#verbose && detail !== undefined;
		const due = event.status !== "progress" || this.#isDue(deliveryKey(event)) || said;
		return due ? [deliverLine(event)] : [];
	}

	#step(event: StepEvent): string[] {
		const step = this.#steps.update(event, this.#screen.now());
		const title = this.#announced.has(step) ? [] : [`#${step.number} ${step.name}`];
		this.#announced.add(step);
		return [...title, ...this.#stepNews(step, event)];
	}

	#stepNews(step: Step, event: StepEvent): string[] {
		const prefix = `#${step.number}`;
		switch (event.status) {
			case "started":
			case "waiting":
				return [];
			case "progress":
				return this.#itemIsDue(step, event)
					? [`${prefix} ${printableName(event.item)} ${amount(event.current, event.total)}`]
					: [];
			case "done":
				return this.#end(step, `${prefix} DONE ${formatDuration(event.durationMs)}`);
			case "cached":
				return this.#end(step, `${prefix} CACHED`);
			case "failed":
				return this.#end(step, `${prefix} ERROR: ${printableName(event.error)}`);
			case "canceled":
				return this.#end(step, `${prefix} CANCELED`);
		}
	}

	#end(step: Step, line: string): string[] {
		return [...this.#rest(step), ...(step.isNews ? [line] : [])];
	}

	#itemIsDue(step: Step, event: StepEvent & { readonly status: "progress" }): boolean {
		const complete = event.total > 0 && event.current >= event.total;
		return this.#isDue(`step ${step.number}`) || (this.#verbose && complete);
	}

	#log(event: LogEvent): string[] {
		const { step, lines } = this.#steps.log(event, this.#screen.now());
		return this.#logLines(step, lines);
	}

	/** The line that the step has begun and not ended. */
	#rest(step: Step): string[] {
		return this.#logLines(step, step.log.end());
	}

	#logLines(step: Step, lines: readonly string[]): string[] {
		const since = logTime(this.#screen.now() - step.startedAt);
		return lines.map((line) => `#${step.number} ${since} ${line}`.trimEnd());
	}

	#isDue(key: string): boolean {
		const now = this.#screen.now();
		const due = this.#due.get(key);
		if (due !== undefined && now < due) return false;
		this.#due.set(key, now + (due === undefined ? FIRST_PROGRESS_MS : NEXT_PROGRESS_MS));
		return due !== undefined;
	}

	#write(lines: readonly string[]): void {
		if (lines.length > 0) this.#screen.stderr.write(`${lines.join("\n")}\n`);
	}
}

function deliveryKey(event: DeliverEvent & PlatformNews): string {
	return newsKey(event, `${event.method} ${event.destination}`);
}

function spent({ durationMs }: { readonly durationMs?: number }): string {
	return durationMs === undefined ? "" : ` ${formatDuration(durationMs)}`;
}

/** Seconds since the step began, with as many places as BuildKit's plain progress gives them. */
function logTime(ms: number): string {
	const seconds = Math.max(0, ms) / 1000;
	return seconds.toFixed(seconds < 10 ? 3 : seconds < 100 ? 2 : 1);
}
