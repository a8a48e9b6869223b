import { InterruptedError } from "../../errors.js";

interface SessionPlace {
	/** Gives the place back; calling it again does nothing. */
	leave(): void;
	/**
	 * Gives the place up because the server did not grant it: there are only as many as others hold, but
	 * one at least.
	 * @returns how many others there are.
	 */
	refused(): number;
}

/** Lets a limited number in at a time; the others wait in the order in which they came. */
export class SessionGate {
	#free: number;
	#taken = 0;
	readonly #waiting: (() => void)[] = [];

	constructor(places: number) {
		this.#free = places;
	}

	get isFull(): boolean {
		return this.#free === 0;
	}

	/** @throws InterruptedError */
	async enter(signal: AbortSignal): Promise<SessionPlace> {
		if (signal.aborted) {
			throw new InterruptedError("interrupted while waiting for an ssh session");
		}
		if (this.#free > 0) {
			this.#free--;
			this.#taken++;
		} else {
			await this.#turn(signal);
		}
		let left = false;
		const leave = () => {
			if (!left) {
				left = true;
				this.#leave();
			}
		};
		const refused = () => {
			const others = this.#taken - 1;
			if (others === 0) {
				leave();
				return 0;
			}
			left = true;
			this.#taken--;
			this.#free = 0;
			return others;
		};
		return { leave, refused };
	}

	#leave(): void {
		const next = this.#waiting.shift();
		if (next === undefined) {
			this.#free++;
			this.#taken--;
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
