import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { Environment } from "../../environment.js";
import { RbuildError } from "../../errors.js";
import { contextFolders } from "../../target/context-store.js";
import { readTransportSettings } from "../../transport/open-transport.js";
import type { Host } from "./host-list.js";

/** What there is to know of a host on this side, for JSON. */
export async function inspectHost(
	{ name, kind, outcome }: Host,
	environment: Environment,
	signal: AbortSignal,
) {
	const isStored = kind === "context" && name !== "default";
	const storage = isStored ? { storage: contextFolders(name, environment) } : {};
	if (outcome instanceof RbuildError) return storage;
	const { target } = outcome;
	if (target.kind === "tls") {
		const { verify, ca, certificate, key } = target.tls;
		const tlsFiles = {
			...{ verify, key },
			ca: ca && (await describe(ca)),
			certificate: certificate && (await describe(certificate)),
		};
		return { ...storage, tlsFiles };
	}
	const settings = await readTransportSettings(outcome, environment, signal).catch(() => undefined);
	if (settings?.kind !== "ssh") return storage;
	const { hostName, port, user } = settings.ssh;
	return { ...storage, ssh: { hostName, port, user } };
}

async function describe(file: string) {
	try {
		const { subject, validTo } = new X509Certificate(await readFile(file));
		return { file, subject, expires: new Date(validTo) };
	} catch {
		// Why not is in the host's error.
		return { file };
	}
}
