import type { LogEvent, PlatformNews, StepEvent } from "../events.js";
import { printableName } from "../printable.js";
import { formatDuration } from "./format.js";
import { LogLines } from "./log-lines.js";
import { stepName } from "./platform-names.js";

/** How many lines of its output are remembered of a step. */
export const TAIL_LINES = 6;

/** A part of a step that reports how far it is, such as a layer that is pulled. */
interface StepItem {
	readonly current: number;
	/** 0 when it is not known. */
	readonly total: number;
}

/** What a screen remembers of one step of the build. Times are the screen's, in milliseconds. */
export interface Step {
	/** 1 for the first step that was heard of, as in "#1". */
	readonly number: number;
	name: string;
	/** When it was last seen to start. */
	startedAt: number;
	/** When it last said something. */
	heardAt: number;
	state: "new" | "running" | "waiting" | "over";
	/** How it ended last. */
	end: string | undefined;
	/** Whether that is worth a line: not if it ran again without taking any longer. */
	isNews: boolean;
	readonly log: LogLines;
	/** Its last complete lines of output. */
	tail: readonly string[];
	/** By name, as long as they are not complete. */
	readonly items: Map<string, StepItem>;
}

/** The steps of one run, in the order in which they were heard of. */
export class Steps {
	readonly #steps = new Map<string, Step>();

	get all(): readonly Step[] {
		return [...this.#steps.values()];
	}

	get running(): readonly Step[] {
		return this.all.filter((step) => step.state === "running");
	}

	/** Takes over what the event says of its step. */
	update(event: StepEvent & PlatformNews, now: number): Step {
		const step = this.#get(event.id, now);
		step.name = printableName(stepName(event));
		step.heardAt = now;
		switch (event.status) {
			case "started":
				// BuildKit may run a step in several intervals.
				if (step.state !== "running") step.startedAt = now;
				step.state = "running";
				break;
			case "progress": {
				const item = printableName(event.item);
				if (event.total > 0 && event.current >= event.total) step.items.delete(item);
				else step.items.set(item, { current: event.current, total: event.total });
				break;
			}
			case "waiting":
				step.state = "waiting";
				break;
			default: {
				step.state = "over";
				step.items.clear();
				const end = endOf(event);
				step.isNews = end !== step.end;
				step.end = end;
			}
		}
		return step;
	}

	/** Takes in a piece of output; returns the lines that it completes. */
	log(event: LogEvent, now: number): { readonly step: Step; readonly lines: readonly string[] } {
		const step = this.#get(event.stepId, now);
		const lines = step.log.push(event.text);
		step.heardAt = now;
		step.tail = [...step.tail, ...lines.slice(-TAIL_LINES)].slice(-TAIL_LINES);
		return { step, lines };
	}

	/** A step that was never announced has its id as its name. */
	#get(id: string, now: number): Step {
		const known = this.#steps.get(id);
		if (known !== undefined) return known;
		const step: Step = {
			number: this.#steps.size + 1,
			name: printableName(id),
			startedAt: now,
			heardAt: now,
			state: "new",
			end: undefined,
			isNews: false,
			log: new LogLines(),
			tail: [],
			items: new Map(),
		};
		this.#steps.set(id, step);
		return step;
	}
}

/** As it is shown. */
function endOf(event: StepEvent): string {
	return `${event.status} ${"durationMs" in event ? formatDuration(event.durationMs) : ""}`;
}
