import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type Digest, digestOf } from "../../../../src/image/manifest/digest.js";

/** A request that came, and what it should get instead of the usual. */
export interface SeenRequest {
	readonly method: string;
	/** Without its query, and with "ID" for an upload's. */
	readonly path: string;
	readonly query: URLSearchParams;
	readonly headers: IncomingMessage["headers"];
	/** How many of that method and path came before. */
	readonly before: number;
}

export interface Fault {
	/** Absent: the usual answer is given, after what else the fault does. */
	readonly status?: number;
	readonly headers?: Readonly<Record<string, string>>;
	readonly body?: string;
	/** The connection is cut when that many bytes of the request were kept; 0: before anything is. */
	readonly cutAfter?: number;
	/** The connection is cut in place of the answer. */
	readonly cutAnswer?: true;
}

export interface FakeRegistry extends AsyncDisposable {
	/** "127.0.0.1:port" */
	readonly host: string;
	/** "METHOD path", with the Content-Range of those that have one. */
	readonly log: readonly string[];
	readonly requests: readonly SeenRequest[];
	readonly blobs: ReadonlyMap<string, Buffer>;
	readonly tags: ReadonlyMap<string, Buffer>;
	/** Puts a blob into a repository. */
	add(repository: string, content: Buffer): Digest;
}

/** A registry that takes pushes, speaks plain HTTP, and fails as it is told. */
export async function startFakeRegistry(
	faultOf: (request: SeenRequest) => Fault | undefined = () => undefined,
): Promise<FakeRegistry> {
	const blobs = new Map<string, Buffer>();
	const tags = new Map<string, Buffer>();
	const uploads = new Map<string, Buffer>();
	const log: string[] = [];
	const requests: SeenRequest[] = [];

	const server = createServer(async (request, response) => {
		const { method = "", headers, socket } = request;
		const { pathname, searchParams: query } = new URL(request.url ?? "", "http://registry");
		const path = pathname.replace(/(?<=\/uploads\/).+/, "ID");
		const before = requests.filter((each) => each.method === method && each.path === path).length;
		const seen = { method, path, query, headers, before };
		requests.push(seen);
		const range = headers["content-range"];
		log.push(`${method} ${path}${range === undefined ? "" : ` ${range}`}`);
		const fault = faultOf(seen) ?? {};
		const { status, cutAfter, cutAnswer } = fault;
		const body = await read(request, cutAfter);
		if (cutAfter !== undefined) {
			const [, id] = /\/uploads\/(.+)/.exec(pathname) ?? [];
			if (id) uploads.set(id, Buffer.concat([uploads.get(id) ?? Buffer.alloc(0), body]));
			socket.destroy();
			return;
		}
		if (status !== undefined) {
			response.writeHead(status, fault.headers);
			response.end(fault.body);
			return;
		}
		if (cutAnswer) {
			answer(seen, pathname, body, undefined);
			socket.destroy();
			return;
		}
		answer(seen, pathname, body, response);
	});

	function answer(
		{ method, query, headers }: SeenRequest,
		path: string,
		body: Buffer,
		response: ServerResponse | undefined,
	): void {
		const respond = (status: number, fields: Record<string, string> = {}) =>
			response?.writeHead(status, fields).end();
		const [, repository = "", kind = "", what = ""] =
			/^\/v2\/(.+)\/(blobs\/uploads|blobs|manifests)\/(.*)$/.exec(path) ?? [];
		if (kind === "") return void respond(200);
		if (kind === "manifests") {
			if (method === "PUT") tags.set(`${repository}:${what}`, body);
			return void respond(method === "PUT" ? 201 : tags.has(`${repository}:${what}`) ? 200 : 404);
		}
		if (kind === "blobs") return void respond(blobs.has(`${repository}/${what}`) ? 200 : 404);

		const location = (id: string) => ({ Location: `/v2/${repository}/blobs/uploads/${id}` });
		const digest = query.get("digest");
		if (method === "POST") {
			const mounted = blobs.get(`${query.get("from")}/${query.get("mount")}`);
			if (mounted !== undefined) {
				blobs.set(`${repository}/${query.get("mount")}`, mounted);
				return void respond(201);
			}
			const id = String(uploads.size + 1);
			uploads.set(id, Buffer.alloc(0));
			return void respond(202, location(id));
		}
		const held = uploads.get(what);
		if (held === undefined) return void respond(404);
		const range = { Range: `0-${Math.max(0, held.length - 1)}` };
		if (method === "GET") return void respond(204, { ...location(what), ...range });
		const start = /^(\d+)-/.exec(headers["content-range"] ?? "")?.[1];
		if (start !== undefined && Number(start) !== held.length) return void respond(416, range);
		const now = Buffer.concat([held, body]);
		uploads.set(what, now);
		if (method === "PATCH") return void respond(202, location(what));
		if (digest !== digestOf(now)) {
			const errors = [{ code: "DIGEST_INVALID", message: "content does not match" }];
			response?.writeHead(400).end(JSON.stringify({ errors }));
			return;
		}
		blobs.set(`${repository}/${digest}`, now);
		respond(201);
	}

	server.listen(0, "127.0.0.1");
	await once(server, "listening");
	return {
		host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
		...{ log, requests, blobs, tags },
		add(repository, content) {
			const digest = digestOf(content);
			blobs.set(`${repository}/${digest}`, content);
			return digest;
		},
		async [Symbol.asyncDispose]() {
			server.closeAllConnections();
			server.close();
			await once(server, "close");
		},
	};
}

/** All of a request's body, or so many bytes of it. */
async function read(request: IncomingMessage, most = Number.POSITIVE_INFINITY): Promise<Buffer> {
	const chunks: Buffer[] = [];
	let length = 0;
	if (most === 0) return Buffer.alloc(0);
	try {
		for await (const chunk of request as AsyncIterable<Buffer>) {
			chunks.push(chunk);
			length += chunk.length;
			if (length >= most) break;
		}
	} catch {
		// It was given up on the other side.
	}
	return Buffer.concat(chunks).subarray(0, most);
}
