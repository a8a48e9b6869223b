import { Auth } from "./proto/gen/auth_pb.js";
import { type SessionService, unary } from "./session-service.js";

/** A registry login. For an identity token (OAuth2 refresh token), `username` is empty. */
export interface RegistryLogin {
	readonly username: string;
	readonly secret: string;
}

/**
 * Looks up the login for a registry host as the daemon names it, such as "localhost:5000", "ghcr.io"
 * or "registry-1.docker.io". `undefined` lets the daemon try without one.
 */
export type FindLogin = (host: string, signal: AbortSignal) => Promise<RegistryLogin | undefined>;

/**
 * moby.filesync.v1.Auth, as far as it is needed for private base images. GetTokenAuthority,
 * FetchToken and VerifyTokenAuthority stay unimplemented: then BuildKit asks for the login and gets
 * its tokens from the registry by itself (util/resolver/authorizer.go). They would keep the password
 * on this side, but need this side to reach the registry, which the daemon's network may have alone.
 */
export function authService(findLogin: FindLogin): SessionService {
	return {
		methods: [
			unary(Auth.method.credentials, async ({ host }, { signal }) => {
				return (await findLogin(host, signal)) ?? {};
			}),
		],
	};
}
