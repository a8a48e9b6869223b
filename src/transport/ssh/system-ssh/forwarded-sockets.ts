import { connectInterrupted } from "../../connect-socket.js";

/**
 * The sockets of a box that are forwarded to this machine, each of them once for all who ask: who gives up
 * leaves it to the others, and what has failed is tried again by the next one.
 */
export class ForwardedSockets {
	readonly #forward: (socketPath: string) => Promise<string>;
	readonly #place: string;
	readonly #forwarded = new Map<string, Promise<string>>();

	/**
	 * @param place for messages
	 * @param forward gives the path on this machine
	 */
	constructor(place: string, forward: (socketPath: string) => Promise<string>) {
		this.#place = place;
		this.#forward = forward;
	}

	/**
	 * @returns the path on this machine
	 * @throws InterruptedError; what `forward` throws
	 */
	find(socketPath: string, signal: AbortSignal): Promise<string> {
		return new Promise((resolve, reject) => {
			const giveUp = () => reject(connectInterrupted(this.#place));
			if (signal.aborted) {
				giveUp();
				return;
			}
			signal.addEventListener("abort", giveUp);
			this.#begun(socketPath)
				.then(resolve, reject)
				.finally(() => signal.removeEventListener("abort", giveUp));
		});
	}

	#begun(socketPath: string): Promise<string> {
		const begun = this.#forwarded.get(socketPath);
		if (begun !== undefined) return begun;
		const forwarding = this.#forward(socketPath);
		this.#forwarded.set(socketPath, forwarding);
		forwarding.catch(() => this.#forwarded.delete(socketPath));
		return forwarding;
	}
}
