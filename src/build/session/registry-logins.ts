import type { FindLogin, TokenSource } from "../../buildkit/auth.js";
import type { RegistryAuth } from "../../engine/registry-auth.js";
import type { Environment } from "../../environment.js";
import {
	type CredentialSource,
	registryAuths,
} from "../../image/credentials/registry-credentials.js";
import { registryTokens } from "../../image/credentials/registry-tokens.js";
import { parseReference } from "../../image/reference.js";
import { registryAt } from "../../image/web/registry-address.js";
import type { PlannedRequest } from "../plan/build-plan.js";

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

/** The credentials that the classic builder needs in advance: those of the registries of what it builds from. */
export async function baseImageAuths(
	dockerfile: Uint8Array | undefined,
	{ target, buildArgs }: Pick<PlannedRequest, "target" | "buildArgs">,
	source: CredentialSource,
): Promise<Readonly<Record<string, RegistryAuth>>> {
	if (dockerfile === undefined) return {};
	const { namedImages } = await import("../../survey/dockerfile/named-images.js");
	const options = { target, buildArgs, builder: "classic" } as const;
	const { images } = namedImages(new TextDecoder().decode(dockerfile), options);
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
