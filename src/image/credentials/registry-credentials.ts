import { join, resolve } from "node:path";
import type { RegistryAuth } from "../../engine/registry-auth.js";
import type { Environment } from "../../environment.js";
import { UsageError } from "../../errors.js";
import type { Run } from "../../events.js";
import { dockerConfigFolder } from "../../target/docker-config.js";
import {
	type AuthEntry,
	type AuthFile,
	credentialKey,
	findByRegistry,
	parseAuthFile,
	readAuthFile,
} from "./auth-file.js";
import { askCredentialHelper, HelperMissing } from "./credential-helper.js";

export interface CredentialSource {
	/**
	 * The credentials of one registry, such as "docker.io" or "localhost:5000"; undefined: anonymous.
	 * Only this registry's are looked up, when they are first asked for, and once. What comes back is
	 * secret: never put it into an event, an error or a log.
	 * @throws UsageError for a malformed file; DeliveryError for a helper that fails; InterruptedError.
	 */
	credentialsFor(registry: string): Promise<RegistryAuth | undefined>;
}

/**
 * The user's registry credentials, as docker and podman know them: DOCKER_AUTH_CONFIG, then
 * ~/.docker/config.json with its credential helpers, then podman's auth.json.
 */
export function registryCredentials(environment: Environment, run: Run): CredentialSource {
	const known = new Map<string, Promise<RegistryAuth | undefined>>();
	let files: Promise<readonly AuthFile[]> | undefined;
	const lookUp = async (registry: string) => {
		files ??= readAuthFiles(environment);
		for (const file of await files) {
			const credentials = await fromFile(file, registry, environment, run);
			if (credentials !== undefined) return credentials;
		}
		return undefined;
	};
	return {
		credentialsFor(registry) {
			const asked = known.get(registry) ?? lookUp(registry);
			known.set(registry, asked);
			return asked;
		},
	};
}

/**
 * For the classic builder, which takes its credentials with the request: those of the registries that
 * the Dockerfile's FROM lines name, and of no other, by the name that the daemon looks for.
 */
export async function registryAuths(
	registries: Iterable<string>,
	source: CredentialSource,
): Promise<Readonly<Record<string, RegistryAuth>>> {
	const found = await Promise.all(
		[...new Set(registries)].map(async (registry) => {
			const auth = await source.credentialsFor(registry);
			return auth === undefined ? [] : [[credentialKey(registry), auth] as const];
		}),
	);
	return Object.fromEntries(found.flat());
}

/** That there are credentials of a registry, and who keeps them; nothing of what they are. */
export interface StoredLogin {
	/** As it is named there; absent: whatever registries the helper knows. */
	readonly registry?: string;
	/** A file, or the name of a variable. */
	readonly origin: string;
	/** Absent: they stand there themselves. */
	readonly helper?: string;
}

/** @throws UsageError for a malformed file */
export async function listLogins(environment: Environment): Promise<readonly StoredLogin[]> {
	return (await readAuthFiles(environment)).flatMap(
		({ origin, auths, credHelpers, credsStore }): StoredLogin[] => [
			...[...credHelpers].flatMap(([registry, helper]) =>
				helper === "" ? [] : { registry, origin, helper },
			),
			...[...auths.keys()]
				.filter((registry) => credHelpers.get(registry) === undefined)
				.map((registry) => ({
					registry,
					origin,
					...(credsStore === undefined ? {} : { helper: credsStore }),
				})),
			...(credsStore === undefined ? [] : [{ origin, helper: credsStore }]),
		],
	);
}

/** The file that `docker login` writes. */
export function dockerConfigFile(environment: Environment): string {
	return join(dockerConfigFolder(environment), "config.json");
}

async function readAuthFiles(environment: Environment): Promise<readonly AuthFile[]> {
	const inline = environment.variables.DOCKER_AUTH_CONFIG;
	const paths = [dockerConfigFile(environment), ...podmanAuthFiles(environment)];
	const files = await Promise.all(paths.map(readAuthFile));
	return [inline ? parseAuthFile(inline, "DOCKER_AUTH_CONFIG") : undefined, ...files].filter(
		(file) => file !== undefined,
	);
}

/** containers-auth.json(5). Keys for a part of a registry count for all of it here. */
function podmanAuthFiles({ variables, homeDirectory, workingDirectory }: Environment): string[] {
	if (variables.REGISTRY_AUTH_FILE)
		return [resolve(workingDirectory, variables.REGISTRY_AUTH_FILE)];
	const runtime = variables.XDG_RUNTIME_DIR;
	const config = variables.XDG_CONFIG_HOME || join(homeDirectory, ".config");
	return [...(runtime ? [runtime] : []), config].map((folder) =>
		join(folder, "containers", "auth.json"),
	);
}

async function fromFile(
	file: AuthFile,
	registry: string,
	environment: Environment,
	run: Run,
): Promise<RegistryAuth | undefined> {
	const helper = findByRegistry(file.credHelpers, registry) ?? file.credsStore;
	if (helper) {
		try {
			return await fromHelper(helper, registry, environment, run);
		} catch (error) {
			if (!(error instanceof HelperMissing)) throw error;
			// Docker Desktop leaves its credsStore behind in config.json when it is removed.
			run.emit({
				type: "warning",
				message: `${error.message}, which ${file.origin} names for ${registry}, is not on the PATH`,
				hint: `install it, or take it out of ${file.origin} and run: docker login ${registry}`,
			});
		}
	}
	const entry = findByRegistry(file.auths, registry);
	return entry && fromEntry(entry, registry, file.origin);
}

async function fromHelper(
	helper: string,
	registry: string,
	environment: Environment,
	run: Run,
): Promise<RegistryAuth | undefined> {
	const serveraddress = credentialKey(registry);
	const answer = await askCredentialHelper(helper, serveraddress, environment, run.signal);
	if (answer === undefined) return undefined;
	if (answer.username === "<token>") {
		return { serveraddress, identitytoken: answer.secret };
	}
	return { serveraddress, username: answer.username, password: answer.secret };
}

function fromEntry(entry: AuthEntry, registry: string, origin: string): RegistryAuth | undefined {
	const serveraddress = credentialKey(registry);
	const { identitytoken, registrytoken } = entry;
	if (registrytoken) return { serveraddress, registrytoken };
	if (identitytoken) return { serveraddress, identitytoken };
	const [username, password] = entry.auth
		? decodeAuth(entry.auth, registry, origin)
		: [entry.username, entry.password];
	if (!username || password === undefined) return undefined;
	return { serveraddress, username, password };
}

function decodeAuth(auth: string, registry: string, origin: string): [string, string] {
	const decoded = Buffer.from(auth, "base64").toString();
	const colon = decoded.indexOf(":");
	if (colon < 1) {
		throw new UsageError(
			`cannot read ${origin}: "auth" of ${registry} is not base64 of user:password`,
			{ hint: `log in again: docker login ${registry}` },
		);
	}
	// Old versions of docker padded the password with NULs.
	return [decoded.slice(0, colon), decoded.slice(colon + 1).replace(/^\0+|\0+$/g, "")];
}
