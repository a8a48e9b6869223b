import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { RegistryAuth } from "../../engine/registry-auth.js";
import { refuse } from "./answers.js";

/** Streams at once; a daemon pushes five layers at a time, and may open more. */
const MOST_STREAMS = 64;

/** How long somebody may keep a stream without having shown the login, in milliseconds. */
const PATIENCE = 10_000;

const REALM = 'Basic realm="rbuild"';

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/**
 * A web server on streams that anybody on the daemon's machine may have opened. Whoever does not know its
 * login gets 401, and nothing else, whatever is sent, and cannot keep out whoever does.
 */
export class GuardedServer {
	readonly auth: RegistryAuth;
	readonly #answer: Answer;
	readonly #server: Server;
	readonly #authorization: Buffer;
	readonly #streams = new Set<Duplex>();
	/** Those on which nobody has shown the login, the oldest first. */
	readonly #strangers = new Map<Duplex, NodeJS.Timeout>();
	/** Those that are about to be hung up. */
	readonly #refused = new WeakSet<Duplex>();
	#closed = false;

	/** @param answer called for requests with the login */
	constructor(answer: Answer) {
		this.#answer = answer;
		const username = "rbuild";
		const password = randomBytes(24).toString("base64url");
		this.auth = { username, password };
		const login = Buffer.from(`${username}:${password}`).toString("base64");
		this.#authorization = sha256(`Basic ${login}`);
		const onRequest: Answer = (request, response) => this.#check(request, response);
		// A layer may take hours, and a stream wait for one as long. node keeps times only where it listens itself.
		const options = { requestTimeout: 0, keepAliveTimeout: 0, requireHostHeader: false };
		this.#server = createServer(options, onRequest);
		// Otherwise node itself would answer with 100, 417, 400 and 431.
		this.#server.on("checkContinue", (request: IncomingMessage, response: ServerResponse) => {
			if (this.#isKnown(request)) response.writeContinue();
			this.#check(request, response);
		});
		this.#server.on("checkExpectation", onRequest);
		this.#server.on("clientError", (_error, stream) => {
			// What follows a request that was refused may be no request at all.
			if (!this.#refused.has(stream)) hangUp(stream, UNAUTHORIZED);
		});
		this.#server.on("connect", (_request, stream) => hangUp(stream, UNAUTHORIZED));
	}

	/** Takes a stream, from anybody. */
	accept(stream: Duplex): void {
		stream.on("error", () => {});
		if (this.#streams.size >= MOST_STREAMS) {
			const [oldest] = this.#strangers.keys();
			(oldest ?? stream).destroy();
		}
		if (this.#closed || stream.destroyed) {
			stream.destroy();
			return;
		}
		this.#streams.add(stream);
		this.#strangers.set(
			stream,
			setTimeout(() => stream.destroy(), PATIENCE),
		);
		stream.once("close", () => this.#forget(stream));
		this.#server.emit("connection", stream);
	}

	/** Ends everything at once. */
	close(): void {
		this.#closed = true;
		for (const stream of this.#streams) {
			stream.destroy();
			this.#forget(stream);
		}
	}

	#check(request: IncomingMessage, response: ServerResponse): void {
		if (this.#isKnown(request)) {
			this.#admit(request.socket);
			this.#answer(request, response);
			return;
		}
		this.#refused.add(request.socket);
		response.setHeader("WWW-Authenticate", REALM);
		// What a stranger goes on to send is not waited for.
		response.setHeader("Connection", "close");
		response.once("finish", () => hangUp(request.socket, ""));
		refuse(response, 401, "UNAUTHORIZED", "authentication required");
	}

	#isKnown({ headers }: IncomingMessage): boolean {
		return timingSafeEqual(sha256(headers.authorization ?? ""), this.#authorization);
	}

	#admit(stream: Duplex): void {
		clearTimeout(this.#strangers.get(stream));
		this.#strangers.delete(stream);
	}

	#forget(stream: Duplex): void {
		this.#admit(stream);
		this.#streams.delete(stream);
	}
}

/** For what is no request. */
const UNAUTHORIZED = [
	"HTTP/1.1 401 Unauthorized",
	`WWW-Authenticate: ${REALM}`,
	"Connection: close",
	"Content-Length: 0",
	"\r\n",
].join("\r\n");

function hangUp(stream: Duplex, lastWords: string): void {
	if (stream.writable) stream.end(lastWords, () => stream.destroy());
	else stream.destroy();
}

function sha256(text: string): Buffer {
	return createHash("sha256").update(text).digest();
}
