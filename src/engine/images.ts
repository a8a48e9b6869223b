import type { Readable } from "node:stream";
import { EngineError } from "../errors.js";
import { fields } from "./document.js";
import type { Engine, EngineQuestions } from "./engine.js";
import { readJsonLines } from "./json-lines.js";
import { joinPlatform } from "./platforms.js";
import { type RegistryAuth, registryAuthHeader } from "./registry-auth.js";

/** An image in a daemon's store. */
export interface StoredImage {
	/** "sha256:" and 64 hex digits. */
	readonly id: string;
	readonly tags: readonly string[];
	/** Digests by which registries know it, such as "host/name@sha256:…". */
	readonly digests: readonly string[];
	/** An OCI platform. */
	readonly platform: string;
	/** Bytes, as the daemon counts them. */
	readonly size: number;
	/** The digests of its uncompressed layers, from the bottom. */
	readonly layers: readonly string[];
	/** Whether it adds instructions to the builds that start from it. */
	readonly hasTriggers: boolean;
	/** What its processes begin with, as "NAME=VALUE". */
	readonly environment: readonly string[];
	/**
	 * Whether it is surely in a graph driver's store: BuildKit takes it from there without asking its
	 * registry. From containerd's store (Docker 29's default) it does not.
	 */
	readonly isInGraphDriver: boolean;
	readonly labels: Readonly<Record<string, string>>;
}

/**
 * @param reference an id, a name with or without a tag, or a name with a digest
 * @throws EngineError (status 404 when there is no such image)
 */
export async function inspectImage(
	engine: EngineQuestions,
	reference: string,
	signal: AbortSignal,
): Promise<StoredImage> {
	const path = `${imagePath(reference)}/json`;
	const document = await engine.json({ method: "GET", path, signal });
	const image = document as Partial<Record<string, unknown>> | null;
	if (typeof image?.Id !== "string") {
		throw new EngineError(`${engine.transport.target} describes ${reference} without an image id`);
	}
	const { Os, Architecture, Variant } = image;
	return {
		id: withAlgorithm(image.Id),
		tags: textList(image.RepoTags),
		digests: textList(image.RepoDigests),
		platform: joinPlatform(text(Os), text(Architecture), text(Variant)),
		size: typeof image.Size === "number" ? image.Size : 0,
		layers: textList(fields(image.RootFS).Layers),
		hasTriggers: textList(fields(image.Config).OnBuild).length > 0,
		environment: textList(fields(image.Config).Env),
		// containerd's store has no such data, and since API 1.48 a descriptor.
		isInGraphDriver: Boolean(fields(image.GraphDriver).Data) && image.Descriptor === undefined,
		labels: textMap(fields(image.Config).Labels),
	};
}

/** Podman leaves "sha256:" out of ids in some answers. */
function withAlgorithm(id: string): string {
	return id.includes(":") ? id : `sha256:${id}`;
}

function textMap(value: unknown): Readonly<Record<string, string>> {
	if (typeof value !== "object" || value === null) return {};
	const texts = Object.entries(value).filter(([, item]) => typeof item === "string");
	return Object.fromEntries(texts);
}

function text(value: unknown): string {
	return typeof value === "string" ? value : "";
}

function textList(value: unknown): readonly string[] {
	return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}

/** An image as a list of them tells it. */
export interface ListedImage {
	/** "sha256:" and 64 hex digits. */
	readonly id: string;
	readonly tags: readonly string[];
	/** The names, each with a digest, by which it was pulled from a registry or pushed to one. */
	readonly digests: readonly string[];
	/** Bytes. */
	readonly size: number;
	/** Milliseconds since 1970. */
	readonly createdAt: number;
	readonly labels: Readonly<Record<string, string>>;
}

/**
 * All images but those that are only parts of others, the newest first.
 * @param filters where not all are wanted, such as `{ label: ["a=b"] }`
 */
export async function listImages(
	engine: Engine,
	signal: AbortSignal,
	filters?: Readonly<Record<string, readonly string[]>>,
): Promise<readonly ListedImage[]> {
	const query = filters === undefined ? {} : { filters: JSON.stringify(filters) };
	const list = await engine.json({ method: "GET", path: "/images/json", query, signal });
	const images = (Array.isArray(list) ? list : []).map((item): ListedImage => {
		const { Id, RepoTags, RepoDigests, Size, Created, Labels } = fields(item);
		return {
			id: withAlgorithm(text(Id)),
			tags: textList(RepoTags).filter((tag) => tag !== "<none>:<none>"),
			digests: textList(RepoDigests).filter((name) => name !== "<none>@<none>"),
			size: typeof Size === "number" ? Size : 0,
			createdAt: typeof Created === "number" ? Created * 1000 : 0,
			labels: textMap(Labels),
		};
	});
	return images.toSorted((one, other) => other.createdAt - one.createdAt);
}

