import type { FindLogin, TokenSource } from "../buildkit/auth.js";
import type { RegistryAuth } from "../engine/registry-auth.js";
import type { Environment } from "../environment.js";
import { DOCKER_HUB, parseReference } from "../image/reference.js";
import { type CredentialSource, registryAuths } from "../image/registry-credentials.js";
import { registryTokens } from "../image/registry-tokens.js";
import { namedImages } from "./base-images.js";

/** The name by which BuildKit asks for the Docker Hub's credentials. */
const HUB_SERVER = "registry-1.docker.io";

/** Answers BuildKit's questions for registry credentials, one host at a time. */
export function findLogin(source: CredentialSource): FindLogin {
	return async (host) => {
		const auth = await source.credentialsFor(registryAt(host));
		if (auth?.identitytoken) return { username: "", secret: auth.identitytoken };
		if (auth?.username === undefined) return undefined;
		return { username: auth.username, secret: auth.password ?? "" };
	};
}

/** Gets the tokens that BuildKit asks for with the same credentials. */
export function tokensFor(source: CredentialSource, environment: Environment): TokenSource {
	return registryTokens((host) => source.credentialsFor(registryAt(host)), environment);
}

function registryAt(host: string): string {
	return host === HUB_SERVER ? DOCKER_HUB : host;
}

/** The credentials that the classic builder needs in advance: those of the FROM lines' registries. */
export async function baseImageAuths(
	dockerfile: Uint8Array | undefined,
	buildArgs: Readonly<Record<string, string | null>>,
	source: CredentialSource,
): Promise<Readonly<Record<string, RegistryAuth>>> {
	if (dockerfile === undefined) return {};
	const { images } = await namedImages(new TextDecoder().decode(dockerfile), buildArgs);
	return registryAuths(images.flatMap(registryOf), source);
}

/** None for a name that the daemon will refuse: the daemon says so better. */
function registryOf(image: string): string[] {
	try {
		return [parseReference(image).domain];
	} catch {
		return [];
	}
}
