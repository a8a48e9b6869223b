import type { Engine } from "../../engine/engine.js";
import type { StoredImage } from "../../engine/images.js";
import type { Run } from "../../events.js";
import type { BlobCache } from "../cache/blob-cache.js";
import { CacheFailure } from "../cache/cache-failure.js";
import { pruneCache } from "../cache/cache-pruning.js";
import {
	blobsOf,
	type CachedImage,
	readCachedImage,
	recordedImage,
	recordImage,
} from "../cache/cached-image.js";
import type { DaemonLine } from "../daemon-line.js";
import type { BuiltImage } from "../delivery.js";
import { asDigest, type Digest, isDigest } from "../manifest/digest.js";
import type { Descriptor } from "../manifest/image-manifest.js";
import { ClaimedTooMuch, type ExpectedImage } from "../reverse/push-contents.js";
import { PushNames } from "../reverse/push-names.js";
import { NoReversePush, reversePush } from "../reverse/reverse-push.js";
import { imageOnBox } from "./image-on-box.js";

/** An image that is in the cache, apart from layers that were not wanted. */
export interface ReturnedImage {
	readonly image: CachedImage;
	/** Bytes of layers and all else that came for it. */
	readonly received: number;
	/** Bytes of its layers that were here already, as far as their size is known. */
	readonly reused: number;
}

/** What is told while an image comes. */
export interface ReturnNews {
	/** Bytes so far. */
	readonly onBytes: (bytes: number) => void;
	readonly onLine: (line: DaemonLine) => void;
}

/** A cache, and what it may grow to. */
export interface ReturnCache {
	readonly blobs: BlobCache;
	/** Bytes. */
	readonly limit: number;
}

/** Brings images from daemons into a cache. */
export interface ImageSource {
	readonly cache: BlobCache;
	/**
	 * @param unwanted layers that may be left out, by the digests of their uncompressed content
	 * @throws NoReversePush where the daemon can only send the image as a whole; DeliveryError for what
	 * is not the image; ConnectionError; InterruptedError
	 */
	bring(
		engine: Engine,
		image: BuiltImage,
		unwanted: ReadonlySet<Digest>,
		news: ReturnNews,
		run: Run,
	): Promise<ReturnedImage>;
}

/** Has one daemon push its images to this side, each layer once, also where the connection to it is made anew. */
export class ImageReturn implements ImageSource {
	readonly cache: BlobCache;
	readonly #limit: number;
	readonly #names = new PushNames();
	/** Why it cannot be had, which does not change within a run. */
	#refusal: NoReversePush | undefined;

	constructor({ blobs, limit }: ReturnCache) {
		this.cache = blobs;
		this.#limit = limit;
	}

	async bring(
		engine: Engine,
		image: BuiltImage,
		unwanted: ReadonlySet<Digest>,
		news: ReturnNews,
		run: Run,
	): Promise<ReturnedImage> {
		if (this.#refusal !== undefined) throw this.#refusal;
		try {
			return await this.#bring(engine, image, unwanted, news, run);
		} catch (error) {
			// A full disk here need not be that of what is saved.
			const refusal =
				error instanceof CacheFailure ? new NoReversePush(error.message, { cause: error }) : error;
			if (refusal instanceof NoReversePush) this.#refusal = refusal;
			throw refusal;
		} finally {
			// Also where nothing had to be pushed any more.
			await this.#names.removeLeft(engine);
		}
	}

	async #bring(
		engine: Engine,
		image: BuiltImage,
		unwanted: ReadonlySet<Digest>,
		{ onBytes, onLine }: ReturnNews,
		run: Run,
	): Promise<ReturnedImage> {
		const stored = await imageOnBox(engine, image, run.signal);
		const id = asDigest(stored.id, "the image id");
		const known = await this.#known(id, unwanted, run.signal);
		if (known !== undefined) return { image: known, received: 0, reused: sum(known.layers) };
		if (image.tags.length === 0 && !image.mayGo) {
			throw new NoReversePush("a daemon pushes no image without a name");
		}
		const expected = expectedImage(stored, id, unwanted);
		const push = { engine, image: id, cache: this.cache, names: this.#names, onBytes, onLine };
		const { root, received, claimed } = await reversePush({ ...push, expected }, run).catch(
			(error: unknown) => {
				if (!(error instanceof ClaimedTooMuch)) throw error;
				return reversePush({ ...push, expected: { ...expected, missing: error.digests } }, run);
			},
		);
		const returned = await readCachedImage(this.cache, root);
		if (returned === undefined) throw new NoReversePush("the image cache was emptied meanwhile");
		if (claimed.size === 0) await recordImage(this.cache, id, root).catch(() => {});
		await pruneCache(this.cache, this.#limit).catch(() => {});
		const here = returned.layers.filter(({ digest }) => !claimed.has(digest));
		const reused = Math.max(0, sum(here) - received);
		return { image: returned, received, reused };
	}

	/** An image of which everything that is wanted came before, and is undamaged. */
	async #known(
		id: Digest,
		unwanted: ReadonlySet<Digest>,
		signal: AbortSignal,
	): Promise<CachedImage | undefined> {
		const root = await recordedImage(this.cache, id);
		const image = root && (await readCachedImage(this.cache, root));
		if (image === undefined) return undefined;
		const spared = new Set(
			image.layers.filter(({ diffId }) => unwanted.has(diffId)).map(({ digest }) => digest),
		);
		for (const { digest } of blobsOf(image)) {
			if (spared.has(digest)) continue;
			if ((await this.cache.use(digest, signal)) === undefined) return undefined;
		}
		return image;
	}
}

function expectedImage(
	{ layers, size, isInGraphDriver }: StoredImage,
	id: Digest,
	unwanted: ReadonlySet<Digest>,
): ExpectedImage {
	return {
		diffIds: layers.filter(isDigest),
		config: isInGraphDriver ? id : undefined,
		size,
		unwanted,
		missing: new Set(),
	};
}

function sum(descriptors: readonly Descriptor[]): number {
	return descriptors.reduce((bytes, { size }) => bytes + size, 0);
}