/**
 * Gives an image one more name.
 * @param name with its tag; "latest" where it has none
 */
export async function tagImage(
	engine: Engine,
	reference: string,
	name: string,
	signal: AbortSignal,
): Promise<void> {
	const { repository, tag } = splitTag(name);
	const path = `${imagePath(reference)}/tag`;
	const query = { repo: repository, tag };
	const { body } = await engine.request({ method: "POST", path, query, signal });
	body.resume();
}

/** Takes a name from an image, and deletes the image when that was its last one. */
export async function removeImage(
	engine: Engine,
	reference: string,
	signal: AbortSignal,
): Promise<void> {
	await engine.json({ method: "DELETE", path: imagePath(reference), signal });
}

/**
 * Deletes images that no container uses (API 1.25+).
 * @param filters such as `{ dangling: ["false"], label: ["a=b"] }`
 */
export async function pruneImages(
	engine: Engine,
	filters: Readonly<Record<string, readonly string[]>>,
	signal: AbortSignal,
): Promise<void> {
	const query = { filters: JSON.stringify(filters) };
	await engine.json({ method: "POST", path: "/images/prune", query, signal });
}

/**
 * Makes an image of one layer (`docker import`), for the daemon's own platform.
 *
 * @param layer a tar
 * @param changes instructions of a Dockerfile, such as LABEL
 * @returns the daemon's progress lines; the last one's `status` is the image's id, and a failure is one
 * with `errorDetail`
 */
export async function* importImage(
	engine: Engine,
	name: string,
	layer: Uint8Array,
	changes: readonly string[],
	signal: AbortSignal,
): AsyncGenerator<unknown> {
	const { repository, tag } = splitTag(name);
	const { body } = await engine.request({
		method: "POST",
		path: "/images/create",
		query: { fromSrc: "-", repo: repository, tag, changes },
		headers: { "Content-Type": "application/x-tar" },
		body: layer,
		signal,
	});
	yield* readJsonLines(body);
}

/**
 * Has the daemon push an image.
 * @param name repository and tag; the registry is the name's first part
 * @returns the daemon's progress lines; a refusal by the registry is one with `errorDetail`
 */
export async function* pushImage(
	engine: Engine,
	name: string,
	auth: RegistryAuth | undefined,
	signal: AbortSignal,
	{ plainHttp = false } = {},
): AsyncGenerator<unknown> {
	const { repository, tag } = splitTag(name);
	// Podman's own; docker speaks plain HTTP to registries on its loopback address by itself.
	const query = { tag, tlsVerify: plainHttp ? "false" : undefined };
	const { body } = await engine.request({
		method: "POST",
		path: `${imagePath(repository)}/push`,
		query,
		// Daemons before 23.0 refuse a push without the header.
		headers: { "X-Registry-Auth": registryAuthHeader(auth ?? {}) },
		signal,
	});
	yield* readJsonLines(body);
}

/** Images with all their layers, as one uncompressed tar stream (`docker save`). */
export async function exportImage(
	engine: Engine,
	references: readonly string[],
	signal: AbortSignal,
): Promise<Readable> {
	const query = { names: references };
	const response = await engine.request({ method: "GET", path: "/images/get", query, signal });
	return response.body;
}

/**
 * Stores the images of a tar stream (`docker load`), which may be compressed.
 * @returns the daemon's progress lines; a failure is one with `errorDetail`
 */
export async function* loadImage(
	engine: Engine,
	tar: Readable,
	signal: AbortSignal,
): AsyncGenerator<unknown> {
	const { body } = await engine.request({
		method: "POST",
		path: "/images/load",
		headers: { "Content-Type": "application/x-tar" },
		body: tar,
		signal,
	});
	yield* readJsonLines(body);
}

/**
 * The path of an image, which what is asked of it follows. Slashes and colons stay as they are: the daemon's router
 * takes the rest of the path as the name.
 */
export function imagePath(reference: string): string {
	return `/images/${encodeURI(reference).replace(/[?#]/g, encodeURIComponent)}`;
}

/** A colon is a tag's only behind the last slash; before it, it is a registry's port. */
function splitTag(name: string): { repository: string; tag: string } {
	const colon = name.indexOf(":", name.lastIndexOf("/") + 1);
	if (colon < 0) return { repository: name, tag: "latest" };
	return { repository: name.slice(0, colon), tag: name.slice(colon + 1) };
}
