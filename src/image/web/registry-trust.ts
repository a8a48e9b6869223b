import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import * as tls from "node:tls";
import type { Environment } from "../../environment.js";
import { DeliveryError } from "../../errors.js";
import { systemReason } from "../../system-reason.js";
import { systemCertificates } from "./system-certificates.js";

/** Where Linux distributions keep whom they trust; the first that is there counts (Go, crypto/x509). */
const SYSTEM_BUNDLES = [
	"/etc/ssl/certs/ca-certificates.crt",
	"/etc/pki/tls/certs/ca-bundle.crt",
	"/etc/ssl/ca-bundle.pem",
	"/etc/pki/tls/cacert.pem",
	"/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
	"/etc/ssl/cert.pem",
];

/**
 * Whom a registry's certificate may be signed by: whoever this machine trusts, and those in docker's
 * certs.d folder of that registry. What that folder has to show to the registry is shown to it.
 *
 * @param host with its port, if it has one
 * @throws DeliveryError for a folder that cannot be used
 */
export async function registryTrust(
	host: string,
	environment: Environment,
): Promise<tls.SecureContext> {
	const [system, own] = await Promise.all([
		systemAuthorities(environment),
		registryFiles(host, environment),
	]);
	try {
		return tls.createSecureContext({ minVersion: "TLSv1.2", ...own, ca: [...system, ...own.ca] });
	} catch (error) {
		throw new DeliveryError(
			`the certificates for ${host} cannot be used: ${(error as Error).message}`,
			{ hint: `look at the files in ${own.folder}`, cause: error },
		);
	}
}

/** As node does it where the system's own are not to be had; NODE_EXTRA_CA_CERTS goes with either. */
async function systemAuthorities({ variables, platform }: Environment) {
	const extra = await contentOf(variables.NODE_EXTRA_CA_CERTS);
	const ofSystem = platform === "linux" ? [] : await systemCertificates();
	if (ofSystem.length > 0) return [...tls.rootCertificates, ...ofSystem, ...extra];
	const { SSL_CERT_FILE: named } = variables;
	const bundles = platform === "win32" ? [] : SYSTEM_BUNDLES;
	for (const path of named ? [named] : bundles) {
		const bundle = await contentOf(path);
		if (bundle.length > 0) return [...bundle, ...extra];
	}
	return [...tls.rootCertificates, ...extra];
}

async function contentOf(path: string | undefined): Promise<readonly Buffer[]> {
	const content = path && (await readFile(path).catch(() => undefined));
	return content ? [content] : [];
}

interface RegistryFiles {
	readonly folder: string;
	readonly ca: readonly Buffer[];
	readonly cert?: Buffer;
	readonly key?: Buffer;
}

/** What the first folder of that name holds: CAs as *.crt, a certificate and its key as *.cert and *.key. */
async function registryFiles(host: string, environment: Environment): Promise<RegistryFiles> {
	for (const parent of certificateFolders(environment)) {
		// Windows has no colon in file names (moby, registry.HostCertsDir).
		const name = environment.platform === "win32" ? host.replaceAll(":", "") : host;
		const folder = join(parent, name);
		const names = await readdir(folder).catch(() => undefined);
		if (names !== undefined) return readFolder(folder, names.toSorted());
	}
	return { folder: "", ca: [] };
}

/** Of docker, its rootless daemon, Docker Desktop and podman; the user's own come first. */
function certificateFolders({ variables, homeDirectory, platform }: Environment): string[] {
	const docker = join(homeDirectory, ".docker", "certs.d");
	if (platform === "win32") {
		return [docker, join(variables.PROGRAMDATA ?? "C:\\ProgramData", "docker", "certs.d")];
	}
	const config = variables.XDG_CONFIG_HOME || join(homeDirectory, ".config");
	return [docker, `${config}/docker/certs.d`, `${config}/containers/certs.d`].concat(
		"/etc/containers/certs.d",
		"/etc/docker/certs.d",
	);
}

async function readFolder(folder: string, names: readonly string[]): Promise<RegistryFiles> {
	const read = (name: string) =>
		readFile(join(folder, name)).catch((error: NodeJS.ErrnoException) => {
			throw new DeliveryError(`cannot read ${join(folder, name)}: ${systemReason(error)}`, {
				hint: "a certificate needs its key beside it, as NAME.cert and NAME.key, that you may read",
			});
		});
	const ca = await Promise.all(names.filter((name) => name.endsWith(".crt")).map(read));
	const client = names.find((name) => name.endsWith(".cert"));
	if (client === undefined) return { folder, ca };
	const [cert, key] = await Promise.all([read(client), read(client.replace(/\.cert$/, ".key"))]);
	return { folder, ca, cert, key };
}
