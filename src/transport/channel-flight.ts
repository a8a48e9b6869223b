import type { Duplex } from "node:stream";
import type { ClientChannel } from "ssh2";
import { FlightLimit } from "./flight-limit.js";

/** A server that tells of nothing for so long, in milliseconds, is taken to wait for more. */
const SILENCE_MS = 4_000;

/** The part of ssh2 1.17 that is not in its types; without it, everything may be sent at once. */
interface ChannelInternals {
	readonly outgoing?: { readonly window?: unknown } | undefined;
}

/**
 * What is on its way to the far side of an ssh channel. The server opens its window again by what it
 * has passed on (RFC 4254, 5.2), so what is missing of the window has not arrived, wherever it is.
 */
export class ChannelFlight {
	readonly #channel: ClientChannel;
	readonly #link: Duplex;
	readonly #limit = new FlightLimit();
	#sent = 0;
	#widestWindow = 0;
	#silence: NodeJS.Timeout | undefined;
	#look: (() => void) | undefined;

	/** @param link what carries the channel, and what the server says of its window */
	constructor(channel: ClientChannel, link: Duplex) {
		this.#channel = channel;
		this.#link = link;
	}

	/** How many bytes may be sent now. */
	room(): number {
		const window = this.#window();
		return this.#limit.room(this.#sent, this.#arrived(window), window, performance.now());
	}

	/** So many bytes have been given to the channel. */
	sent(bytes: number): void {
		this.#sent += bytes;
	}

	/** Calls back once there is room, which is not the case now. */
	awaitRoom(proceed: () => void): void {
		// ssh2 has listened for longer, and so has read by then what came.
		this.#look = () => {
			if (this.room() === 0) return;
			this.stopWaiting();
			proceed();
		};
		this.#link.on("data", this.#look);
		this.#watchSilence(this.#arrived(this.#window()));
	}

	stopWaiting(): void {
		clearTimeout(this.#silence);
		if (this.#look !== undefined) this.#link.off("data", this.#look);
		this.#look = undefined;
	}

	#watchSilence(arrived: number): void {
		this.#silence = setTimeout(() => {
			const arrivedNow = this.#arrived(this.#window());
			this.#watchSilence(arrivedNow);
			if (arrivedNow > arrived) return;
			this.#limit.widen();
			this.#look?.();
		}, SILENCE_MS);
	}

	#arrived(window: number): number {
		return window === Number.POSITIVE_INFINITY
			? this.#sent
			: this.#sent - (this.#widestWindow - window);
	}

	#window(): number {
		const window = (this.#channel as ChannelInternals).outgoing?.window;
		if (typeof window !== "number") return Number.POSITIVE_INFINITY;
		this.#widestWindow = Math.max(this.#widestWindow, window);
		return window;
	}
}
