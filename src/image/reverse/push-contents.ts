import { DeliveryError } from "../../errors.js";
import type { BlobCache } from "../cache/blob-cache.js";
import type { IncomingBlob } from "../cache/incoming-blob.js";
import { type Digest, digestOf } from "../manifest/digest.js";
import {
	type Descriptor,
	diffIdsOf,
	isAttestation,
	isManifestType,
	MANIFEST_LIMIT,
	parseManifest,
} from "../manifest/image-manifest.js";

/** What is known of an image before it is pushed. */
export interface ExpectedImage {
	/** The digests of its uncompressed layers, from the bottom. */
	readonly diffIds: readonly Digest[];
	/** The digest of its configuration, where the daemon's image id is that. */
	readonly config: Digest | undefined;
	/** Bytes, uncompressed, as the daemon counts them; 0 where it does not. */
	readonly size: number;
	/** Layers that are not wanted, by the digests of their uncompressed content. */
	readonly unwanted: ReadonlySet<Digest>;
	/** Blobs that a daemon was told are here, and are not. */
	readonly missing: ReadonlySet<Digest>;
}

/** What a push has brought. */
export interface PushedImage {
	/** What the pushed tag stands for. */
	readonly root: Descriptor;
	/** Bytes that came. */
	readonly received: number;
	/** What was said to be here, and is not: unwanted layers, which the manifest has with a wrong size. */
	readonly claimed: ReadonlySet<Digest>;
}

/**
 * The manifest needs layers that the daemon was told are here, on the guess that nobody wants them: the push has
 * to be made again, with these as `missing`.
 */
export class ClaimedTooMuch extends Error {
	readonly digests: ReadonlySet<Digest>;

	constructor(digests: ReadonlySet<Digest>) {
		super("blobs were claimed that are not here");
		this.digests = digests;
	}
}

/** Room for what the daemon's size of an image does not count: headers of tars, attestations. */
const SIZE_FACTOR = 2;
const SIZE_SLACK = 64 * 1024 * 1024;
/** Where the daemon tells no size. */
const LARGEST = 64 * 1024 * 1024 * 1024;
/** Manifests of attestations, and an index, beside the image's. */
const MOST_MANIFESTS = 64;

/** What one push may bring, and has brought: the blobs and manifests of one image, and no more. */
export class PushContents {
	readonly #cache: BlobCache;
	readonly #expected: ExpectedImage;
	readonly #signal: AbortSignal;
	readonly #limit: number;
	/** Sizes of what is here: came, or was found in the cache. */
	readonly #here = new Map<Digest, number>();
	/** What was said to be here, and is not. */
	readonly #claimed = new Set<Digest>();
	readonly #manifests = new Map<Digest, Buffer>();
	#received = 0;
	/** Received, without what was given up. */
	#taken = 0;
	#root: Descriptor | undefined;

	constructor(cache: BlobCache, expected: ExpectedImage, signal: AbortSignal) {
		this.#cache = cache;
		this.#expected = expected;
		this.#signal = signal;
		this.#limit = expected.size > 0 ? expected.size * SIZE_FACTOR + SIZE_SLACK : LARGEST;
	}

	get received(): number {
		return this.#received;
	}

