/** The rate is measured over this much of the past, in milliseconds. */
const WINDOW_MS = 3000;

/** How fast something moves, from what has moved so far. */
export class TransferMeter {
	readonly startedAt: number;
	#samples: readonly { readonly at: number; readonly bytes: number }[];

	/** Times in milliseconds. */
	constructor(now: number) {
		this.startedAt = now;
		this.#samples = [{ at: now, bytes: 0 }];
	}

	update(bytes: number, now: number): void {
		// The newest sample that is older than the window is its left edge.
		const edge = this.#samples.findLastIndex(({ at }) => at <= now - WINDOW_MS);
		this.#samples = [...this.#samples.slice(Math.max(0, edge)), { at: now, bytes }];
	}

	/** Bytes a second, or undefined while that cannot be told. */
	rate(now: number): number | undefined {
		const first = this.#samples[0];
		const last = this.#samples.at(-1);
		if (first === undefined || last === undefined) return undefined;
		const ms = now - first.at;
		return ms < 500 ? undefined : ((last.bytes - first.bytes) / ms) * 1000;
	}
}
