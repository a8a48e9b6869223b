import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Environment } from "../environment.js";
import { RbuildError, UsageError } from "../errors.js";
import { systemReason } from "../system-reason.js";
import { dockerConfigFolder, parseObject } from "./docker-config.js";

/**
 * Docker's contexts, where the docker CLI keeps them (docker/cli, cli/context/store): a folder for each under
 * contexts/meta and, with TLS files, contexts/tls, named by the SHA-256 of the context's name.
 */
export interface DockerContext {
	readonly name: string;
	readonly description: string;
	/** As docker takes it after -H; empty: docker's default socket. */
	readonly host: string;
	readonly skipTlsVerify: boolean;
	/** Absolute paths of those that are there. */
	readonly tlsFiles: { readonly ca?: string; readonly certificate?: string; readonly key?: string };
}

/** One that is there and cannot be used. */
interface BrokenContext {
	readonly name: string;
	readonly error: RbuildError;
}

/** Docker's name for what DOCKER_HOST and the usual sockets lead to. */
export const DEFAULT_CONTEXT = "default";

/** Docker's rule for names (ValidateContextName). */
export function isContextName(name: string): boolean {
	return /^[a-zA-Z0-9][a-zA-Z0-9_.+-]+$/.test(name) && name !== DEFAULT_CONTEXT;
}

/** Absolute; they need not exist. */
export function contextFolders(name: string, environment: Environment) {
	const id = createHash("sha256").update(name).digest("hex");
	const store = join(dockerConfigFolder(environment), "contexts");
	return { meta: join(store, "meta", id), tls: join(store, "tls", id) };
}

/**
 * @returns undefined when there is none of that name
 * @throws UsageError for one that cannot be read
 */
export async function readContext(
	name: string,
	environment: Environment,
): Promise<DockerContext | undefined> {
	const folders = contextFolders(name, environment);
	const read = await readMeta(folders.meta);
	if (read === undefined) return undefined;
	const { path, meta } = read;
	const endpoint = object(object(field(meta, "Endpoints")).docker);
	const host = field(endpoint, "Host") ?? "";
	if (typeof host !== "string" || object(field(meta, "Endpoints")).docker === undefined) {
		throw new UsageError(`${path} has no docker endpoint`, {
			hint: `recreate the context: rbuild hosts rm ${name}, then rbuild hosts add ${name} ssh://user@host`,
		});
	}
	const description = field(object(field(meta, "Metadata")), "Description");
	return {
		name,
		description: typeof description === "string" ? description : "",
		host,
		skipTlsVerify: field(endpoint, "SkipTLSVerify") === true,
		tlsFiles: await tlsFiles(folders.tls),
	};
}

/** All of them, by name. Broken ones are listed, too. */
export async function listContexts(
	environment: Environment,
): Promise<readonly (DockerContext | BrokenContext)[]> {
	const store = join(dockerConfigFolder(environment), "contexts", "meta");
	const ids = await namesIn(store);
	const contexts = await Promise.all(
		ids.map(async (id) => {
			let name = id.slice(0, 12);
			try {
				const read = await readMeta(join(store, id));
				if (read === undefined) return [];
				const told = field(read.meta, "Name");
				if (typeof told !== "string") throw new UsageError(`${read.path} has no name`);
				name = told;
				return (await readContext(name, environment)) ?? misplaced(name, read.path);
			} catch (error) {
				if (error instanceof RbuildError) return { name, error };
				throw error;
			}
		}),
	);
	return contexts.flat().sort((a, b) => a.name.localeCompare(b.name, "en", { numeric: true }));
}

/** As docker, which goes by the folder when it is asked for a name. */
function misplaced(name: string, path: string): never {
	throw new UsageError(`${path} is not where the context "${name}" belongs`, {
		hint: "remove the folder it is in",
	});
}

async function readMeta(folder: string) {
	const path = join(folder, "meta.json");
	try {
		return { path, meta: parseObject(await readFile(path, "utf8"), path) };
	} catch (error) {
		if (error instanceof RbuildError) throw error;
		const { code } = error as NodeJS.ErrnoException;
		if (code === "ENOENT" || code === "ENOTDIR") return undefined;
		throw new UsageError(`cannot read ${path}: ${systemReason(error)}`, { cause: error });
	}
}

async function tlsFiles(folder: string): Promise<DockerContext["tlsFiles"]> {
	const docker = join(folder, "docker");
	const names = await namesIn(docker);
	return {
		...(names.includes("ca.pem") ? { ca: join(docker, "ca.pem") } : {}),
		...(names.includes("cert.pem") ? { certificate: join(docker, "cert.pem") } : {}),
		...(names.includes("key.pem") ? { key: join(docker, "key.pem") } : {}),
	};
}

async function namesIn(folder: string): Promise<readonly string[]> {
	try {
		return await readdir(folder);
	} catch (error) {
		const { code } = error as NodeJS.ErrnoException;
		if (code === "ENOENT" || code === "ENOTDIR") return [];
		throw new UsageError(`cannot read ${folder}: ${systemReason(error)}`, { cause: error });
	}
}

function object(value: unknown): Readonly<Record<string, unknown>> {
	return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

/** Go finds fields whatever their case, so contexts of other programs may have any. */
function field(from: Readonly<Record<string, unknown>>, name: string): unknown {
	if (name in from) return from[name];
	const other = Object.keys(from).find((key) => key.toLowerCase() === name.toLowerCase());
	return other === undefined ? undefined : from[other];
}
