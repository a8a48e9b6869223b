import type { Environment } from "../../environment.js";
import { isLoopback } from "./registry-address.js";
import { registryTrust } from "./registry-trust.js";
import { type WebClient, webClient } from "./web-client.js";

/**
 * Asks registries and their token servers, each with the certificates that are meant for it. This very
 * machine is never asked through a proxy.
 */
export function registryWeb(environment: Environment): WebClient {
	const clients = new Map<string, Promise<WebClient>>();
	const direct = { ...environment, variables: {} };
	const open = async (host: string) =>
		webClient(isLoopback(host) ? direct : environment, await registryTrust(host, environment));
	return async (url, request) => {
		const client = clients.get(url.host) ?? open(url.host);
		clients.set(url.host, client);
		return (await client)(url, request);
	};
}
