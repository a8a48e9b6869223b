/** How long what is on its way may take to get there, in milliseconds. */
const TARGET_MS = 1_000;

/**
 * What may always be on its way: a second's worth at 1 Mbit/s. OpenSSH tells of what it passed on once
 * it has got more than 96 KiB (channel_check_window), so with less on its way it would never tell.
 */
const LEAST_BYTES = 128 * 1024;

/**
 * How many bytes may be on their way to the far side of a channel, so that a small message behind them
 * gets there soon, however slow the link is: as many as arrive in a second. The buffers of the network
 * would take megabytes, and a health check that waits behind those for ten seconds ends a build.
 *
 * The limit follows from trials: when it is reached, what is on its way then is timed until all of it
 * has arrived.
 */
export class FlightLimit {
	#limit = LEAST_BYTES;
	#least = LEAST_BYTES;
	#trial: { readonly sent: number; readonly arrived: number; readonly since: number } | undefined;

	/**
	 * How many more bytes may be sent.
	 *
	 * @param sent bytes, since the beginning
	 * @param arrived bytes of these that the far side is known to have passed on
	 * @param window bytes that the far side would take at most
	 * @param now milliseconds of a clock that never goes back
	 */
	room(sent: number, arrived: number, window: number, now: number): number {
		if (this.#trial !== undefined && arrived >= this.#trial.sent) {
			const bytesPerMs = (arrived - this.#trial.arrived) / Math.max(now - this.#trial.since, 1);
			this.#limit = Math.max(Math.floor(bytesPerMs * TARGET_MS), this.#least);
			this.#trial = undefined;
		}
		const room = Math.max(0, Math.min(window, this.#limit - (sent - arrived)));
		if (room === 0) this.#trial ??= { sent, arrived, since: now };
		return room;
	}

	/** The far side tells of what arrives in larger steps than the limit lets it see. */
	widen(): void {
		this.#limit *= 2;
		this.#least = this.#limit;
	}
}
