import { setTimeout } from "node:timers/promises";
import { closeAll } from "../../closing.js";
import { connectEngine } from "../../engine/connect-engine.js";
import type { Engine, EngineQuestions } from "../../engine/engine.js";
import { ConnectionError, type ConnectionFailure } from "../../errors.js";
import type { Run } from "../../events.js";
import { interrupted } from "../../interruption.js";
import { formatTarget } from "../../target/parse-target.js";
import type { ChosenTarget } from "../../target/target.js";
import { openTransport, type TransportSettings } from "../../transport/open-transport.js";
import type { Transport, WireCounts } from "../../transport/transport.js";
import type { OpenedBox } from "./opened-box.js";

/** Where a connection leads to. */
export interface BoxPlace {
	readonly chosen: ChosenTarget;
	/** Of that target. */
	readonly settings: TransportSettings;
	/** One that is there already. */
	readonly opened?: OpenedBox | undefined;
}

export interface BoxConnectionOptions extends BoxPlace {
	/** Where to go instead, should it not be reached at first. */
	readonly another?: (() => Promise<BoxPlace>) | undefined;
	/** How often a connection that was lost is made anew. */
	readonly retries: number;
	/** Called while the other side is waited for, and when the daemon can be asked. */
	readonly whileWaiting?: () => void;
	readonly whileGreeting?: (questions: EngineQuestions) => void;
	/** Milliseconds before the first retry, the second and so on; the last counts for all others. */
	readonly delaysMs?: readonly number[];
}

const DELAYS_MS = [1_000, 5_000];

/** What may be over in a moment: a machine or a daemon that starts again, a network that changes. */
const PASSING: ReadonlySet<ConnectionFailure> = new Set([
	...(["lost", "timed-out", "unreachable", "refused", "unresolved"] as const),
	...(["socket-missing", "protocol", "busy"] as const),
]);

/** The connection to the daemon that builds, for as long as a run needs it. */
export class BoxConnection implements AsyncDisposable {
	/** How often it was lost and made anew. */
	retries = 0;
	readonly #options: BoxConnectionOptions;
	readonly #run: Run;
	#place: BoxPlace;
	#another: BoxConnectionOptions["another"];
	#transport: Transport | undefined;
	#engine: Engine | undefined;
	#lastWire: WireCounts = { sent: 0, received: 0 };

	constructor(options: BoxConnectionOptions, run: Run) {
		this.#options = options;
		this.#run = run;
		this.#place = options;
		this.#another = options.another;
	}

	/** Where it leads to, and why there. */
	get chosen(): ChosenTarget {
		return this.#place.chosen;
	}

	/** All connections together. */
	get wire(): WireCounts {
		return sum(this.#lastWire, this.#transport?.wire);
	}

	/**
	 * Connects again if the connection is lost before the daemon has answered, or the server has too many others at
	 * the moment. Any other attempt that does not come as far as a connection is not repeated.
	 *
	 * @throws ConnectionError, EngineError, UsageError, InterruptedError
	 */
	async open(): Promise<Engine> {
		for (;;) {
			try {
				this.#engine = await this.#connect();
				this.#another = undefined;
				return this.#engine;
			} catch (error) {
				if (!(error instanceof ConnectionError)) throw error;
				const another = this.#another;
				this.#another = undefined;
				if (another !== undefined) {
					await this[Symbol.asyncDispose]();
					this.#place = await another();
				} else {
					const isBusy = error.failure === "busy";
					if (!(isLoss(error) || isBusy) || !this.#mayTryAgain(error)) throw error;
					await this.#pause(error);
				}
			}
		}
	}

	/**
	 * Does something with the daemon, and does it again, from its beginning, after the connection was lost
	 * and made anew.
	 *
	 * @param once set for what cannot be done again after it has begun
	 * @throws what the work throws; what open() throws
	 */
	async keep<Result>(work: (engine: Engine) => Promise<Result>, once = false): Promise<Result> {
		for (;;) {
			try {
				return await work(this.#engine ?? (await this.open()));
			} catch (error) {
				if (!this.#mayTryAgain(error) || (once && this.#engine !== undefined)) throw error;
				await this.#pause(error);
			}
		}
	}

	async [Symbol.asyncDispose](): Promise<void> {
		const [engine, transport] = [this.#engine, this.#transport];
		this.#engine = undefined;
		try {
			await closeAll([engine, transport]);
		} finally {
			this.#lastWire = this.wire;
			this.#transport = undefined;
		}
	}

	async #connect(): Promise<Engine> {
		const { whileWaiting, whileGreeting } = this.#options;
		const { chosen, settings } = this.#place;
		const opened = this.#place.opened?.take();
		const { emit, signal } = this.#run;
		const target = this.#target;
		const startedAt = performance.now();
		emit({ type: "connect", status: "started", target, chosenBy: chosen.chosenBy });
		for (const event of opened?.news ?? []) emit(event);
		if (opened !== undefined) whileWaiting?.();
		this.#transport =
			opened?.transport ?? (await openTransport(chosen, settings, signal, emit, whileWaiting));
		if (opened !== undefined) whileGreeting?.(opened.engine);
		const engine = opened?.engine ?? (await connectEngine(this.#transport, signal, whileGreeting));
		emit({
			type: "connect",
			status: "done",
			target,
			engine: engine.facts,
			route: this.#transport.route,
			durationMs: performance.now() - startedAt,
		});
		return engine;
	}

	get #target(): string {
		return formatTarget(this.#place.chosen.target);
	}

	#mayTryAgain(error: unknown): error is ConnectionError {
		if (!(error instanceof ConnectionError) || this.#run.signal.aborted) return false;
		// While there is a connection, only its loss is a reason for another one.
		const passes = this.#engine === undefined ? PASSING.has(error.failure) : isLoss(error);
		return passes && this.retries < this.#options.retries;
	}

	async #pause({ message }: ConnectionError): Promise<void> {
		const { delaysMs = DELAYS_MS } = this.#options;
		const delayMs = delaysMs[this.retries] ?? delaysMs.at(-1) ?? 0;
		this.retries += 1;
		this.#run.emit({
			type: "retry",
			target: this.#target,
			reason: message,
			attempt: this.retries,
			retries: this.#options.retries,
			delayMs,
		});
		await this[Symbol.asyncDispose]();
		const { signal } = this.#run;
		await setTimeout(delayMs, undefined, { signal }).catch(() => {
			throw interrupted(signal);
		});
	}
}

function isLoss({ failure }: ConnectionError): boolean {
	return failure === "lost";
}

function sum(one: WireCounts, other: WireCounts = { sent: 0, received: 0 }): WireCounts {
	return { sent: one.sent + other.sent, received: one.received + other.received };
}
