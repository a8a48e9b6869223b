import { packFiles } from "../../context/content/tar-pack.js";
import { ContentIndex, type IndexParts } from "../../context/index/content-index.js";
import type { Engine, EngineQuestions } from "../../engine/engine.js";
import { EngineError, RbuildError } from "../../errors.js";
import type { Run } from "../../events.js";
import {
	findIndexImage,
	findOldIndexes,
	type IndexImage,
	readIndexImage,
	removeIndexes,
	removeReplaced,
	writeIndexImage,
} from "../../image/index-image.js";
import type { ContextKey } from "./context-key.js";
import { checkedIndex, type IndexCopy, writeIndexCopy } from "./index-copy.js";

/** An index that knows of nothing. */
export const EMPTY: IndexParts = { base: undefined, delta: undefined };

/** The parts of an index that says no more than its generation. */
export function nothingSent(
	{ generation }: Pick<IndexCopy, "generation">,
	{ digest }: ContextKey,
): IndexParts {
	const header = { generation: Buffer.from(generation), key: digest };
	return ContentIndex.read(EMPTY, header).with([], () => [], Date.now());
}

/** What a daemon says of its index: an image, none, or that it does not want to be asked. */
export type FoundIndex = IndexImage | "none" | "refused";

/** Asks the daemon for its index. @throws InterruptedError */
export async function findIndex(
	questions: EngineQuestions,
	{ digest }: ContextKey,
	run: Run,
): Promise<FoundIndex> {
	try {
		return (await findIndexImage(questions, digest.toString("hex"), run.signal)) ?? "none";
	} catch (error) {
		if (error instanceof RbuildError && !run.signal.aborted) return "refused";
		throw error;
	}
}

/**
 * The index in an image on the daemon, if it is whole and of this context.
 *
 * @param local may have the base already
 * @throws InterruptedError
 */
export async function fetchIndex(
	engine: Engine,
	{ digest }: ContextKey,
	{ id, baseId }: IndexImage,
	local: IndexCopy | undefined,
	{ signal }: Run,
): Promise<IndexCopy | undefined> {
	const hasBase = local?.baseId === baseId;
	try {
		const [newest, base] = await Promise.all([
			readIndexImage(engine, id, signal),
			baseId === id || hasBase ? undefined : readIndexImage(engine, baseId, signal),
		]);
		const parts = {
			base: hasBase ? local?.parts.base : (base ?? newest).get("base"),
			delta: newest.get("delta"),
		};
		return checkedIndex(parts, digest, { imageId: id, baseId });
	} catch (error) {
		if (error instanceof RbuildError && !signal.aborted) return undefined;
		throw error;
	}
}

/** Where an index is kept: on the daemon, and a copy of it here. */
export class IndexStore {
	readonly #engine: Engine;
	readonly #key: ContextKey;
	readonly #path: string;
	readonly #run: Run;
	/** Whether it is stored there, too. */
	#isOnDaemon = true;
	readonly #isFirst: boolean;
	/** On the daemon, in this build. */
	#written: Pick<IndexCopy, "imageId" | "baseId"> | undefined;
	/** Names and ids of images with indexes that nobody needs. */
	#old: readonly string[] = [];

	/** @param isFirst whether the daemon has none of it */
	constructor(engine: Engine, key: ContextKey, path: string, run: Run, isFirst = false) {
		this.#engine = engine;
		this.#key = key;
		this.#path = path;
		this.#run = run;
		this.#isFirst = isFirst;
	}

	/**
	 * What the daemon has, if that is newer. It may be of another generation than the copy that is here, and
	 * the daemon's copy of the files that goes with that: what it says is there is sent then, but with the
	 * times that everybody else has seen, so that no content is older than the one that it replaces.
	 */
	async newest(local: IndexCopy, found: FoundIndex): Promise<IndexCopy> {
		if (found === "refused") {
			this.#isOnDaemon = false;
			return local;
		}
		// What the daemon has lost, or holds damaged, is replaced by what is known here: a build that found
		// nothing would date its contents by their own times, which may be before those of this build.
		const ours = { ...local, imageId: undefined, baseId: undefined };
		if (found === "none") return ours;
		if (found.id === local.imageId) return local;
		const isSame = found.generation === Buffer.from(local.generation).toString("hex");
		return (await this.fetch(found, isSame ? local : undefined)) ?? ours;
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
		const index = await fetchIndex(this.#engine, this.#key, image, local, this.#run);
		if (index !== undefined) await writeIndexCopy(this.#path, index);
		return index;
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
			if (this.#isOnDaemon) {
				images = await this.#write(
					generation,
					parts,
					isBaseThere ? index.baseId : undefined,
					signal,
				);
				this.#written = images;
			}
		} finally {
			await writeIndexCopy(this.#path, { generation, parts, ...images });
		}
	}

	/**
	 * When no build goes on: removes what was replaced, and what is old.
	 * @throws ConnectionError, InterruptedError
	 */
	async tidy(signal: AbortSignal): Promise<void> {
		await removeIndexes(this.#engine, this.#old, signal);
		if (this.#written === undefined || this.#isFirst) return;
		const { imageId, baseId } = this.#written;
		const key = this.#key.digest.toString("hex");
		await removeReplaced(this.#engine, key, imageId === baseId, signal);
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
		const [imageId, old] = await Promise.all([
			write([...file("base", base), ...file("delta", delta)], undefined),
			findOldIndexes(this.#engine, signal).catch(() => []),
		]);
		this.#old = old;
		return { imageId, baseId: imageId };
	}
}
