import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { RegistryAuth } from "../../engine/registry-auth.js";
import { DeliveryError, RbuildError } from "../../errors.js";
import { type Digest, digestOf, isDigest } from "../manifest/digest.js";
import { MANIFEST_LIMIT } from "../manifest/image-manifest.js";
import { refuse, respond } from "./answers.js";
import type { BlobUploads } from "./blob-uploads.js";
import { GuardedServer } from "./guarded-server.js";
import { ClaimedTooMuch, type PushContents } from "./push-contents.js";

const ROUTES = [
	["upload", /^\/v2\/(.+)\/blobs\/uploads\/([0-9a-f]*)$/],
	["manifest", /^\/v2\/(.+)\/manifests\/([^/]+)$/],
	["blob", /^\/v2\/(.+)\/blobs\/([^/]+)$/],
] as const;

interface RegistryOptions {
	/** The one repository there is, such as "rbuild/6a02f4d51a2b3c4d5e6f". */
	readonly repository: string;
	readonly contents: PushContents;
	readonly uploads: BlobUploads;
	/** Told once of what ends the push: the daemon itself would try again and again. */
	readonly onFailure: (error: unknown) => void;
}

/**
 * A registry for one push of one image (OCI distribution-spec, "push", and the HEAD requests that come
 * before it).
 */
export class RegistryServer {
	readonly #server: GuardedServer;
	readonly #options: RegistryOptions;

	constructor(options: RegistryOptions) {
		this.#options = options;
		this.#server = new GuardedServer((request, response) => {
			this.#answer(request, response).catch((error: unknown) => this.#fail(response, error));
		});
	}

	/** Without this, every request is answered with 401. */
	get auth(): RegistryAuth {
		return this.#server.auth;
	}

	/** Takes a stream, from anybody. */
	accept(stream: Duplex): void {
		this.#server.accept(stream);
	}

	/** Ends everything at once. */
	close(): void {
		this.#server.close();
	}

	async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
		const { method = "", url = "" } = request;
		const { pathname, searchParams } = new URL(url, "http://registry");
		if (pathname === "/v2/" || pathname === "/v2") return respond(response, 200, {}, "{}");
		const wanted = match(pathname);
		if (wanted === undefined) return refuse(response, 404, "NOT_FOUND", "there is no such thing");
		const { kind, what } = wanted;
		if (wanted.name !== this.#options.repository) {
			return refuse(response, 404, "NAME_UNKNOWN", "there is no such repository");
		}
		if (kind === "upload") return this.#upload(request, response, what, searchParams);
		if (kind === "manifest") return this.#manifest(request, response, what);
		if (method !== "HEAD" || !isDigest(what)) return this.#unsupported(response);
		const size = await this.#options.contents.sizeOf(what);
		if (size === undefined) return refuse(response, 404, "BLOB_UNKNOWN", "it is not here");
		respond(response, 200, {
			"Content-Length": size,
			"Content-Type": "application/octet-stream",
			"Docker-Content-Digest": what,
		});
	}

	async #upload(
		request: IncomingMessage,
		response: ServerResponse,
		id: string,
		query: URLSearchParams,
	): Promise<void> {
		const { contents, uploads, repository } = this.#options;
		const digest = query.get("digest") ?? query.get("mount");
		if (digest !== null && !isDigest(digest)) {
			return refuse(response, 400, "DIGEST_INVALID", "that is no sha256 digest");
		}
		const location = (place: string) => ({ Location: `/v2/${repository}/blobs/${place}` });
		const created = (digest: Digest) =>
			respond(response, 201, { ...location(digest), "Docker-Content-Digest": digest });
		switch (request.method) {
			case "POST": {
				if (id !== "") return this.#unsupported(response);
				if (digest !== null && query.has("mount") && (await contents.sizeOf(digest))) {
					return created(digest);
				}
				const started = await uploads.start();
				if (digest === null || query.has("mount")) {
					return respond(response, 202, { ...location(`uploads/${started}`), Range: "0-0" });
				}
				await uploads.append(started, request);
				await uploads.finish(started, digest);
				return created(digest);
			}
			case "PATCH": {
				const size = await uploads.append(id, request);
				if (size === undefined) return unknownUpload(response);
				const range = { Range: `0-${Math.max(0, size - 1)}` };
				return respond(response, 202, { ...location(`uploads/${id}`), ...range });
			}
			case "PUT":
				if (digest === null) return refuse(response, 400, "DIGEST_INVALID", "no digest is given");
				if ((await uploads.append(id, request)) === undefined) return unknownUpload(response);
				await uploads.finish(id, digest);
				return created(digest);
			case "DELETE":
				await uploads.cancel(id);
				return respond(response, 204);
			default:
				return this.#unsupported(response);
		}
	}

	async #manifest(
		request: IncomingMessage,
		response: ServerResponse,
		reference: string,
	): Promise<void> {
		const { contents } = this.#options;
		if (request.method === "HEAD" || request.method === "GET") {
			const content = isDigest(reference) ? contents.manifest(reference) : undefined;
			if (content === undefined) {
				return refuse(response, 404, "MANIFEST_UNKNOWN", "it is not here");
			}
			return respond(response, 200, { "Docker-Content-Digest": reference }, content);
		}
		if (request.method !== "PUT") return this.#unsupported(response);
		const content = await readAll(request, MANIFEST_LIMIT);
		if (isDigest(reference) && digestOf(content) !== reference) {
			throw new DeliveryError(`manifest ${reference} came with another content`);
		}
		const mediaType = request.headers["content-type"] ?? "";
		const digest = await contents.putManifest(content, mediaType, !isDigest(reference));
		respond(response, 201, {
			Location: `/v2/${this.#options.repository}/manifests/${digest}`,
			"Docker-Content-Digest": digest,
		});
	}

	#unsupported(response: ServerResponse): void {
		refuse(response, 405, "UNSUPPORTED", "this registry takes one push, and nothing else");
	}

	#fail(response: ServerResponse, error: unknown): void {
		const { req } = response;
		const ours = error instanceof RbuildError || error instanceof ClaimedTooMuch;
		// Of a request that broke off, the daemon hears from its own side, and makes it again.
		if (!ours && req.destroyed && !req.complete) return;
		this.#options.onFailure(error);
		const code = error instanceof ClaimedTooMuch ? "MANIFEST_BLOB_UNKNOWN" : "DENIED";
		response.setHeader("Connection", "close");
		refuse(response, 400, code, "rbuild does not take it");
	}
}

interface Wanted {
	readonly kind: "upload" | "manifest" | "blob";
	/** The repository. */
	readonly name: string;
	/** An upload's id, a reference or a digest. */
	readonly what: string;
}

function match(path: string): Wanted | undefined {
	for (const [kind, pattern] of ROUTES) {
		const [, name, what] = pattern.exec(path) ?? [];
		if (name !== undefined && what !== undefined) return { kind, name, what };
	}
	return undefined;
}

async function readAll(request: IncomingMessage, limit: number): Promise<Buffer> {
	const chunks: Buffer[] = [];
	let length = 0;
	for await (const chunk of request as AsyncIterable<Buffer>) {
		length += chunk.length;
		if (length > limit)
			throw new DeliveryError(`the daemon pushed a manifest of over ${limit} bytes`);
		chunks.push(chunk);
	}
	return Buffer.concat(chunks);
}

function unknownUpload(response: ServerResponse): void {
	refuse(response, 404, "BLOB_UPLOAD_UNKNOWN", "there is no such upload");
}
