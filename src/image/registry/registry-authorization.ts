import type { RegistryAuth } from "../../engine/registry-auth.js";
import { type AuthChallenge, readChallenge } from "../credentials/auth-challenge.js";
import { askTokenServer, TokenFailure } from "../credentials/token-server.js";
import { registryAt } from "../web/registry-address.js";
import type { WebClient } from "../web/web-client.js";
import { loginHint, RegistryFailure } from "./registry-failure.js";

interface KnownToken {
	readonly asked: Promise<string>;
	/** What was asked for, when it has come. */
	token?: string;
	/** Milliseconds since 1970, when it is time for another one. */
	until: number;
}

/** Of a token's life, the share in which it is used: a request needs time, too. */
const USED_LIFE = 0.9;

/** Proves to one registry who asks, in the way that it wants: not at all, with a password, or with tokens. */
export class RegistryAuthorization {
	readonly #host: string;
	readonly #login: RegistryAuth | undefined;
	readonly #web: WebClient;
	readonly #tokens = new Map<string, KnownToken>();
	/** What must not be seen by anybody else. */
	readonly #secrets: Set<string>;
	#challenge: AuthChallenge | undefined;

	constructor(host: string, login: RegistryAuth | undefined, web: WebClient) {
		this.#host = host;
		this.#login = login;
		this.#web = web;
		const { password, identitytoken, registrytoken } = login ?? {};
		const secrets = [password, identitytoken, registrytoken, login && basic(login)];
		this.#secrets = new Set(secrets.flatMap((secret) => secret || []));
	}

	get loggedIn(): boolean {
		return this.#login !== undefined;
	}

	/**
	 * The header for a request that needs these scopes, such as "repository:me/app:pull,push".
	 * @throws RegistryFailure where the token server gives no token
	 */
	async header(scopes: readonly string[], signal: AbortSignal): Promise<string | undefined> {
		const { registrytoken } = this.#login ?? {};
		if (registrytoken) return `Bearer ${registrytoken}`;
		if (this.#challenge?.scheme === "bearer") {
			return `Bearer ${await this.#token(this.#challenge, scopes, signal)}`;
		}
		if (this.#challenge === undefined || !this.#login?.username) return undefined;
		return `Basic ${basic(this.#login)}`;
	}

	/**
	 * Hears that the registry has refused a request.
	 * @param header that request's; undefined where it had none
	 * @returns whether it may help to ask again
	 */
	refused(challenge: string | string[] | undefined, header: string | undefined): boolean {
		const before = this.#challenge;
		this.#challenge = readChallenge(challenge) ?? before;
		if (this.#login?.registrytoken || this.#challenge === undefined) return false;
		if (this.#challenge.scheme === "basic") return header === undefined && this.loggedIn;
		for (const [scopes, { token }] of this.#tokens) {
			// Another request may have got a new one meanwhile.
			if (header === `Bearer ${token}`) this.#tokens.delete(scopes);
		}
		return true;
	}

	/** A text without the login and its tokens, which a registry may have sent back. */
	withoutSecrets(text: string): string {
		return [...this.#secrets].reduce((rest, secret) => rest.replaceAll(secret, "***"), text);
	}

	async #token(
		{ realm, service, scopes: wanted }: AuthChallenge & { scheme: "bearer" },
		scopes: readonly string[],
		signal: AbortSignal,
	): Promise<string> {
		const all = scopes.length > 0 ? scopes : wanted;
		const key = JSON.stringify([realm, service, ...all]);
		const known = this.#tokens.get(key);
		if (known !== undefined && known.until > Date.now()) return known.asked;
		const request = { host: this.#host, realm, service, scopes: all };
		const fetched = askTokenServer(request, this.#login, this.#web, signal);
		const asked = fetched.then(
			({ token, expiresIn }) => {
				this.#secrets.add(token);
				// By this side's clock: that of the token server may be another.
				Object.assign(entry, { token, until: Date.now() + expiresIn * 1000 * USED_LIFE });
				return token;
			},
			(error: unknown) => {
				this.#tokens.delete(key);
				throw this.#noToken(error);
			},
		);
		const entry: KnownToken = { asked, until: Number.POSITIVE_INFINITY };
		this.#tokens.set(key, entry);
		return asked;
	}

	#noToken(error: unknown): unknown {
		if (!(error instanceof TokenFailure)) return error;
		const hint = error.refused ? loginHint(registryAt(this.#host), this.loggedIn) : undefined;
		return new RegistryFailure(error.message, { hint });
	}
}

function basic({ username = "", password = "" }: RegistryAuth): string {
	return Buffer.from(`${username}:${password}`).toString("base64");
}
