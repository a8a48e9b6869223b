import picocolors from "picocolors";
import type {
	BuildEvent,
	ConnectEvent,
	ContextEvent,
	DeliverEvent,
	LogEvent,
	PlatformNews,
	StepEvent,
	UploadEvent,
} from "../events.js";
import { printableName } from "../printable.js";
import { failureLines, warningLines } from "./failure.js";
import { formatDuration } from "./format.js";
import { type LiveLine, LiveRegion } from "./live/live-region.js";
import { liveSteps, stepTitle, timedLine, timedLines } from "./live/live-steps.js";
import { LiveTransfers } from "./live/live-transfers.js";
import type { LiveTransfer } from "./live/progress-bar.js";
import { isAbout, newsKey, ofPlatform } from "./platform-names.js";
import type { Failure, Renderer, RenderOptions } from "./renderer.js";
import { reportLines } from "./report.js";
import { type Screen, stderrWidth } from "./screen.js";
import { type Step, Steps } from "./steps.js";
import {
	connectLine,
	contextLine,
	deliverLine,
	deliveryName,
	retryLine,
	sentFileLine,
	transferLine,
	uploadLine,
} from "./wording.js";

const FRAME_MS = 100;

/**
 * For people at a terminal. What is over becomes a line of the scrollback; what goes on is redrawn below
 * it: a headline, the bars of uploads and deliveries, and the running steps with the end of their output.
 * Events only change what is remembered and a timer draws, so a flood of output costs few frames.
 */
export class TtyRenderer implements Renderer {
	readonly #screen: Screen;
	readonly #verbose: boolean;
	readonly #activity: string;
	readonly #colors: ReturnType<typeof picocolors.createColors>;
	readonly #region: LiveRegion;
	readonly #startedAt: number;
	readonly #steps = new Steps();
	/** What goes on beside steps and transfers, by the keys of its news. */
	readonly #tasks = new Map<string, { readonly text: string; readonly startedAt: number }>();
	readonly #transfers = new LiveTransfers();
	#targets: readonly string[] = [];
	#timer: NodeJS.Timeout | undefined;
	#over = false;
	#paused = false;

	constructor(screen: Screen, { verbose = false, activity = "Building" }: RenderOptions) {
		this.#screen = screen;
		this.#verbose = verbose;
		this.#activity = activity;
		this.#colors = picocolors.createColors(screen.color);
		this.#region = new LiveRegion(screen);
		this.#startedAt = screen.now();
	}

	handle(event: BuildEvent): void {
		switch (event.type) {
			case "connect":
				this.#connect(event);
				this.#task(event, connectLine(event));
				break;
			case "context":
				this.#task(event, contextLine(event));
				break;
			case "upload":
				this.#upload(event);
				break;
			case "sent-file":
				if (this.#verbose) this.#region.print(this.#colors.dim(sentFileLine(event)));
				break;
			case "step":
				this.#step(event);
				break;
			case "log":
				this.#log(event);
				break;
			case "deliver":
				this.#deliver(event);
				break;
			case "transfer":
				this.#printNews(transferLine(event), undefined);
				break;
			case "retry":
				for (const key of this.#tasks.keys()) {
					if (isAbout(key, event.platform)) this.#tasks.delete(key);
				}
				this.#transfers.forget(event.platform);
				this.#region.print(this.#colors.yellow(retryLine(event)));
				break;
			case "secrets":
			case "warning":
				for (const line of warningLines(event, this.#colors, stderrWidth(this.#screen))) {
					this.#region.print(line);
				}
				break;
			// It is the result, and goes where results go: nothing may be redrawn after it.
			case "dry-run":
				this.#finish([]);
				break;
			case "done":
				this.#finish(["", ...reportLines(event.report, this.#colors, this.#region.width)]);
		}
		if (this.#over) this.#draw();
		else this.#timer ??= setInterval(() => this.#draw(), FRAME_MS).unref();
	}

	fail(failure: Failure): void {
		this.#finish(failureLines(failure, this.#colors, stderrWidth(this.#screen)));
	}

	pause(): Disposable {
		this.#region.draw([]);
		this.#paused = true;
		return {
			[Symbol.dispose]: () => {
				this.#paused = false;
				this.#draw();
			},
		};
	}

	close(): void {
		this.#finish([]);
	}

	/** Of several platforms, each has a box. */
	#connect({ platform, target }: ConnectEvent & PlatformNews): void {
		const others = platform === undefined ? [] : this.#targets;
		this.#targets = [...new Set([...others, printableName(target)])];
	}

	#task(event: (ConnectEvent | ContextEvent) & PlatformNews, text: string): void {
		const key = newsKey(event, event.type);
		if (event.status === "started") {
			this.#tasks.set(key, { text, startedAt: this.#screen.now() });
		} else {
			this.#tasks.delete(key);
			this.#printNews(text, event.durationMs);
		}
	}

	#upload(event: UploadEvent & PlatformNews): void {
		const key = newsKey(event, "upload");
		if (event.status === "done") {
			this.#transfers.end(key);
			this.#printNews(uploadLine(event), event.durationMs);
		} else {
			const label = ofPlatform(event, "uploading");
			this.#transfers.update(key, { label, ...sizes(event) }, this.#screen.now());
		}
	}

