import { STATUS_CODES } from "node:http";
import type { RegistryAuth } from "../../engine/registry-auth.js";
import { DeliveryError } from "../../errors.js";
import { systemReason } from "../../system-reason.js";
import type { WebAnswer, WebClient } from "../web/web-client.js";

/** What a registry wants to see a token for, as its challenge says (distribution's token spec). */
export interface TokenRequest {
	/** The registry, such as "ghcr.io". */
	readonly host: string;
	/** The address of the token server. */
	readonly realm: string;
	readonly service: string;
	/** Such as "repository:me/app:pull". */
	readonly scopes: readonly string[];
}

/** A bearer token. */
export interface RegistryToken {
	readonly token: string;
	/** Seconds since 1970. */
	readonly issuedAt: number;
	/** Seconds. */
	readonly expiresIn: number;
}

/** Where a token server does not say how long its token lives, in seconds (the token spec). */
const DEFAULT_LIFE = 60;
/** There is no token to be had. */
export class TokenFailure extends DeliveryError {
	override readonly name = "DeliveryError";
	/** Whether it is because of the login, or because there is none. */
	readonly refused: boolean;

	constructor({ host, realm }: TokenRequest, reason: string, { refused = false } = {}) {
		const place = URL.canParse(realm) ? new URL(realm).host : "its token server";
		super(`no token for ${host} from ${place}: ${reason}`);
		this.refused = refused;
	}
}

const CLIENT_ID = "rbuild";
const TIMEOUT = 20_000;

/**
 * Has a token server make a token: an identity token is exchanged by OAuth's POST, a password is sent
 * by GET, which all servers take, and by POST to one that has no GET. Without a login the token is anybody's.
 *
 * @throws TokenFailure, without a word of the answer or the login
 */
export async function askTokenServer(
	request: TokenRequest,
	auth: RegistryAuth | undefined,
	web: WebClient,
	signal: AbortSignal,
): Promise<RegistryToken> {
	const limited = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT)]);
	const realm = secureRealm(request);
	let answer: WebAnswer;
	try {
		if (auth?.identitytoken) {
			answer = await post(realm, request, refreshGrant(auth.identitytoken), web, limited);
		} else {
			answer = await get(realm, request, auth, web, limited);
			if (auth?.username && (answer.status === 404 || answer.status === 405)) {
				answer = await post(realm, request, passwordGrant(auth), web, limited);
			}
		}
	} catch (error) {
		throw new TokenFailure(request, `it cannot be reached: ${systemReason(error)}`);
	}
	if (answer.status === 401 || answer.status === 403) {
		const login = auth === undefined ? "requires a login" : "does not accept the login";
		throw new TokenFailure(request, `it ${login} (${statusName(answer.status)})`, {
			refused: true,
		});
	}
	if (answer.status !== 200) {
		throw new TokenFailure(request, `it answers ${statusName(answer.status)}`);
	}
	return readToken(answer.body, request);
}

/** A login goes over no plain connection, whatever the challenge says. */
function secureRealm(request: TokenRequest): URL {
	if (/^https:/i.test(request.realm) && URL.canParse(request.realm)) return new URL(request.realm);
	throw new TokenFailure(request, "its address is not https");
}

function get(
	realm: URL,
	{ service, scopes }: TokenRequest,
	auth: RegistryAuth | undefined,
	web: WebClient,
	signal: AbortSignal,
): Promise<WebAnswer> {
	const url = new URL(realm);
	if (service !== "") url.searchParams.set("service", service);
	for (const scope of scopes) url.searchParams.append("scope", scope);
	if (!auth?.username) return web(url, { signal });
	const login = Buffer.from(`${auth.username}:${auth.password ?? ""}`).toString("base64");
	return web(url, { headers: { Authorization: `Basic ${login}` }, signal });
}

function post(
	realm: URL,
	{ service, scopes }: TokenRequest,
	grant: Readonly<Record<string, string>>,
	web: WebClient,
	signal: AbortSignal,
): Promise<WebAnswer> {
	const form = new URLSearchParams({
		...grant,
		client_id: CLIENT_ID,
		service,
		scope: scopes.join(" "),
	});
	return web(realm, {
		method: "POST",
		headers: { "Content-Type": "application/x-www-form-urlencoded" },
		body: form.toString(),
		signal,
	});
}

function refreshGrant(token: string): Readonly<Record<string, string>> {
	return { grant_type: "refresh_token", refresh_token: token };
}

function passwordGrant({ username = "", password = "" }: RegistryAuth) {
	return { grant_type: "password", username, password };
}

function readToken(body: string, request: TokenRequest): RegistryToken {
	let answer: Record<string, unknown> = {};
	try {
		answer = JSON.parse(body) ?? {};
	} catch {
		// Falls through: the parser's message would quote the token.
	}
	const { token, access_token, expires_in, issued_at } = answer;
	const found = [token, access_token].find((each) => typeof each === "string" && each !== "");
	if (typeof found !== "string") throw new TokenFailure(request, "its answer holds no token");
	const issued = typeof issued_at === "string" ? Date.parse(issued_at) : Number.NaN;
	return {
		token: found,
		issuedAt: Math.floor((Number.isNaN(issued) ? Date.now() : issued) / 1000),
		expiresIn: typeof expires_in === "number" && expires_in > 0 ? expires_in : DEFAULT_LIFE,
	};
}

function statusName(status: number): string {
	return `${status} ${STATUS_CODES[status] ?? ""}`.trimEnd();
}
