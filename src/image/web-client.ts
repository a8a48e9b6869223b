import { type Dispatcher, EnvHttpProxyAgent } from "undici";
import type { Environment } from "../environment.js";

export interface WebRequest {
	readonly method?: "GET" | "POST";
	readonly headers?: Readonly<Record<string, string>>;
	readonly body?: string;
	readonly signal: AbortSignal;
}

export interface WebAnswer {
	readonly status: number;
	readonly headers: Dispatcher.ResponseData["headers"];
	readonly body: string;
}

/** Asks a web server; whatever undici throws when there is no answer. Redirects are not followed. */
export type WebClient = (url: URL, request: WebRequest) => Promise<WebAnswer>;

/**
 * Goes through the proxies that the environment names, in either case (HTTPS_PROXY, no_proxy). Import
 * this file when it is needed, which few builds do.
 */
export function webClient({ variables }: Environment): WebClient {
	const variable = (name: string) => variables[name] || variables[name.toUpperCase()] || "";
	// Empty values, lest it look into the environment of the process.
	const dispatcher = new EnvHttpProxyAgent({
		httpProxy: variable("http_proxy"),
		httpsProxy: variable("https_proxy"),
		noProxy: variable("no_proxy"),
	});
	return async (url, { method = "GET", ...request }) => {
		const { origin, pathname, search } = url;
		const path = pathname + search;
		const { statusCode, headers, body } = await dispatcher.request({
			...{ origin, path, method },
			...request,
		});
		return { status: statusCode, headers, body: await body.text() };
	};
}
