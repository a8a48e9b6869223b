import picocolors from "picocolors";
import type {
	BuildEvent,
	DeliverEvent,
	DeliveredLayer,
	LogEvent,
	StepEvent,
	UploadEvent,
} from "../events.js";
import { failureLines, warningLines } from "./failure.js";
import { formatDuration } from "./format.js";
import { layerLines } from "./live-layers.js";
import { type LiveLine, LiveRegion } from "./live-region.js";
import { liveSteps, stepTitle, timedLine } from "./live-steps.js";
import { printableName } from "./printable.js";
import { progressBar, type Transfer } from "./progress-bar.js";
import type { Failure, Renderer, RenderOptions } from "./renderer.js";
import { reportLines } from "./report.js";
import type { Screen } from "./screen.js";
import { type Step, Steps } from "./steps.js";
import { TransferMeter } from "./transfer-meter.js";
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
	/** What goes on beside steps and transfers, by event type. */
	readonly #tasks = new Map<string, { readonly text: string; readonly startedAt: number }>();
	readonly #transfers = new Map<string, Transfer>();
	/** Of images that are brought here, by transfer and layer. */
	readonly #layers = new Map<string, Map<string, DeliveredLayer>>();
	#target = "";
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
				this.#target = printableName(event.target);
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
				this.#printFinished(transferLine(event), undefined);
				break;
			case "retry":
				this.#tasks.clear();
				this.#transfers.clear();
				this.#layers.clear();
				this.#region.print(this.#colors.yellow(retryLine(event)));
				break;
			case "secrets":
			case "warning":
				for (const line of warningLines(event, this.#colors)) this.#region.print(line);
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
		this.#finish(failureLines(failure, this.#colors));
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

	#task(
		event: {
			readonly type: string;
			readonly status: "started" | "done";
			readonly durationMs?: number;
		},
		text: string,
	): void {
		if (event.status === "started") {
			this.#tasks.set(event.type, { text, startedAt: this.#screen.now() });
		} else {
			this.#tasks.delete(event.type);
			this.#printFinished(text, event.durationMs);
		}
	}

	#upload(event: UploadEvent): void {
		if (event.status === "done") {
			this.#transfers.delete("upload");
			this.#printFinished(uploadLine(event), event.durationMs);
		} else {
			this.#transfer("upload", { label: "uploading", ...sizes(event) });
		}
	}

	#deliver(event: DeliverEvent): void {
		const key = `${event.method} ${event.destination}`;
		if (event.status === "done") {
			const startedAt = this.#transfers.get(key)?.meter.startedAt;
			this.#transfers.delete(key);
			this.#layers.delete(key);
			const spent = startedAt === undefined ? undefined : this.#screen.now() - startedAt;
			this.#printFinished(deliverLine(event), spent);
		} else {
			if (event.layer !== undefined) this.#layer(key, event.layer);
			const label = deliveryName(event.method, event.destination, false);
			const isOfAll = event.detail !== undefined && event.layer === undefined;
			const detail = isOfAll ? printableName(event.detail) : undefined;
			this.#transfer(key, { label, detail, ...sizes(event) });
		}
	}

	/** Those that are on their way have a line of their own. */
	#layer(key: string, layer: DeliveredLayer): void {
		const layers = this.#layers.get(key) ?? new Map<string, DeliveredLayer>();
		this.#layers.set(key, layers.set(layer.id, layer));
	}

	#transfer(key: string, transfer: Omit<Transfer, "meter">): void {
		const now = this.#screen.now();
		const meter = this.#transfers.get(key)?.meter ?? new TransferMeter(now);
		meter.update(transfer.bytes, now);
		this.#transfers.set(key, { ...transfer, meter });
	}

	#step(event: StepEvent): void {
		const step = this.#steps.update(event, this.#screen.now());
		if (step.state !== "over") return;
		this.#printLog(step, step.log.end());
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
		for (const [key, transfer] of this.#transfers) {
			lines.push({
				text: ` => ${progressBar(transfer, width - 4, now)}`,
				paint: this.#colors.green,
			});
			lines.push(...layerLines([...(this.#layers.get(key)?.values() ?? [])], width, now));
		}
		const room = height - lines.length;
		return [...lines, ...liveSteps(this.#steps.running, { width, room, now }, this.#colors.dim)];
	}

	#headline(now: number): string {
		const known = this.#steps.all;
		const over = known.filter(({ state }) => state === "over").length;
		const where = this.#target === "" ? "" : ` on ${this.#target}`;
		const steps = known.length === 0 ? "" : ` (${over}/${known.length})`;
		return `[+] ${this.#activity}${where} ${formatDuration(now - this.#startedAt)}${steps}`;
	}
}

function sizes(event: UploadEvent | DeliverEvent): Pick<Transfer, "bytes" | "totalBytes"> {
	return { bytes: event.bytes, totalBytes: event.totalBytes };
}
