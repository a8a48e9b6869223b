import type { Engine, EngineQuestions } from "../engine/engine.js";
import {
	exportImage,
	importImage,
	inspectImage,
	listImages,
	pruneImages,
	removeImage,
	tagImage,
} from "../engine/images.js";
import { EngineError } from "../errors.js";
import { readDaemonLine } from "./daemon-line.js";
import { layerFiles } from "./layer-files.js";

/**
 * Where a context index is kept on a daemon: an image that holds a file or two and is never run. It
 * lives with the daemon's images, and is pruned with them. It is none of OCI's image indexes, which
 * name the images of several platforms (platform-index.ts).
 */

/** What the names of such images begin with, and of no others. */
export const OWN_IMAGES = "rbuild.local/";
const REPOSITORY = `${OWN_IMAGES}context-index`;
const LABEL = {
	/** The context, for people. */
	context: "rbuild.context",
	key: "rbuild.context-index",
	generation: "rbuild.context-generation",
	/** The image that has the base, where it is another one. */
	base: "rbuild.context-base",
} as const;

/** An index of which nothing was stored for so long is not needed any more, in milliseconds. */
const OLD_MS = 90 * 24 * 3600 * 1000;

/** Longest index that is read, in bytes: as an image archive. */
const ARCHIVE_LIMIT = 128 * 1024 * 1024;

export interface IndexImage {
	readonly id: string;
	/** Hex digits. */
	readonly generation: string;
	/** The image with the base; its own id where that is this one. */
	readonly baseId: string;
}

/** @throws EngineError, ConnectionError, InterruptedError; undefined where there is none */
export async function findIndexImage(
	questions: EngineQuestions,
	key: string,
	signal: AbortSignal,
): Promise<IndexImage | undefined> {
	try {
		const { id, labels } = await inspectImage(questions, indexImageName(key), signal);
		const generation = labels[LABEL.generation] ?? "";
		return { id, generation, baseId: labels[LABEL.base] ?? id };
	} catch (error) {
		if (error instanceof EngineError && error.status === 404) return undefined;
		throw error;
	}
}

/**
 * The files in an index image, by name; what cannot be made out is not there.
 * @throws EngineError, ConnectionError, InterruptedError
 */
export async function readIndexImage(
	engine: Engine,
	id: string,
	signal: AbortSignal,
): Promise<ReadonlyMap<string, Buffer>> {
	const chunks: Buffer[] = [];
	let length = 0;
	for await (const chunk of await exportImage(engine, [id], signal)) {
		length += chunk.length;
		if (length > ARCHIVE_LIMIT) return new Map();
		chunks.push(chunk);
	}
	return layerFiles(Buffer.concat(chunks), ARCHIVE_LIMIT);
}

interface IndexImageContent {
	readonly key: string;
	readonly generation: string;
	/** For people who list images. */
	readonly context: string;
	/** A tar with the file "base", "delta" or both. */
	readonly layer: Uint8Array;
	/** Where "base" is not in it: the image that has it. */
	readonly baseId: string | undefined;
}

/**
 * Stores an index in place of the one that is there.
 *
 * @returns the id of the image
 * @throws EngineError, ConnectionError, InterruptedError
 */
export async function writeIndexImage(
	engine: Engine,
	{ key, generation, context, layer, baseId }: IndexImageContent,
	signal: AbortSignal,
): Promise<string> {
	const labels = {
		[LABEL.context]: context,
		[LABEL.key]: key,
		[LABEL.generation]: generation,
		...(baseId === undefined ? {} : { [LABEL.base]: baseId }),
	};
	const changes = Object.entries(labels).map(([name, value]) => `LABEL ${name}=${quoted(value)}`);
	// Its name goes to the new image, and without one it might be pruned.
	if (baseId !== undefined) await tagImage(engine, baseId, baseImageName(key), signal);
	return storeImage(engine, indexImageName(key), layer, changes, signal);
}

/**
 * Which indexes, of whatever context, were not needed for long: the names of their images, and the ids of those that
 * were replaced by a build which was interrupted before it could remove them.
 * @throws EngineError, ConnectionError, InterruptedError
 */
export async function findOldIndexes(
	engine: Engine,
	signal: AbortSignal,
): Promise<readonly string[]> {
	const images = await listImages(engine, signal, { label: [LABEL.key] });
	// A base may be much older than what was stored on top of it.
	const newest = new Map<string | undefined, number>();
	for (const { labels, createdAt } of images) {
		const key = labels[LABEL.key];
		newest.set(key, Math.max(createdAt, newest.get(key) ?? 0));
	}
	const isOld = (key: string | undefined) => (newest.get(key) ?? 0) < Date.now() - OLD_MS;
	return images
		.filter(({ labels }) => isOld(labels[LABEL.key]))
		.flatMap(({ id, tags }) => (tags.length > 0 ? tags : [id]));
}

/** Removes what findOldIndexes() has found, when no build goes on. @throws ConnectionError, InterruptedError */
export async function removeIndexes(
	engine: Engine,
	namesAndIds: readonly string[],
	signal: AbortSignal,
): Promise<void> {
	for (const name of namesAndIds) await removeImage(engine, name, signal).catch(unlessLost);
}

/**
 * Removes what a new index image came in place of. Not beside a build: where an image is deleted, containerd
 * collects garbage, and before Docker 29.4 may take the layers of one that is being stored
 * (moby/buildkit#6521).
 *
 * @param hasBase whether the new one has the base, too
 * @throws ConnectionError, InterruptedError
 */
export async function removeReplaced(
	engine: Engine,
	key: string,
	hasBase: boolean,
	signal: AbortSignal,
): Promise<void> {
	if (hasBase) await removeImage(engine, baseImageName(key), signal).catch(unlessLost);
	// Also what other builds left, that wrote at the same time.
	const nameless = { dangling: ["true"], label: [`${LABEL.key}=${key}`] };
	await pruneImages(engine, nameless, signal).catch(unlessLost);
}

async function storeImage(
	engine: Engine,
	name: string,
	layer: Uint8Array,
	changes: readonly string[],
	signal: AbortSignal,
): Promise<string> {
	let id: string | undefined;
	for await (const line of importImage(engine, name, layer, changes, signal)) {
		const { error, status } = readDaemonLine(line);
		if (error !== undefined) throw new EngineError(error);
		if (status?.startsWith("sha256:")) id = status;
	}
	if (id === undefined) throw new EngineError("the daemon sent no image id");
	return id;
}

/** What a daemon refuses to clean up does no harm. */
function unlessLost(error: unknown): void {
	if (!(error instanceof EngineError)) throw error;
}

function indexImageName(key: string): string {
	return `${REPOSITORY}:${key}`;
}

function baseImageName(key: string): string {
	return `${REPOSITORY}:${key}.base`;
}

/** A LABEL's value, in which the builder would replace variables. */
function quoted(value: string): string {
	return `"${value.replace(/[\p{Control}]/gu, " ").replace(/["\\$]/g, "\\$&")}"`;
}
