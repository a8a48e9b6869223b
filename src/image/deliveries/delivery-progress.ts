import type { DeliverEvent, DeliveredLayer, DeliveryReport, Emit } from "../../events.js";
import type { DaemonLine } from "../daemon-line.js";
import { PROGRESS_STEP } from "../progress-step.js";
import type { RegistryPush } from "../registry/client-push.js";
import type { PushNews } from "../registry/push-tally.js";
import type { ReturnNews } from "../return/image-return.js";

/** How an image came to this machine. */
export interface Arrival {
	/** Bytes that came. */
	readonly bytes: number;
	/** Bytes that were here; undefined for an image that came as a whole. */
	readonly reusedBytes?: number | undefined;
	/** Why it came as a whole. */
	readonly whole?: string | undefined;
}

/** Tells the news of one delivery to this machine, or from here. */
export class DeliveryProgress implements ReturnNews {
	readonly #emit: Emit;
	readonly #event: Pick<DeliverEvent, "type" | "method" | "destination">;
	readonly #startedAt = performance.now();
	#bytes = 0;
	#told = 0;
	#totalBytes: number | undefined;

	constructor(method: DeliverEvent["method"], destination: string, emit: Emit) {
		this.#emit = emit;
		this.#event = { type: "deliver", method, destination };
		emit({ ...this.#event, status: "started", bytes: 0 });
	}

	/**
	 * Why the whole image is sent.
	 * @param totalBytes about, where it is known
	 */
	comesWhole(reason: string, totalBytes: number | undefined): void {
		this.#totalBytes = totalBytes;
		this.#progress({ detail: `the whole image: ${reason}` });
	}

	readonly onBytes = (bytes: number): void => {
		this.#bytes = bytes;
		if (bytes - this.#told < PROGRESS_STEP) return;
		this.#told = bytes;
		this.#progress({});
	};

	readonly onLine = ({ id, status, current, total }: DaemonLine): void => {
		const state = status === undefined ? undefined : stateOf(status);
		if (id === undefined || state === undefined) return;
		this.#progress({ layer: { id, state, bytes: current, totalBytes: total } });
	};

	readonly onSent = (news: PushNews): void => {
		this.#emit({ ...this.#event, status: "progress", ...news });
	};

	/** The end of a push from here. */
	sent(
		{ bytes, digest }: RegistryPush,
		arrival: Pick<DeliveryReport, "bytes" | "reusedBytes" | "whole">,
	): DeliveryReport {
		const { whole } = arrival;
		const detail = whole === undefined ? {} : { detail: `the whole image: ${whole}` };
		this.#emit({ ...this.#event, status: "done", bytes, ...detail });
		const { method, destination } = this.#event;
		const durationMs = performance.now() - this.#startedAt;
		return { method, destination, ...arrival, sentBytes: bytes, digest, durationMs };
	}

	done({ bytes, reusedBytes, whole }: Arrival): DeliveryReport {
		const reused = reusedBytes === undefined ? {} : { reusedBytes };
		const detail = whole === undefined ? {} : { detail: `the whole image: ${whole}` };
		this.#emit({ ...this.#event, status: "done", bytes, ...reused, ...detail });
		const { method, destination } = this.#event;
		const durationMs = performance.now() - this.#startedAt;
		return { method, destination, bytes, ...reused, ...(whole ? { whole } : {}), durationMs };
	}

	#progress(news: Pick<DeliverEvent, "detail" | "layer">): void {
		const bytes = this.#bytes;
		// An archive has a little more than its files.
		const total = this.#totalBytes && { totalBytes: Math.max(this.#totalBytes, bytes) };
		this.#emit({ ...this.#event, status: "progress", bytes, ...total, ...news });
	}
}

/** The words of a push, in dockerd's graph drivers, its containerd store and Podman. */
function stateOf(status: string): DeliveredLayer["state"] | undefined {
	if (/^(?:Preparing|Waiting)$/.test(status)) return "waiting";
	if (/^Pushing/.test(status)) return "moving";
	if (/already exists|^Mounted from/i.test(status)) return "here";
	return status === "Pushed" ? "done" : undefined;
}
