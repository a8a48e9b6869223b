import type { DeliveredLayer } from "../../events.js";
import type { Descriptor } from "../manifest/image-manifest.js";
import { PROGRESS_STEP } from "../progress-step.js";
import type { BlobArrival } from "./blob-push.js";
import type { PushTree } from "./push-tree.js";

/** What is told while an image goes. */
export interface PushNews {
	/** Bytes that were sent so far, and those that have to be, as far as it is known. */
	readonly bytes: number;
	readonly totalBytes: number;
	/** A layer that there is news of. */
	readonly layer?: DeliveredLayer;
	/** Of that layer, for people: "mounted from team/base". */
	readonly detail?: string;
}

/** Adds up what a push sends, and tells of it. */
export class PushTally {
	readonly #layerIds: PushTree["layerIds"];
	readonly #onProgress: (news: PushNews) => void;
	readonly #total: number;
	#sent = 0;
	#reused = 0;
	#told = 0;

	constructor({ blobs, layerIds }: PushTree, onProgress: (news: PushNews) => void) {
		this.#layerIds = layerIds;
		this.#onProgress = onProgress;
		this.#total = blobs.reduce((bytes, { size }) => bytes + size, 0);
	}

	/** Bytes, also those that were sent again. */
	get sent(): number {
		return this.#sent;
	}

	/** Bytes of blobs that the registry had. */
	get reused(): number {
		return this.#reused;
	}

	/** Takes the bytes of one blob as they go. */
	counterOf(blob: Descriptor): (bytes: number) => void {
		let gone = 0;
		return (bytes) => {
			this.#sent += bytes;
			gone += bytes;
			if (this.#sent - this.#told < PROGRESS_STEP) return;
			this.#told = this.#sent;
			this.#tell(blob, "moving", Math.min(gone, blob.size));
		};
	}

	arrived(blob: Descriptor, arrival: BlobArrival): void {
		if (arrival.way === "sent") {
			this.#tell(blob, "done", blob.size);
			return;
		}
		this.#reused += blob.size;
		const detail = arrival.way === "mounted" ? `mounted from ${arrival.from}` : undefined;
		this.#tell(blob, "there", blob.size, detail);
	}

	#tell(
		{ digest, size }: Descriptor,
		state: DeliveredLayer["state"],
		bytes: number,
		detail?: string,
	): void {
		const id = this.#layerIds.get(digest);
		const totalBytes = Math.max(this.#sent, this.#total - this.#reused);
		const layer = id === undefined ? {} : { layer: { id, state, bytes, totalBytes: size } };
		const words = id === undefined || detail === undefined ? {} : { detail };
		this.#onProgress({ bytes: this.#sent, totalBytes, ...layer, ...words });
	}
}
