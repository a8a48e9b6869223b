import { createHmac, createPrivateKey, createPublicKey, type KeyObject, sign } from "node:crypto";
import { RbuildError } from "../errors.js";
import { GRPC_STATUS, GrpcError } from "./grpc/grpc-status.js";
import { Auth } from "./proto/gen/auth_pb.js";
import { type SessionService, unary } from "./session-service.js";

/** A registry login. For an identity token (OAuth2 refresh token), `username` is empty. */
interface RegistryLogin {
	readonly username: string;
	readonly secret: string;
}

/**
 * Looks up the login for a registry host as the daemon names it, such as "localhost:5000", "ghcr.io"
 * or "registry-1.docker.io". `undefined` lets the daemon try without one.
 */
export type FindLogin = (host: string, signal: AbortSignal) => Promise<RegistryLogin | undefined>;

/** Gets bearer tokens on this side, so that the daemon needs no login. */
export interface TokenSource {
	/**
	 * Random bytes that are the same for a host in every build; undefined where no token can be got
	 * here: then BuildKit asks for the login and gets its tokens by itself.
	 */
	seedFor(host: string, signal: AbortSignal): Promise<Uint8Array | undefined>;
	fetch(request: TokenRequest, signal: AbortSignal): Promise<RegistryToken>;
}

/** As a registry's challenge names it. */
interface TokenRequest {
	readonly host: string;
	readonly realm: string;
	readonly service: string;
	readonly scopes: readonly string[];
}

interface RegistryToken {
	readonly token: string;
	/** Seconds. */
	readonly expiresIn: number;
	/** Seconds since 1970. */
	readonly issuedAt: number;
}

/**
 * moby.filesync.v1.Auth. A registry that wants a password (Basic) makes BuildKit ask for Credentials.
 * One that wants a token makes it ask for GetTokenAuthority: a key that stands for this side, and with
 * it for the tokens that are then asked for by FetchToken. In the next build BuildKit has that key
 * proved by VerifyTokenAuthority and uses the tokens that it still has (util/resolver/authorizer.go).
 * Only UNAVAILABLE and UNIMPLEMENTED from GetTokenAuthority make it ask for Credentials instead; where
 * FetchToken fails, the build does.
 */
export function authService(findLogin: FindLogin, tokens: TokenSource): SessionService {
	return {
		methods: [
			unary(Auth.method.credentials, async ({ host }, { signal }) => {
				return (await findLogin(host, signal)) ?? {};
			}),
			...tokenMethods(tokens),
		],
	};
}

function tokenMethods(tokens: TokenSource): SessionService["methods"] {
	const keyFor = async (host: string, salt: Uint8Array, signal: AbortSignal) => {
		const seed = await tokens.seedFor(host, signal);
		if (seed !== undefined) return authorityKey(seed, salt);
		throw new GrpcError(GRPC_STATUS.unavailable, `rbuild gets no tokens for ${host}`);
	};
	return [
		unary(Auth.method.getTokenAuthority, async ({ host, salt }, { signal }) => {
			return { publicKey: rawPublicKey(await keyFor(host, salt, signal)) };
		}),
		unary(Auth.method.verifyTokenAuthority, async ({ host, salt, payload }, { signal }) => {
			const key = await keyFor(host, salt, signal);
			// The form of NaCl's sign: the signature, then what is signed.
			return { signed: Buffer.concat([sign(null, payload, key), payload]) };
		}),
		unary(Auth.method.fetchToken, async ({ host, realm, service, scopes }, { signal }) => {
			const token = await fetchToken(tokens, { host, realm, service, scopes }, signal);
			return {
				token: token.token,
				expiresIn: BigInt(Math.floor(token.expiresIn)),
				// BuildKit 0.8 takes a token without this time for one that never expires.
				issuedAt: BigInt(token.issuedAt),
			};
		}),
	];
}

/** The daemon shows the status as the reason why the build failed: no need for a warning, too. */
async function fetchToken(
	tokens: TokenSource,
	request: TokenRequest,
	signal: AbortSignal,
): Promise<RegistryToken> {
	try {
		return await tokens.fetch(request, signal);
	} catch (error) {
		if (!(error instanceof RbuildError)) throw error;
		throw new GrpcError(GRPC_STATUS.unauthenticated, error.message);
	}
}

/** What comes before the 32 bytes of an Ed25519 key in PKCS #8 (RFC 8410, section 7). */
const PKCS8_PREFIX = Buffer.from("302e020100300506032b657004220420", "hex");

/** Another key for each daemon and each of its starts, which the salt stands for. */
function authorityKey(seed: Uint8Array, salt: Uint8Array): KeyObject {
	const secret = createHmac("sha256", salt).update(seed).digest();
	const key = Buffer.concat([PKCS8_PREFIX, secret]);
	return createPrivateKey({ key, format: "der", type: "pkcs8" });
}

/** Of the 44 bytes of its DER form, the last 32 are the key. */
function rawPublicKey(key: KeyObject): Uint8Array {
	return createPublicKey(key).export({ format: "der", type: "spki" }).subarray(-32);
}
