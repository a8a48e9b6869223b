import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Environment } from "../environment.js";
import { contextFolders, type DockerContext } from "./context-store.js";
import { settingsFailure, writeSettings } from "./settings-file.js";

/** What a new context is made of. */
interface ContextContent extends Omit<DockerContext, "tlsFiles"> {
	/** PEM. */
	readonly tls: {
		readonly ca?: Uint8Array;
		readonly certificate?: Uint8Array;
		readonly key?: Uint8Array;
	};
}

/** Writes what `docker context create` would. @throws DeliveryError when a file cannot be written */
export async function writeContext(content: ContextContent, environment: Environment) {
	const { name, description, host, skipTlsVerify, tls } = content;
	const folders = contextFolders(name, environment);
	const pems = { "ca.pem": tls.ca, "cert.pem": tls.certificate, "key.pem": tls.key };
	for (const [file, pem] of Object.entries(pems)) {
		if (pem !== undefined) await writeSettings(join(folders.tls, "docker", file), pem, 0o600);
	}
	const meta = {
		Name: name,
		Metadata: description === "" ? {} : { Description: description },
		Endpoints: { docker: { Host: host, SkipTLSVerify: skipTlsVerify } },
	};
	// Last: with it, the context is there.
	await writeSettings(join(folders.meta, "meta.json"), JSON.stringify(meta), 0o644);
}

/** @throws DeliveryError when it cannot be removed */
export async function removeContext(name: string, environment: Environment): Promise<void> {
	const folders = contextFolders(name, environment);
	for (const folder of [folders.meta, folders.tls]) {
		try {
			await rm(folder, { recursive: true, force: true });
		} catch (error) {
			throw settingsFailure(`cannot remove ${folder}`, error);
		}
	}
}
