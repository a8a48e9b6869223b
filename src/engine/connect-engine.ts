import type { Duplex } from "node:stream";
import { setImmediate } from "node:timers/promises";
import { EngineError } from "../errors.js";
import type { EngineFacts } from "../events.js";
import type { Transport } from "../transport/transport.js";
import type { Engine, EngineQuestions, EngineRequest, EngineResponse } from "./engine.js";
import { notDocker, readBodyText } from "./engine-failure.js";
import { engineFacts, parseVersion } from "./facts.js";
import type { HttpConnection } from "./http-connection.js";

/** How long a daemon may take to say who it is, in milliseconds. */
const GREETING_TIMEOUT = 30_000;

/** Longest JSON document that is read whole, in bytes. */
const JSON_LIMIT = 32 * 1024 * 1024;

/**
 * Greets the daemon behind a transport and agrees on an API version with it, in one round trip: GET
 * /_ping and GET /version without a version prefix, which every daemon takes. The transport stays
 * the caller's to dispose of, after the engine.
 *
 * @param meanwhile what else to ask in the same round trip
 * @throws EngineError when that is no Docker daemon or not one rbuild can talk to; ConnectionError;
 * InterruptedError
 */
export async function connectEngine(
	transport: Transport,
	signal: AbortSignal,
	meanwhile: (questions: EngineQuestions) => void = () => {},
): Promise<Engine> {
	// undici takes 70 ms to load: only who talks to a daemon loads it.
	const { HttpConnection } = await import("./http-connection.js");
	const http = HttpConnection.over(transport);
	let roundTripMs = transport.roundTripMs;
	let clockLeadMs = 0;
	const greet = async (path: string) => {
		const askedAt = performance.now();
		const response = await http.answer({ method: "GET", path, signal }, path, GREETING_TIMEOUT);
		roundTripMs = Math.min(roundTripMs, performance.now() - askedAt);
		clockLeadMs = Math.max(clockLeadMs, clockLead(response.headers));
		return { headers: response.headers, text: await readBodyText(response.body, JSON_LIMIT) };
	};
	try {
		const greeting = Promise.all([greet("/_ping"), greet("/version")]);
		meanwhile(new UnversionedQuestions(http, transport));
		const [ping, version] = await greeting;
		// Only then does undici take the two streams for idle, and use them again.
		await setImmediate();
		const facts = readFacts(ping.headers, version.text, transport.target);
		return new HttpEngine(http, transport, facts, { roundTripMs, clockLeadMs });
	} catch (error) {
		await http.close();
		throw error;
	}
}

function readFacts(ping: EngineResponse["headers"], version: string, target: string): EngineFacts {
	if (typeof ping["api-version"] !== "string") {
		throw notDocker(target, "GET /_ping", "without an API version");
	}
	const document = parseVersion(parseJson(version));
	if (document === undefined) throw notDocker(target, "GET /version", "without its version");
	return engineFacts(ping, document, target);
}

/** As Engine has it, from an answer that has just come: its Date has whole seconds (RFC 9110, section 5.6.7). */
function clockLead({ date }: EngineResponse["headers"]): number {
	const behind = Date.parse(String(date)) - Date.now();
	return behind > 0 ? behind + 1000 : 0;
}

class UnversionedQuestions implements EngineQuestions {
	readonly transport: Transport;
	readonly #http: HttpConnection;

	constructor(http: HttpConnection, transport: Transport) {
		this.transport = transport;
		this.#http = http;
	}

	async json(request: EngineRequest): Promise<unknown> {
		const answer = await this.#http.answer(request, pathWithQuery(request), GREETING_TIMEOUT);
		return readDocument(answer, request, this.transport.target);
	}
}

class HttpEngine implements Engine {
	readonly facts: EngineFacts;
	readonly transport: Transport;
	readonly roundTripMs: number;
	readonly clockLeadMs: number;
	readonly #http: HttpConnection;

	constructor(
		http: HttpConnection,
		transport: Transport,
		facts: EngineFacts,
		{ roundTripMs, clockLeadMs }: Pick<Engine, "roundTripMs" | "clockLeadMs">,
	) {
		this.#http = http;
		this.transport = transport;
		this.facts = facts;
		this.roundTripMs = roundTripMs;
		this.clockLeadMs = clockLeadMs;
	}

	request(request: EngineRequest): Promise<EngineResponse> {
		return this.#http.answer(request, this.#versioned(request));
	}

	async json(request: EngineRequest): Promise<unknown> {
		return readDocument(await this.request(request), request, this.transport.target);
	}

	async hijack(request: EngineRequest & { readonly protocol: string }): Promise<Duplex> {
		const { method, path, protocol } = request;
		const upgrade = { upgrade: protocol };
		const outcome = await this.#http.send(request, this.#versioned(request), upgrade);
		if (outcome.kind === "upgrade") return outcome.stream;
		const { body, status } = outcome.response;
		body.destroy();
		throw new EngineError(
			`${this.transport.target} answered ${method} ${path} without switching to ${protocol} (HTTP ${status})`,
			{ status },
		);
	}

	[Symbol.asyncDispose](): Promise<void> {
		return this.#http.close();
	}

	#versioned(request: EngineRequest): string {
		return `/v${this.facts.apiVersion}${pathWithQuery(request)}`;
	}
}

function pathWithQuery({ path, query = {} }: EngineRequest): string {
	const parameters = new URLSearchParams();
	for (const [name, value] of Object.entries(query)) {
		if (value === undefined) continue;
		for (const one of [value].flat()) parameters.append(name, one);
	}
	return parameters.size > 0 ? `${path}?${parameters}` : path;
}

async function readDocument(
	{ body }: EngineResponse,
	{ method, path }: EngineRequest,
	target: string,
): Promise<unknown> {
	const document = parseJson(await readBodyText(body, JSON_LIMIT));
	if (document !== undefined) return document;
	throw notDocker(target, `${method} ${path}`, "with something that is not JSON");
}

function parseJson(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch {
		return undefined;
	}
}
