import type { Readable } from "node:stream";
import type { SecureContext } from "node:tls";
import { type Dispatcher, EnvHttpProxyAgent } from "undici";
import type { Environment } from "../environment.js";

export interface WebRequest {
	readonly method?: "GET" | "HEAD" | "POST" | "PUT" | "PATCH";
	readonly headers?: Readonly<Record<string, string>>;
	readonly body?: string | Uint8Array | Readable;
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

/**
 * Goes through the proxies that the environment names, in either case (HTTPS_PROXY, no_proxy). Import
 * this file when it is needed, which few builds do.
 *
 * @param trust which servers are trusted, and what is shown to them; absent: as node does it
 */
export function webClient({ variables }: Environment, trust?: SecureContext): WebClient {
	const variable = (name: string) => variables[name] || variables[name.toUpperCase()] || "";
	const tls = trust === undefined ? {} : { secureContext: trust };
	// Empty values, lest it look into the environment of the process.
	const dispatcher = new EnvHttpProxyAgent({
		httpProxy: variable("http_proxy"),
		httpsProxy: variable("https_proxy"),
		noProxy: variable("no_proxy"),
		connect: tls,
		requestTls: tls,
	});
	return async (url, { method = "GET", ...request }) => {
		const { origin, pathname, search } = url;
		const path = pathname + search;
		const { statusCode, headers, body } = await dispatcher.request({
			...{ origin, path, method },
			...request,
		});
		return { status: statusCode, headers, body: await textOf(body) };
	};
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
