import { createHash } from "node:crypto";
import { posix } from "node:path";
import type { Readable } from "node:stream";
import { buffer as bufferOf } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { extract } from "tar-stream";
import { fields } from "../../engine/document.js";
import { DeliveryError } from "../../errors.js";
import { isGzip } from "../../gzip-header.js";
import { interrupted } from "../../interruption.js";
import type { BlobCache } from "../cache/blob-cache.js";
import { type Digest, digestOf, hexOf } from "../manifest/digest.js";
import { type Descriptor, diffIdsOf } from "../manifest/image-manifest.js";
import { DOCKER_TYPES } from "../manifest/media-types.js";

/** A part of an archive that may be a layer. */
interface StoredLayer {
	/** Compressed, as it is in the cache. */
	readonly digest: Digest;
	readonly size: number;
	/** Of the content without compression; undefined where it came compressed. */
	readonly diffId: Digest | undefined;
}

interface Parts {
	/** Documents, by their names. */
	readonly documents: Map<string, Buffer>;
	readonly layers: Map<string, StoredLayer>;
	/** What else a name stands for: docker 20.10 writes a layer once. */
	readonly links: Map<string, string>;
}

/** Longest document, in bytes. */
const MOST_BYTES = 8 * 1024 * 1024;
/** What a document begins with. */
const BRACE = 0x7b;

/**
 * Puts the image of docker's own archive (moby, image/spec) into the cache as a registry has it: layers
 * compressed, always in the same way, and a manifest, in the media types that docker pushes.
 *
 * @returns the manifest
 * @throws DeliveryError for what is no such archive, or holds other layers than its configuration says;
 * CacheFailure; InterruptedError; what the archive fails with
 */
export async function storeArchive(
	archive: Readable,
	cache: BlobCache,
	signal: AbortSignal,
): Promise<Descriptor> {
	const parts: Parts = { documents: new Map(), layers: new Map(), links: new Map() };
	const tar = extract();
	const [fed, read] = await Promise.allSettled([
		pipeline(archive, tar, { signal }),
		readEntries(tar, cache, parts),
	]);
	if (signal.aborted) throw interrupted(signal);
	// What goes wrong with one is the end of the other, too.
	if (archive.errored) throw archive.errored;
	if (read.status === "rejected") throw read.reason;
	if (fed.status === "rejected") throw fed.reason;
	return storeManifest(parts, cache);
}

async function readEntries(
	entries: ReturnType<typeof extract>,
	cache: BlobCache,
	{ documents, layers, links }: Parts,
): Promise<void> {
	for await (const entry of entries) {
		const { type, linkname, size } = entry.header;
		const name = posix.normalize(entry.header.name);
		if (type === "symlink") links.set(name, posix.join(posix.dirname(name), linkname));
		if (type === "link") links.set(name, posix.normalize(linkname));
		if (type !== "file") {
			entry.resume();
			continue;
		}
		const [first, content] = await opened(entry as AsyncIterable<Buffer>);
		const isBlob = name.startsWith("blobs/sha256/");
		const isDocument = isBlob ? first[0] === BRACE : name.endsWith(".json");
		if (isDocument && size <= MOST_BYTES) documents.set(name, await bufferOf(content));
		else if (isBlob || name.endsWith(".tar")) {
			layers.set(name, await storeLayer(name, first, content, cache));
		} else {
			for await (const _ of content);
		}
	}
}

/** The first bytes of something, and all of it. */
async function opened(
	source: AsyncIterable<Buffer>,
): Promise<readonly [first: Buffer, content: AsyncIterable<Buffer>]> {
	const chunks = source[Symbol.asyncIterator]();
	const first = await chunks.next();
	const content = async function* () {
		for (let next = first; !next.done; next = await chunks.next()) yield next.value;
	};
	return [first.done ? Buffer.alloc(0) : first.value, content()];
}

async function storeLayer(
	name: string,
	first: Buffer,
	content: AsyncIterable<Buffer>,
	cache: BlobCache,
): Promise<StoredLayer> {
	await using incoming = await cache.receive();
	if (isGzip(first)) {
		for await (const chunk of content) await incoming.append(chunk);
		const digest = incoming.digest();
		if (posix.basename(name) !== hexOf(digest)) {
			throw new DeliveryError(`the daemon sent a layer as ${name} that is ${digest}`);
		}
		await incoming.commit();
		return { digest, size: incoming.length, diffId: undefined };
	}
	const hash = createHash("sha256");
	const hashed = async function* () {
		for await (const chunk of content) {
			hash.update(chunk);
			yield chunk;
		}
	};
	await pipeline(hashed, createGzip(), async (compressed: AsyncIterable<Buffer>) => {
		for await (const chunk of compressed) await incoming.append(chunk);
	});
	const digest = incoming.digest();
	await incoming.commit();
	return { digest, size: incoming.length, diffId: `sha256:${hash.digest("hex")}` };
}

async function storeManifest(
	{ documents, layers, links }: Parts,
	cache: BlobCache,
): Promise<Descriptor> {
	const { Config, Layers } = readList(documents.get("manifest.json"));
	const config = documents.get(String(Config));
	if (config === undefined || !Array.isArray(Layers)) {
		throw new DeliveryError("the daemon's image archive has no image in it");
	}
	const configDigest = digestOf(config);
	if (posix.basename(String(Config), ".json") !== hexOf(configDigest)) {
		throw new DeliveryError(`the daemon sent a configuration as ${Config} that is ${configDigest}`);
	}
	const diffIds = diffIdsOf(config, configDigest);
	const found = Layers.map((name) => {
		const path = posix.normalize(String(name));
		return layers.get(links.get(path) ?? path);
	});
	const isRight = ({ diffId }: StoredLayer, index: number) =>
		diffId === undefined || diffId === diffIds[index];
	const complete = found.filter((layer) => layer !== undefined);
	if (complete.length !== diffIds.length || !complete.every(isRight)) {
		throw new DeliveryError(
			`the daemon's image archive has other layers than configuration ${configDigest} says`,
			{ hint: "look at the log of that daemon, and try again" },
		);
	}
	const manifest = Buffer.from(
		JSON.stringify({
			schemaVersion: 2,
			mediaType: DOCKER_TYPES.manifest,
			config: { mediaType: DOCKER_TYPES.config, size: config.length, digest: configDigest },
			layers: complete.map(({ size, digest }) => ({
				mediaType: DOCKER_TYPES.gzipLayer,
				size,
				digest,
			})),
		}),
	);
	await cache.store(config);
	const digest = await cache.store(manifest);
	return { mediaType: DOCKER_TYPES.manifest, digest, size: manifest.length };
}

/** The first image of manifest.json. */
function readList(document: Buffer | undefined): Readonly<Record<string, unknown>> {
	try {
		const list: unknown = JSON.parse(document?.toString() ?? "");
		return fields(Array.isArray(list) ? list[0] : undefined);
	} catch {
		return {};
	}
}
