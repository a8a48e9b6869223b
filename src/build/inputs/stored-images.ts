import type { EngineQuestions } from "../../engine/engine.js";
import { inspectImage, type StoredImage } from "../../engine/images.js";

/** What the daemon has of the images that a build starts from. Each is asked for once. */
export class StoredImages {
	readonly #signal: AbortSignal;
	readonly #asked = new Map<string, Promise<StoredImage | undefined>>();

	constructor(signal: AbortSignal) {
		this.#signal = signal;
	}

	/** @returns undefined for an image that the daemon has not got, or says nothing of */
	find(questions: EngineQuestions, reference: string): Promise<StoredImage | undefined> {
		const asked =
			this.#asked.get(reference) ??
			inspectImage(questions, reference, this.#signal).catch(() => undefined);
		this.#asked.set(reference, asked);
		return asked;
	}
}