	#deliver(event: DeliverEvent & PlatformNews): void {
		const { method, destination, layer, detail } = event;
		const key = newsKey(event, `${method} ${destination}`);
		const now = this.#screen.now();
		if (event.status === "done") {
			const startedAt = this.#transfers.end(key);
			const spent = startedAt === undefined ? undefined : now - startedAt;
			this.#printNews(deliverLine(event), spent);
			return;
		}
		if (layer !== undefined) this.#transfers.layer(key, layer);
		const label = ofPlatform(event, deliveryName(method, destination, "doing"));
		const said = detail === undefined ? undefined : printableName(detail);
		this.#transfers.update(key, { label, detail: said, ...sizes(event) }, now);
	}

	#step(event: StepEvent): void {
		const step = this.#steps.update(event, this.#screen.now());
		if (step.state !== "over") return;
		this.#printLog(step, step.log.end());
		if (!step.isNews) return;
		const title = stepTitle(step);
		if (event.status === "done") {
			this.#printFinished(title, event.durationMs);
		} else if (event.status === "failed") {
			this.#printFinished(`ERROR ${title}`, event.durationMs, this.#colors.red);
		} else if (event.status === "cached") {
			this.#printFinished(`CACHED ${title}`, undefined);
		} else {
			this.#printFinished(`CANCELED ${title}`, undefined, this.#colors.yellow);
		}
	}

	#log(event: LogEvent): void {
		const { step, lines } = this.#steps.log(event, this.#screen.now());
		this.#printLog(step, lines);
	}

	#printLog(step: Step, lines: readonly string[]): void {
		if (!this.#verbose) return;
		const prefix = this.#colors.dim(/^\[[^\]]*\]/.exec(step.name)?.[0] ?? `#${step.number}`);
		for (const line of lines) this.#region.print(`${prefix} ${line}`);
	}

	/** It is there once, and nobody can ask for the rest of it: nothing is cut off. */
	#printNews(text: string, durationMs: number | undefined): void {
		for (const line of timedLines(text, durationMs, this.#region.width)) {
			this.#region.print(this.#colors.cyan(line));
		}
	}

	#printFinished(text: string, durationMs: number | undefined, paint = this.#colors.cyan): void {
		this.#region.print(paint(timedLine(text, durationMs, this.#region.width)));
	}

	#finish(lines: readonly string[]): void {
		clearInterval(this.#timer);
		this.#over = true;
		for (const line of lines) this.#region.print(line);
		this.#draw();
	}

	#draw(): void {
		if (this.#paused) return;
		this.#region.draw(this.#over ? [] : this.#liveLines());
	}

	#liveLines(): LiveLine[] {
		const now = this.#screen.now();
		const { width, height } = this.#region;
		const lines: LiveLine[] = [{ text: this.#headline(now), paint: this.#colors.bold }];
		for (const { text, startedAt } of this.#tasks.values()) {
			lines.push({ text: timedLine(text, now - startedAt, width) });
		}
		lines.push(...this.#transfers.lines(width, now, this.#colors.green));
		const room = height - lines.length;
		return [...lines, ...liveSteps(this.#steps.running, { width, room, now }, this.#colors.dim)];
	}

	#headline(now: number): string {
		const known = this.#steps.all;
		const over = known.filter(({ state }) => state === "over").length;
		const where = this.#targets.length === 0 ? "" : ` on ${this.#targets.join(", ")}`;
		const steps = known.length === 0 ? "" : ` (${over}/${known.length})`;
		return `[+] ${this.#activity}${where} ${formatDuration(now - this.#startedAt)}${steps}`;
	}
}

function sizes(event: UploadEvent | DeliverEvent): Pick<LiveTransfer, "bytes" | "totalBytes"> {
	return { bytes: event.bytes, totalBytes: event.totalBytes };
}
