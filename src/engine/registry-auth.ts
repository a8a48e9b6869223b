/**
 * What a registry takes as proof, in the engine API's spelling (AuthConfig, API 1.24 and later):
 * name and password, or one of the tokens.
 */
export interface RegistryAuth {
	readonly username?: string;
	readonly password?: string;
	/** An OAuth2 refresh token, as credential helpers give for the user "<token>". */
	readonly identitytoken?: string;
	/** A bearer token, sent to the registry as it is. */
	readonly registrytoken?: string;
	readonly serveraddress?: string;
}

/** For one request that deals with one registry, such as a push: the header X-Registry-Auth. */
export function registryAuthHeader(auth: RegistryAuth): string {
	return paddedBase64Url(JSON.stringify(auth));
}

/** For the classic builder, which pulls from many: X-Registry-Config, by registry host name. */
export function registryConfigHeader(auths: Readonly<Record<string, RegistryAuth>>): string {
	return paddedBase64Url(JSON.stringify(auths));
}

/** RFC 4648 section 5 with its padding, which Node leaves out and the daemon insists on. */
function paddedBase64Url(text: string): string {
	return Buffer.from(text, "utf8").toString("base64").replaceAll("+", "-").replaceAll("/", "_");
}
