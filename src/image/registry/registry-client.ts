import type { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import type { RegistryAuth } from "../../engine/registry-auth.js";
import { interrupted } from "../../interruption.js";
import { isLoopback, registryServer } from "../web/registry-address.js";
import type { WebAnswer, WebClient, WebRequest } from "../web/web-client.js";
import { RegistryAuthorization } from "./registry-authorization.js";
import {
	BrokenConnection,
	connectionFailure,
	NoTls,
	RegistryFailure,
	refusal,
	StalledConnection,
} from "./registry-failure.js";

interface RegistryRequest {
	readonly method: NonNullable<WebRequest["method"]>;
	readonly headers?: Readonly<Record<string, string>>;
	/** Made anew each time that the request is. */
	readonly body?: () => string | Uint8Array | Readable;
	/** What may be done with it, such as "repository:me/app:pull,push". */
	readonly scopes: readonly string[];
	/** Statuses that are answers; all else is a failure. */
	readonly expected: readonly number[];
	/** Milliseconds that the registry may take for its answer; absent: a minute. */
	readonly patience?: number;
	/** Set where only the caller knows how to go on after it failed on the way. */
	readonly once?: true;
}

export interface RegistryAnswer extends WebAnswer {
	/** Who has answered, after redirects. */
	readonly url: URL;
}

/** How often a request is made that fails on its way, or for which the registry has no time. */
const ATTEMPTS = 5;
/** How often one is made that stalls: each takes a minute to show it. */
const STALLED_ATTEMPTS = 2;
const MOST_REDIRECTS = 5;

/**
 * How long a registry may take with so many bytes that it was sent, in milliseconds: they may still be in
 * the buffers of the way there, and it may have to check them, and to copy them to where they stay.
 */
export function patienceWith(bytes: number): number {
	return PATIENCE + bytes / COPIED;
}

const PATIENCE = 120_000;
/** Bytes in a millisecond, of a slow store. */
const COPIED = 10_000;

/** Waits so many milliseconds. @throws InterruptedError */
type Wait = (ms: number, signal: AbortSignal) => Promise<void>;

const waitFor: Wait = (ms, signal) =>
	sleep(ms, undefined, { signal }).catch(() => {
		throw interrupted(signal);
	});

/** What is the same for a registry with TLS and without. */
interface RegistryLink {
	/** As in image names: "docker.io", "localhost:5000". */
	readonly registry: string;
	readonly authorization: RegistryAuthorization;
	readonly web: WebClient;
	readonly signal: AbortSignal;
	readonly wait: Wait;
}

/** Talks to one registry (OCI distribution-spec), which is sure to be one once it is open. */
export class RegistryClient {
	readonly #base: URL;
	readonly #link: RegistryLink;

	/**
	 * Finds out how the registry wants to be talked to: over TLS, or without it where that is this machine.
	 * @throws RegistryFailure, InterruptedError
	 */
	static async open(
		registry: string,
		login: RegistryAuth | undefined,
		web: WebClient,
		signal: AbortSignal,
		wait = waitFor,
	): Promise<RegistryClient> {
		const host = registryServer(registry);
		const authorization = new RegistryAuthorization(host, login, web);
		const link = { registry, authorization, web, signal, wait };
		const secure = new RegistryClient(new URL(`https://${host}/`), link);
		try {
			await secure.#greet();
			return secure;
		} catch (error) {
			const isPlain = error instanceof NoTls || error instanceof BrokenConnection;
			// What stalls has taken the TLS.
			if (!isLoopback(host) || !isPlain || error instanceof StalledConnection) throw error;
		}
		const plain = new RegistryClient(new URL(`http://${host}/`), link);
		await plain.#greet();
		return plain;
	}

	private constructor(base: URL, link: RegistryLink) {
		this.#base = base;
		this.#link = link;
	}

	get registry(): string {
		return this.#link.registry;
	}

	/** Waits so many milliseconds. @throws InterruptedError */
	wait(ms: number): Promise<void> {
		return this.#link.wait(ms, this.#link.signal);
	}

	/**
	 * Makes a request, as often as it takes: with a new token, and again where the registry has no time.
	 * @param place an address of that registry, or wherever it has sent us
	 * @throws RegistryFailure, InterruptedError
	 */
	async send(place: string | URL, request: RegistryRequest): Promise<RegistryAnswer> {
		const start = this.locate(place, this.#base);
		const attempts = request.once ? 1 : ATTEMPTS;
		for (let attempt = 1; ; attempt++) {
			const last = attempt === attempts;
			let answer: RegistryAnswer;
			try {
				answer = await this.#ask(start, request);
			} catch (error) {
				if (!(error instanceof BrokenConnection) || last) throw error;
				if (error instanceof StalledConnection && attempt >= STALLED_ATTEMPTS) throw error;
				await this.wait(1000 * attempt);
				continue;
			}
			if (request.expected.includes(answer.status)) return answer;
			const failure = refusal(answer, this.registry, this.#link.authorization);
			const delay = failure.delay(attempt);
			if (last || delay === undefined) throw failure;
			await this.wait(delay);
		}
	}

	/**
	 * A place that the registry names, which may be relative.
	 * @throws RegistryFailure for one that is not to be gone to
	 */
	locate(place: string | URL | undefined, from: URL): URL {
		if (place === undefined || !URL.canParse(String(place), from.href)) {
			throw new RegistryFailure("it sent no location to continue at");
		}
		const url = new URL(place, from);
		const isPlain = url.protocol === "http:" && this.#base.protocol === "http:";
		if (url.protocol === "https:" || (isPlain && isLoopback(url.host))) return url;
		throw new RegistryFailure(`it redirects to ${url.protocol}//${url.host}, without TLS`, {
			hint: "does the proxy in front of it set X-Forwarded-Proto?",
		});
	}

	/** Hears from the registry which login it wants; whatever else it says, it says again. */
	async #greet(): Promise<void> {
		const url = new URL("/v2/", this.#base);
		const { status, headers } = await this.#exchange(url, { method: "GET" }, undefined);
		if (status === 401) this.#link.authorization.refused(headers["www-authenticate"], undefined);
	}

	/** Goes where the registry sends us; what proves who we are goes to the registry alone. */
	async #ask(start: URL, request: RegistryRequest): Promise<RegistryAnswer> {
		let url = start;
		let renewed = false;
		for (let redirects = 0; redirects <= MOST_REDIRECTS; ) {
			const own = url.origin === this.#base.origin;
			const proof = own
				? await this.#link.authorization.header(request.scopes, this.#link.signal)
				: undefined;
			const answer = await this.#exchange(url, request, proof);
			if (answer.status === 401 && own && !renewed) {
				renewed = true;
				if (this.#link.authorization.refused(answer.headers["www-authenticate"], proof)) continue;
			}
			if (!isRedirect(answer.status, request.method)) return { ...answer, url };
			url = this.locate(headerOf(answer, "location"), url);
			redirects += 1;
		}
		throw new RegistryFailure("too many redirects");
	}

	async #exchange(
		url: URL,
		{ method, headers, body, patience }: Omit<RegistryRequest, "scopes" | "expected" | "once">,
		authorization: string | undefined,
	): Promise<WebAnswer> {
		try {
			return await this.#link.web(url, {
				method,
				headers: {
					"User-Agent": "rbuild",
					...headers,
					...(authorization === undefined ? {} : { Authorization: authorization }),
				},
				...(body === undefined ? {} : { body: body() }),
				...(patience === undefined ? {} : { patience }),
				signal: this.#link.signal,
			});
		} catch (error) {
			if (this.#link.signal.aborted) throw interrupted(this.#link.signal);
			throw connectionFailure(error, url.host);
		}
	}
}

/** One header of an answer. */
export function headerOf({ headers }: WebAnswer, name: string): string | undefined {
	return [headers[name]].flat()[0];
}

function isRedirect(status: number, method: string): boolean {
	const keepsMethod = status === 307 || status === 308;
	return (
		keepsMethod || ((method === "GET" || method === "HEAD") && [301, 302, 303].includes(status))
	);
}