	/** Undefined as long as the tag was not pushed. */
	get pushed(): PushedImage | undefined {
		const [received, claimed] = [this.#received, this.#claimed];
		return this.#root && { root: this.#root, received, claimed };
	}

	/** The size to tell of a blob that need not come; undefined for one that must. */
	async sizeOf(digest: Digest): Promise<number | undefined> {
		const here = this.#here.get(digest);
		if (here !== undefined) return here;
		// Read once as a whole: a damaged one comes again.
		const size = await this.#cache.use(digest, this.#signal);
		if (size !== undefined) {
			this.#here.set(digest, size);
			return size;
		}
		const { unwanted, missing, config } = this.#expected;
		if (unwanted.size === 0 || missing.has(digest) || digest === config) return undefined;
		this.#claimed.add(digest);
		return 1;
	}

	/** Counts bytes that came. @throws DeliveryError when that is more than the image can have */
	take(bytes: number): void {
		this.#received += bytes;
		this.#taken += bytes;
		if (this.#taken <= this.#limit) return;
		throw new DeliveryError(
			`the daemon pushes more than the image has: over ${this.#limit} bytes for one of ${this.#expected.size}`,
			{ hint: "nothing of it was kept; can that machine be trusted?" },
		);
	}

	/** Of a blob that was given up, which may come again. */
	giveBack(bytes: number): void {
		this.#taken -= bytes;
	}

	/** @throws DeliveryError that names both digests for another content; CacheFailure */
	async commit(blob: IncomingBlob, digest: Digest): Promise<void> {
		const actual = blob.digest();
		if (actual !== digest) {
			throw new DeliveryError(`blob ${digest} came with another content, which is ${actual}`, {
				hint: "was it changed on its way? Can that machine be trusted?",
			});
		}
		await blob.commit();
		this.#here.set(digest, blob.length);
	}

	manifest(digest: Digest): Buffer | undefined {
		return this.#manifests.get(digest);
	}

	/**
	 * Takes a manifest or an index, of which everything must be here.
	 * @param isTag whether it was pushed by its tag, which makes it the root
	 * @throws DeliveryError that names what is missing; ClaimedTooMuch; CacheFailure
	 */
	async putManifest(content: Buffer, mediaType: string, isTag: boolean): Promise<Digest> {
		const digest = digestOf(content);
		if (!isManifestType(mediaType)) {
			throw new DeliveryError(`the daemon pushed a manifest of an unknown type: ${mediaType}`);
		}
		if (content.length > MANIFEST_LIMIT || this.#manifests.size >= MOST_MANIFESTS) {
			throw new DeliveryError("the daemon pushed more manifests than an image has");
		}
		const manifest = parseManifest(content, digest);
		const parts =
			manifest.kind === "index" ? manifest.manifests : [manifest.config, ...manifest.layers];
		for (const part of parts) this.#requirePart(part, digest);
		if (manifest.kind === "image" && !isAttestation(manifest.layers)) {
			await this.#requireImage(manifest.config, manifest.layers, digest);
		}
		await this.#cache.store(content);
		this.#manifests.set(digest, content);
		if (isTag) this.#root = { mediaType, digest, size: content.length };
		return digest;
	}

	#requirePart({ digest, size }: Descriptor, manifest: Digest): void {
		const here = this.#here.get(digest) ?? this.#manifests.get(digest)?.length;
		if (here === size || this.#claimed.has(digest)) return;
		const why = here === undefined ? "was never sent" : `has ${here} bytes, not ${size}`;
		throw new DeliveryError(
			`the daemon pushed manifest ${manifest}, but its blob ${digest} ${why}`,
			{
				hint: "look at the log of that daemon, and try again",
			},
		);
	}

	async #requireImage(
		config: Descriptor,
		layers: readonly Descriptor[],
		manifest: Digest,
	): Promise<void> {
		const { diffIds, unwanted } = this.#expected;
		const wanted = layers.filter((_, index) => {
			const diffId = diffIds[index];
			return !(diffId && unwanted.has(diffId));
		});
		const missing = [config, ...wanted].filter(({ digest }) => this.#claimed.has(digest));
		if (missing.length > 0) throw new ClaimedTooMuch(new Set(missing.map(({ digest }) => digest)));
		const content = await this.#cache.content(config.digest);
		const found = content && diffIdsOf(content, config.digest);
		const isExpected =
			found !== undefined &&
			found.join() === diffIds.join() &&
			found.length === layers.length &&
			(this.#expected.config ?? config.digest) === config.digest;
		if (isExpected) return;
		throw new DeliveryError(
			`the daemon pushed another image than it was asked for: manifest ${manifest} with configuration ${config.digest}`,
			{ hint: "was its tag moved meanwhile? Then run rbuild again" },
		);
	}
}
