import { dirname, join } from "node:path";
import type { RegistryAuth } from "../../engine/registry-auth.js";
import type { Environment } from "../../environment.js";
import { isLoopback } from "../web/registry-address.js";
import type { WebClient } from "../web/web-client.js";
import { readChallenge } from "./auth-challenge.js";
import { dockerConfigFile } from "./registry-credentials.js";
import { tokenSeed } from "./token-seed.js";
import { askTokenServer, type RegistryToken, type TokenRequest } from "./token-server.js";

/** How long a registry may take to answer before it counts as one that only the box reaches. */
const REACH_TIMEOUT = 3_000;

/** Gets bearer tokens on this side, so that the login itself stays here. */
interface RegistryTokens {
	/**
	 * What proves to a daemon that tokens come from the same machine as in the last build; undefined for
	 * a registry whose token server cannot be reached from here, or where there is no login.
	 */
	seedFor(host: string, signal: AbortSignal): Promise<Uint8Array | undefined>;
	/** @throws DeliveryError */
	fetch(request: TokenRequest, signal: AbortSignal): Promise<RegistryToken>;
}

/** @param loginOf what is known of a host, by the name that the daemon has for it */
export function registryTokens(
	loginOf: (host: string) => Promise<RegistryAuth | undefined>,
	environment: Environment,
	web: WebClient = lateWebClient(environment),
): RegistryTokens {
	const reachable = new Map<string, Promise<boolean>>();
	const fetched = new Map<string, RegistryToken>();

	const isReachable = async (host: string, signal: AbortSignal) => {
		const known = reachable.get(host) ?? reachesTokenServer(host, web, signal);
		reachable.set(host, known);
		const answer = await known;
		// A question that was taken back says nothing for the next one.
		if (signal.aborted) reachable.delete(host);
		return answer;
	};
	return {
		async seedFor(host, signal) {
			const login = await loginOf(host);
			if (login === undefined) return undefined;
			const here = login.registrytoken !== undefined || (await isReachable(host, signal));
			return here ? tokenSeed(seedFile(environment), host) : undefined;
		},
		async fetch(request, signal) {
			const login = await loginOf(request.host);
			if (login?.registrytoken) return staticToken(login.registrytoken);
			const key = JSON.stringify(request);
			const known = fetched.get(key);
			if (known !== undefined && isAlive(known)) return known;
			const token = await askTokenServer(request, login, web, signal);
			fetched.set(key, token);
			return token;
		},
	};
}

function lateWebClient(environment: Environment): WebClient {
	let client: Promise<WebClient> | undefined;
	return async (url, request) => {
		client ??= import("../web/web-client.js").then(({ webClient }) => webClient(environment));
		return (await client)(url, request);
	};
}

function seedFile(environment: Environment): string {
	return join(dirname(dockerConfigFile(environment)), ".token_seed");
}

/** Whether registry and token server answer here over TLS that this side trusts, whatever they say. */
async function reachesTokenServer(
	host: string,
	web: WebClient,
	signal: AbortSignal,
): Promise<boolean> {
	// On this side that is another machine than on the box.
	if (isLoopback(host)) return false;
	const limited = AbortSignal.any([signal, AbortSignal.timeout(REACH_TIMEOUT)]);
	try {
		const { headers } = await web(new URL(`https://${host}/v2/`), { signal: limited });
		const realm = realmIn(headers["www-authenticate"]);
		if (realm?.protocol !== "https:" || isLoopback(realm.host)) return false;
		if (realm.host !== host) await web(realm, { signal: limited });
		return true;
	} catch {
		return false;
	}
}

function realmIn(header: string | string[] | undefined): URL | undefined {
	const challenge = readChallenge(header);
	if (challenge?.scheme !== "bearer") return undefined;
	return URL.canParse(challenge.realm) ? new URL(challenge.realm) : undefined;
}

/** A token that the user put into config.json lives as long as it is there. */
function staticToken(token: string): RegistryToken {
	return { token, issuedAt: Math.floor(Date.now() / 1000), expiresIn: 60 };
}

/** Until nine tenths of its life are over, as in BuildKit. */
function isAlive({ issuedAt, expiresIn }: RegistryToken): boolean {
	return Date.now() / 1000 < issuedAt + expiresIn * 0.9;
}
