import { InterruptedError } from "../../errors.js";

/** Lets a limited number in at a time; the others wait in the order in which they came. */
export class SessionGate {
	#free: number;
	readonly #waiting: (() => void)[] = [];

	constructor(places: number) {
		this.#free = places;
	}

	/**
	 * @returns a function that gives the place back; calling it again does nothing.
	 * @throws InterruptedError
	 */
	async enter(signal: AbortSignal): Promise<() => void> {
		if (signal.aborted) {
			throw new InterruptedError("interrupted while waiting for an ssh session");
		}
		if (this.#free > 0) {
			this.#free--;
		} else {
			await this.#turn(signal);
		}
		let left = false;
		return () => {
			if (!left) {
				left = true;
				this.#leave();
			}
		};
	}

	#leave(): void {
		const next = this.#waiting.shift();
		if (next === undefined) {
			this.#free++;
		} else {
			next();
		}
	}

	#turn(signal: AbortSignal): Promise<void> {
		return new Promise((resolve, reject) => {
			const admit = () => {
				signal.removeEventListener("abort", onAbort);
				resolve();
			};
			const onAbort = () => {
				this.#waiting.splice(this.#waiting.indexOf(admit), 1);
				reject(new InterruptedError("interrupted while waiting for an ssh session"));
			};
			this.#waiting.push(admit);
			signal.addEventListener("abort", onAbort, { once: true });
		});
	}
}
