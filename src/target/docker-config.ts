import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Environment } from "../environment.js";
import { UsageError } from "../errors.js";
import { systemReason } from "../system-reason.js";
import { writeSettings } from "./settings-file.js";

/** Docker's folder of the user: config.json, the contexts, and TLS files by default. Absolute. */
export function dockerConfigFolder(environment: Environment): string {
	const { variables, homeDirectory, workingDirectory } = environment;
	return resolve(workingDirectory, variables.DOCKER_CONFIG || join(homeDirectory, ".docker"));
}

/**
 * What `docker context use` has chosen.
 * @returns undefined for docker's own default
 * @throws UsageError for a file that cannot be read
 */
export async function currentContext(environment: Environment): Promise<string | undefined> {
	const { config } = await readConfig(environment);
	const { currentContext } = config;
	const isSet = typeof currentContext === "string" && !["", "default"].includes(currentContext);
	return isSet ? currentContext : undefined;
}

/** One entry of "proxies" in config.json; what is written there need not be text. */
export type ProxySettings = {
	readonly [Name in "httpProxy" | "httpsProxy" | "ftpProxy" | "noProxy" | "allProxy"]?: unknown;
};

/**
 * The proxies that docker gives to builds, by the address of the daemon that they are for, or "default".
 * @throws UsageError for a file that cannot be read
 */
export async function proxySettings(
	environment: Environment,
): Promise<Readonly<Record<string, ProxySettings>>> {
	const { proxies } = (await readConfig(environment)).config;
	const isThere = typeof proxies === "object" && proxies !== null;
	return isThere
		? Object.fromEntries(Object.entries(proxies).filter(([, each]) => typeof each === "object"))
		: {};
}

/**
 * As `docker context use`; but of a file that holds more than docker knows, docker keeps only what it knows.
 *
 * @param name undefined for docker's own default
 * @throws UsageError for a file that cannot be read, DeliveryError for one that cannot be written
 */
export async function useContext(name: string | undefined, environment: Environment) {
	const { path, text, config } = await readConfig(environment);
	if ((config.currentContext ?? undefined) === name) return;
	const { currentContext: _old, ...others } = config;
	const changed = name === undefined ? others : { ...config, currentContext: name };
	const indentation = text === "" ? "\t" : (/^[\t ]+(?=")/m.exec(text)?.[0] ?? "");
	const end = text.endsWith("\n") ? "\n" : "";
	await writeSettings(path, JSON.stringify(changed, null, indentation) + end, 0o600);
}

async function readConfig(environment: Environment) {
	const path = join(dockerConfigFolder(environment), "config.json");
	const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
		if (error.code === "ENOENT" || error.code === "ENOTDIR") return "";
		throw new UsageError(`cannot read ${path}: ${systemReason(error)}`, { cause: error });
	});
	return { path, text, config: parseObject(text.trim() === "" ? "{}" : text, path) };
}

/**
 * @param path for the message
 * @throws UsageError with file and line, and nothing of the text: it may hold a password
 */
export function parseObject(text: string, path: string): Readonly<Record<string, unknown>> {
	// Editors on Windows begin a file with a byte order mark.
	const json = text.replace(/^\ufeff/, "");
	let document: unknown;
	try {
		document = JSON.parse(json);
	} catch {
		throw new UsageError(`${path}:${wrongLine(json)} is not valid JSON`, {
			hint: "correct it, or restore it from a copy",
		});
	}
	if (typeof document === "object" && document !== null && !Array.isArray(document)) {
		return document as Record<string, unknown>;
	}
	throw new UsageError(`${path} holds no JSON object`);
}

/** Node does not tell the place of every mistake: this is the first line whose end it cannot wait for. */
function wrongLine(text: string): number {
	const lines = text.split(/(?<=\n)/);
	const wrong = lines.findIndex((_, at) => {
		const start = lines.slice(0, at + 1).join("");
		try {
			JSON.parse(start);
			return false;
		} catch (error) {
			const { message } = error as Error;
			const position = /at position (\d+)/.exec(message)?.[1];
			return !/end of JSON input|Unterminated/.test(message) && Number(position) !== start.length;
		}
	});
	return wrong < 0 ? lines.length : wrong + 1;
}
