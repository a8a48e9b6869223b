import { readFile } from "node:fs/promises";
import { UsageError } from "../../errors.js";
import { systemReason } from "../../system-reason.js";
import { DOCKER_HUB } from "../reference.js";

/** The part of ~/.docker/config.json, or of podman's auth.json, that is about registries. */
export interface AuthFile {
	/** Where it came from, for messages: a path, or the name of an environment variable. */
	readonly origin: string;
	/** Credentials or tokens by registry, as they stand in the file. */
	readonly auths: ReadonlyMap<string, AuthEntry>;
	/** The credential helper of one registry; "" means none. */
	readonly credHelpers: ReadonlyMap<string, string>;
	/** The credential helper of all other registries. */
	readonly credsStore: string | undefined;
}

/** One entry of "auths" (docker/cli, cli/config/types.AuthConfig). */
export interface AuthEntry {
	/** Base64 of "user:password". */
	readonly auth?: string;
	readonly username?: string;
	readonly password?: string;
	readonly identitytoken?: string;
	readonly registrytoken?: string;
}

const AUTH_FIELDS = ["auth", "username", "password", "identitytoken", "registrytoken"] as const;

/**
 * A file that is not there is no file.
 * @throws UsageError when it cannot be read or is malformed.
 */
export async function readAuthFile(path: string): Promise<AuthFile | undefined> {
	let text: string;
	try {
		text = await readFile(path, "utf8");
	} catch (error) {
		const code = (error as NodeJS.ErrnoException).code;
		if (code === "ENOENT" || code === "ENOTDIR") return undefined;
		throw new UsageError(`cannot read ${path}: ${systemReason(error)}`, {
			hint: "it holds registry credentials: make it readable",
		});
	}
	return parseAuthFile(text, path);
}

/** @throws UsageError, which names the origin and the field but shows nothing of the text. */
export function parseAuthFile(text: string, origin: string): AuthFile {
	const object = (value: unknown, what: string) => asObject(value, what, origin);
	const config = object(text.trim() === "" ? {} : parseJson(text, origin), "all of it");
	const auths = Object.entries(object(config.auths ?? {}, '"auths"'));
	const credHelpers = Object.entries(object(config.credHelpers ?? {}, '"credHelpers"'));
	return {
		origin,
		auths: new Map(
			auths.map(([registry, entry]) => {
				const where = `${registry} in "auths"`;
				return [registry, asAuthEntry(object(entry ?? {}, where), where, origin)];
			}),
		),
		credHelpers: new Map(
			credHelpers.map(([registry, helper]) => [
				registry,
				asText(helper, `${registry} in "credHelpers"`, origin) ?? "",
			]),
		),
		credsStore: asText(config.credsStore, '"credsStore"', origin),
	};
}

/**
 * The value that belongs to a registry: that of the very key, or else of a key which is an address
 * with the same host ("https://registry.example.com/v1/"), as docker/cli's file store does.
 */
export function findByRegistry<T>(values: ReadonlyMap<string, T>, registry: string): T | undefined {
	const exact = values.get(credentialKey(registry));
	if (exact !== undefined) return exact;
	for (const [key, value] of values) {
		if (hubAsDockerIo(hostOf(key)) === hubAsDockerIo(registry)) return value;
	}
	return undefined;
}

/** The name that docker keeps a registry's credentials under: for the Hub it is a v1 address. */
export function credentialKey(registry: string): string {
	return hubAsDockerIo(registry) === DOCKER_HUB ? "https://index.docker.io/v1/" : registry;
}

/** "https://user@host:port/v1/" and "host:port" are the same registry. */
function hostOf(key: string): string {
	const address = key.replace(/^[^/]*:\/\//, "");
	const authority = address.split("/", 1)[0] ?? "";
	return authority.slice(authority.lastIndexOf("@") + 1);
}

function hubAsDockerIo(registry: string): string {
	return registry === "index.docker.io" ? DOCKER_HUB : registry;
}

function parseJson(text: string, origin: string): unknown {
	try {
		// Editors on Windows begin a file with a byte order mark.
		return JSON.parse(text.replace(/^\ufeff/, ""));
	} catch {
		// The parser's own message quotes the text around the mistake, which may be a password.
		throw new UsageError(`cannot read ${origin}: it is not valid JSON`, {
			hint: "docker reads its credentials from it; repair it, or move it away and log in again",
		});
	}
}

function asObject(value: unknown, what: string, origin: string): Readonly<Record<string, unknown>> {
	if (typeof value === "object" && value !== null && !Array.isArray(value)) {
		return value as Record<string, unknown>;
	}
	throw new UsageError(`cannot read ${origin}: ${what} must be a JSON object`);
}

function asText(value: unknown, what: string, origin: string): string | undefined {
	if (value === undefined || value === null || value === "") return undefined;
	if (typeof value === "string") return value;
	throw new UsageError(`cannot read ${origin}: ${what} must be text`);
}

function asAuthEntry(
	entry: Readonly<Record<string, unknown>>,
	where: string,
	origin: string,
): AuthEntry {
	const result: { -readonly [K in keyof AuthEntry]: AuthEntry[K] } = {};
	for (const field of AUTH_FIELDS) {
		const value = asText(entry[field], `"${field}" of ${where}`, origin);
		if (value !== undefined) result[field] = value;
	}
	return result;
}
