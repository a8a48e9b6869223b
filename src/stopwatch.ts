/** Durations of the phases of a run, in milliseconds. Phases may overlap. */
export class Stopwatch<Phase extends string> {
	readonly #startedAt = performance.now();
	readonly #spent = new Map<Phase, number>();

	/** Times a piece of work; what a failed one took counts too. */
	async time<Result>(phase: Phase, work: () => Promise<Result>): Promise<Result> {
		const from = performance.now();
		try {
			return await work();
		} finally {
			this.add(phase, performance.now() - from);
		}
	}

	add(phase: Phase, durationMs: number): void {
		this.#spent.set(phase, this.spent(phase) + durationMs);
	}

	spent(phase: Phase): number {
		return this.#spent.get(phase) ?? 0;
	}

	get total(): number {
		return performance.now() - this.#startedAt;
	}
}
