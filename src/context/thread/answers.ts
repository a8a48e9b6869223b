import { Settlement } from "./settlement.js";

/** What another thread is asked for, each time anew, and answers in the order in which it is asked. */
export class Answers<Answer> {
	readonly #waiting: Settlement<Answer>[] = [];
	#failure: Error | undefined;

	/**
	 * The next answer. It may fail without anybody waiting for it.
	 *
	 * @param ask sends the question; not called when there are no more answers
	 */
	next(ask: () => void = () => {}): Promise<Answer> {
		const waiting = new Settlement<Answer>();
		if (this.#failure === undefined) {
			this.#waiting.push(waiting);
			ask();
		} else {
			waiting.reject(this.#failure);
		}
		return waiting.promise;
	}

	take(answer: Answer): void {
		this.#waiting.shift()?.resolve(answer);
	}

	/** There are no more answers. The first reason counts. */
	fail(reason: Error): void {
		this.#failure ??= reason;
		for (const waiting of this.#waiting.splice(0)) waiting.reject(this.#failure);
	}
}
