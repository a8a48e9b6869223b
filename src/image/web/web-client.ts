import { Readable } from "node:stream";
import type { SecureContext } from "node:tls";
import { type Dispatcher, EnvHttpProxyAgent } from "undici";
import type { Environment } from "../../environment.js";
import { proxyAddress } from "./proxy-address.js";

export interface WebRequest {
	readonly method?: "GET" | "HEAD" | "POST" | "PUT" | "PATCH";
	readonly headers?: Readonly<Record<string, string>>;
	readonly body?: string | Uint8Array | Readable;
	/** Milliseconds that the server may take to answer once it was sent everything; absent: a minute. */
	readonly patience?: number;
	readonly signal: AbortSignal;
}

export interface WebAnswer {
	readonly status: number;
	readonly headers: Dispatcher.ResponseData["headers"];
	readonly body: string;
}

/** Asks a web server; whatever undici throws when there is no answer. Redirects are not followed. */
export type WebClient = (url: URL, request: WebRequest) => Promise<WebAnswer>;

/** Bytes of an answer: registries and token servers say little. */
const MOST_BYTES = 4 * 1024 * 1024;

/** How long nothing may come or go, in milliseconds. */
const QUIET = 60_000;

/**
 * Goes through the proxies that the environment names, in either case (HTTPS_PROXY, no_proxy). Import
 * this file when it is needed, which few builds do.
 *
 * @param trust which servers are trusted, and what is shown to them; absent: as node does it
 * @param quiet milliseconds in which nothing comes or goes, after which a request is given up with undici's
 * UND_ERR_HEADERS_TIMEOUT or UND_ERR_BODY_TIMEOUT
 * @throws DeliveryError for a variable that names no proxy
 */
export function webClient(
	{ variables }: Environment,
	trust?: SecureContext,
	quiet = QUIET,
): WebClient {
	const tls = trust === undefined ? {} : { secureContext: trust };
	// Empty values, lest it look into the environment of the process.
	const dispatcher = new EnvHttpProxyAgent({
		httpProxy: proxyAddress(variables, "http_proxy"),
		httpsProxy: proxyAddress(variables, "https_proxy"),
		noProxy: variables.no_proxy || variables.NO_PROXY || "",
		bodyTimeout: quiet,
		connect: tls,
		requestTls: tls,
	});
	return async (url, { method = "GET", patience = quiet, body: sent, ...request }) => {
		const { origin, pathname, search } = url;
		const path = pathname + search;
		const { statusCode, headers, body } = await dispatcher.request({
			...{ origin, path, method },
			...request,
			...(sent === undefined
				? {}
				: { body: sent instanceof Readable ? watched(sent, quiet) : sent }),
			headersTimeout: patience,
		});
		return { status: statusCode, headers, body: await textOf(body) };
	};
}

/**
 * A body that breaks off when no more of it is taken: undici itself waits for that as long as for the
 * answer.
 */
function watched(body: Readable, quiet: number): Readable {
	async function* chunks(): AsyncGenerator<unknown> {
		for await (const chunk of body) {
			const timer = setTimeout(() => taken.destroy(new NotTaken()), quiet);
			try {
				yield chunk;
			} finally {
				clearTimeout(timer);
			}
		}
	}
	// What waits in it is not taken yet.
	const taken = Readable.from(chunks(), { highWaterMark: 1 });
	return taken;
}

/** Called what undici calls an answer that does not come to its end. */
class NotTaken extends Error {
	readonly code = "UND_ERR_BODY_TIMEOUT";

	constructor() {
		super("no more of the request is taken");
	}
}

async function textOf(body: Readable): Promise<string> {
	const chunks: Buffer[] = [];
	let length = 0;
	for await (const chunk of body as AsyncIterable<Buffer>) {
		length += chunk.length;
		if (length > MOST_BYTES) throw new Error(`the answer has more than ${MOST_BYTES} bytes`);
		chunks.push(chunk);
	}
	return Buffer.concat(chunks).toString();
}
