import { createHash, randomBytes } from "node:crypto";
import { access, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { LocalContext } from "../context/build-context.js";
import type { IndexParts } from "../context/content-index.js";
import { GENERATION_BYTES } from "../context/index-part.js";
import { packFiles } from "../context/tar-pack.js";
import type { Engine } from "../engine/engine.js";
import type { Environment } from "../environment.js";
import { ConnectionError, EngineError, RbuildError } from "../errors.js";
import type { Run } from "../events.js";
import {
	findIndexImage,
	type IndexImage,
	readIndexImage,
	writeIndexImage,
} from "../image/index-image.js";
import type { BuildPlan } from "./build-plan.js";
import { cacheFolder, forgetOldFiles } from "./cache-folder.js";
import { type ContextKey, contextKey, sharedKey } from "./context-key.js";
import { checkedIndex, type IndexCopy, readIndexCopy, writeIndexCopy } from "./index-copy.js";

/** Milliseconds that storing the index may take beyond the end of the build. */
const STORING_TIMEOUT = 30_000;

const EMPTY: IndexParts = { base: undefined, delta: undefined };

/** What a daemon says of its index: an image, none, or that it does not want to be asked. */
type Found = IndexImage | "none" | "refused";

/** The index of a context during one build. It only ever saves bytes: without it, or with an old one, more is sent. */
export interface ContextIndex {
	/** For the daemon's session: under which it keeps what it is sent. */
	readonly sharedKey: string;
	/** Resolves when files can be announced by it; never rejects. */
	readonly ready: Promise<void>;
	/** The context has been transferred: stores what is new, beside the build. */
	transferred(): void;
	/** Waits until all is stored. Never rejects. */
	settled(): Promise<void>;
}

/**
 * Looks the index of a context up. Where this machine has a copy of it, the daemon is only asked whether
 * that is the newest one, which is waited for by nothing but the announcement of files.
 *
 * @returns undefined where the daemon has no place for an index
 * @throws InterruptedError
 */
export async function openContextIndex(
	engine: Engine,
	context: LocalContext,
	plan: BuildPlan,
	environment: Environment,
	run: Run,
): Promise<ContextIndex | undefined> {
	const key = await contextKey(context, plan);
	const places = placesOf(engine, context, key, environment);
	const asked = findIndex(engine, key, run);
	// It may fail before it is waited for.
	asked.catch(() => {});
	const local = await readIndexCopy(places.copy, key.digest);
	const store = new IndexStore(engine, key, places.copy, run);
	if (local !== undefined) {
		const newest = asked.then((found) => store.newest(local, found));
		return new OpenIndex(context, key, places, local.generation, newest, store, run);
	}
	const found = await asked;
	if (found === "refused") return undefined;
	const stored = found === "none" ? undefined : await store.fetch(found);
	// One that is lost, or was changed, begins anew: with a copy of its own on the daemon.
	const index = stored ?? {
		generation: randomBytes(GENERATION_BYTES),
		parts: EMPTY,
		imageId: undefined,
		baseId: undefined,
	};
	const { generation } = index;
	return new OpenIndex(context, key, places, generation, Promise.resolve(index), store, run);
}

/** Whether this machine knows of an earlier sync of the context to that daemon. */
export async function hasIndexCopy(
	engine: Engine,
	context: LocalContext,
	plan: BuildPlan,
	environment: Environment,
): Promise<boolean> {
	const key = await contextKey(context, plan);
	const { copy } = placesOf(engine, context, key, environment);
	return access(copy).then(
		() => true,
		() => false,
	);
}

async function findIndex(engine: Engine, { digest }: ContextKey, run: Run): Promise<Found> {
	try {
		return (await findIndexImage(engine, digest.toString("hex"), run.signal)) ?? "none";
	} catch (error) {
		if (error instanceof RbuildError && !run.signal.aborted) return "refused";
		throw error;
	}
}

/** The files on this machine. */
interface IndexPlaces {
	readonly copy: string;
	readonly hashes: string;
}

function placesOf(
	engine: Engine,
	context: LocalContext,
	key: ContextKey,
	environment: Environment,
): IndexPlaces {
	const folder = cacheFolder(environment);
	const copyName = sha256(engine.transport.target, key.digest.toString("hex"));
	return {
		copy: join(folder, "context-index", copyName),
		hashes: join(folder, "file-hashes", sha256(context.root)),
	};
}

/** Where an index is kept: on the daemon, and a copy of it here. */
class IndexStore {
	readonly #engine: Engine;
	readonly #key: ContextKey;
	readonly #path: string;
	readonly #run: Run;
	#place: "daemon and here" | "here" | "nowhere" = "daemon and here";

	constructor(engine: Engine, key: ContextKey, path: string, run: Run) {
		this.#engine = engine;
		this.#key = key;
		this.#path = path;
		this.#run = run;
	}

	/** What the daemon has if that is newer, and goes on from the copy that is here. */
	async newest(local: IndexCopy, found: Found): Promise<IndexCopy> {
		if (found === "refused") {
			this.#place = "here";
			return local;
		}
		if (found === "none") return { ...local, imageId: undefined, baseId: undefined };
		if (found.id === local.imageId) return local;
		const generation = Buffer.from(local.generation).toString("hex");
		if (found.generation !== generation) {
			// This build goes on with the files that it knows of; the next one with everybody else's.
			this.#place = "nowhere";
			await rm(this.#path, { force: true }).catch(() => {});
			return local;
		}
		const fetched = await this.fetch(found, local);
		if (fetched === undefined) return { ...local, imageId: undefined, baseId: undefined };
		if (Buffer.from(fetched.generation).equals(local.generation)) return fetched;
		this.#place = "nowhere";
		return local;
	}

	/** @param local may have the base already */
	async fetch(image: IndexImage, local?: IndexCopy): Promise<IndexCopy | undefined> {
		const index = await this.#fetchOnce(image, local);
		if (index !== undefined) return index;
		// Another build may have replaced it just now.
		const now = await findIndex(this.#engine, this.#key, this.#run);
		if (typeof now === "string" || now.id === image.id) return undefined;
		return this.#fetchOnce(now, local);
	}

	async #fetchOnce(image: IndexImage, local?: IndexCopy): Promise<IndexCopy | undefined> {
		const { signal } = this.#run;
		const { id, baseId } = image;
		const hasBase = local?.baseId === baseId;
		try {
			const [newest, base] = await Promise.all([
				readIndexImage(this.#engine, id, signal),
				baseId === id || hasBase ? undefined : readIndexImage(this.#engine, baseId, signal),
			]);
			const parts = {
				base: hasBase ? local?.parts.base : (base ?? newest).get("base"),
				delta: newest.get("delta"),
			};
			const index = checkedIndex(parts, this.#key.digest, { imageId: id, baseId });
			if (index !== undefined) await writeIndexCopy(this.#path, index);
			return index;
		} catch (error) {
			if (error instanceof RbuildError && !signal.aborted) return undefined;
			throw error;
		}
	}

	/**
	 * @param index as it was
	 * @param news the parts that are new, if any
	 */
	async store(index: IndexCopy, news: IndexParts | undefined, signal: AbortSignal): Promise<void> {
		if (news === undefined && (index.imageId !== undefined || index.parts === EMPTY)) return;
		const parts =
			news === undefined ? index.parts : { base: news.base ?? index.parts.base, delta: news.delta };
		const { generation } = index;
		const isBaseThere = news?.base === undefined;
		let images: Pick<IndexCopy, "imageId" | "baseId"> = { imageId: undefined, baseId: undefined };
		try {
			if (this.#place === "daemon and here") {
				images = await this.#write(
					generation,
					parts,
					isBaseThere ? index.baseId : undefined,
					signal,
				);
			}
		} finally {
			const copy = { generation, parts, ...images };
			if (this.#place !== "nowhere") await writeIndexCopy(this.#path, copy);
		}
	}

	/** @param baseId the image that has the base, if one has */
	async #write(
		generation: Uint8Array,
		{ base, delta }: IndexParts,
		baseId: string | undefined,
		signal: AbortSignal,
	): Promise<Pick<IndexCopy, "imageId" | "baseId">> {
		const file = (path: string, content: Uint8Array | undefined) =>
			content === undefined ? [] : [{ path, content }];
		const write = (files: Parameters<typeof packFiles>[0], onTopOf: string | undefined) => {
			const content = {
				key: this.#key.digest.toString("hex"),
				generation: Buffer.from(generation).toString("hex"),
				context: this.#key.name,
				layer: packFiles(files),
				baseId: onTopOf,
			};
			return writeIndexImage(this.#engine, content, signal);
		};
		if (baseId !== undefined) {
			try {
				return { imageId: await write(file("delta", delta), baseId), baseId };
			} catch (error) {
				// The base may have been pruned since, or replaced by another build.
				if (!(error instanceof EngineError)) throw error;
			}
		}
		const imageId = await write([...file("base", base), ...file("delta", delta)], undefined);
		return { imageId, baseId: imageId };
	}
}

class OpenIndex implements ContextIndex {
	readonly sharedKey: string;
	readonly ready: Promise<void>;
	readonly #context: LocalContext;
	readonly #index: Promise<IndexCopy>;
	readonly #store: IndexStore;
	readonly #folders: readonly string[];
	readonly #run: Run;
	readonly #timeout = new AbortController();
	#stored: Promise<void> = Promise.resolve();
	#hasTransferred = false;

	constructor(
		context: LocalContext,
		key: ContextKey,
		{ copy, hashes }: IndexPlaces,
		generation: Uint8Array,
		index: Promise<IndexCopy>,
		store: IndexStore,
		run: Run,
	) {
		this.sharedKey = sharedKey(key, generation);
		this.#context = context;
		this.#index = index;
		this.#store = store;
		this.#folders = [dirname(copy), dirname(hashes)];
		this.#run = run;
		this.ready = index.then(
			({ parts }) =>
				context.memory.useIndex({ parts, generation, key: key.digest, hashesFile: hashes }),
			// Only an interruption, which ends the build.
			() => {},
		);
	}

	transferred(): void {
		// A second transfer in one build would build on what the first one stores.
		if (this.#hasTransferred) return;
		this.#hasTransferred = true;
		this.#stored = this.#storeNews().catch((error: unknown) => {
			// Whoever lost the connection, or ended the build, is told so already.
			if (this.#run.signal.aborted || error instanceof ConnectionError) return;
			const { reason = error } = this.#timeout.signal;
			this.#run.emit({
				type: "warning",
				message: `the index of what was sent could not be stored: ${reasonOf(reason)}`,
				hint: "the next build may send more than it has to; --no-context-index does without one",
			});
		});
	}

	async settled(): Promise<void> {
		const tooLong = new EngineError(`it took longer than ${STORING_TIMEOUT / 1000} s`);
		const timer = setTimeout(() => this.#timeout.abort(tooLong), STORING_TIMEOUT);
		await this.#stored;
		clearTimeout(timer);
	}

	async #storeNews(): Promise<void> {
		const index = await this.#index;
		const news = await this.#context.memory.learn();
		const signal = AbortSignal.any([this.#run.signal, this.#timeout.signal]);
		await this.#store.store(index, news, signal);
		if (news?.base !== undefined) await Promise.all(this.#folders.map(forgetOldFiles));
	}
}

function reasonOf(error: unknown): string {
	return error instanceof RbuildError ? error.message : String(error);
}

function sha256(...texts: readonly string[]): string {
	return createHash("sha256").update(texts.join("\0")).digest("hex");
}
