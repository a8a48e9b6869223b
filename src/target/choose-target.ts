import type { Environment } from "../environment.js";
import { ConnectionError, DeliveryError, UsageError } from "../errors.js";
import {
	DEFAULT_CONTEXT,
	type DockerContext,
	isContextName,
	readContext,
} from "./context-store.js";
import { currentContext } from "./docker-config.js";
import { localSocket } from "./local-sockets.js";
import { isLoopbackHost } from "./loopback.js";
import { DOCKER_PORTS, parseTarget } from "./parse-target.js";
import type { ChosenTarget, Target } from "./target.js";
import { chooseTlsFiles, type TlsOptions } from "./tls-files.js";

export interface TargetOptions extends TlsOptions {
	/** Use a daemon on tcp:// without TLS that is not on this machine. */
	readonly insecure?: boolean;
}

/** In place of a name: any box that there is. */
export const AUTO = "auto";

/**
 * What the user has named: --on, else RBUILD_ON, which may hold several names with commas or blanks in
 * between. An empty variable counts as not set, as it does for docker.
 */
export function namedBoxes(
	on: string | readonly string[] | undefined,
	{ variables }: Environment,
): { readonly names: readonly string[]; readonly namedBy: string } {
	const given = [on ?? []].flat();
	return given.length > 0
		? { names: given, namedBy: "--on" }
		: { names: splitNames(variables.RBUILD_ON), namedBy: "RBUILD_ON" };
}

export function splitNames(text = ""): readonly string[] {
	return text.split(/[\s,]+/).filter((name) => name !== "");
}

/**
 * Where to build if nothing is named: as docker decides it (docker/cli, resolveContextName) DOCKER_HOST,
 * DOCKER_CONTEXT, the context of `docker context use`, and at last the first local socket that exists.
 *
 * @throws UsageError for a target that makes no sense; ConnectionError when there is no local daemon
 */
export async function usualTarget(
	options: TargetOptions,
	environment: Environment,
): Promise<ChosenTarget> {
	return (await currentTarget(options, environment)) ?? (await localTarget(environment));
}

/**
 * What one name stands for: a docker context before an ssh alias, which ssh://NAME always is.
 *
 * @param namedBy such as "--on"
 * @throws UsageError for a target that makes no sense; ConnectionError when it is a local daemon that is
 * not there
 */
export async function namedTarget(
	name: string,
	namedBy: string,
	options: TargetOptions,
	environment: Environment,
): Promise<ChosenTarget> {
	if (name === DEFAULT_CONTEXT) {
		const host = environment.variables.DOCKER_HOST;
		if (host) return writtenTarget(host, "DOCKER_HOST", options, environment);
		return localTarget(environment);
	}
	const context = isContextName(name) ? await readContext(name, environment) : undefined;
	if (context === undefined) return writtenTarget(name, namedBy, options, environment);
	const { target } = await contextTarget(context, namedBy, options, environment);
	const { sshAliases } = await import("./ssh-aliases.js");
	const isAlias = (await sshAliases(environment)).includes(name);
	const isSame = target.kind === "ssh" && target.host === name;
	const other = isAlias && !isSame ? `; the ssh alias is ssh://${name}` : "";
	return { target, chosenBy: `docker context "${name}", by ${namedBy}${other}` };
}

/** What a docker context leads to. */
export async function contextTarget(
	{ name, host, skipTlsVerify, tlsFiles }: DockerContext,
	namedBy: string,
	{ insecure }: TargetOptions,
	environment: Environment,
): Promise<ChosenTarget> {
	const chosenBy = `docker context "${name}", by ${namedBy}`;
	if (host === "") return { ...(await localTarget(environment)), chosenBy };
	const hasTls = skipTlsVerify || Object.keys(tlsFiles).length > 0;
	const parsed = parse(host, `docker context "${name}"`, hasTls);
	if (parsed.kind !== "tcp") return { target: parsed, chosenBy };
	const { host: machine, port } = parsed;
	const tls = { verify: !skipTlsVerify, ...tlsFiles };
	const target: Target = hasTls
		? { kind: "tls", host: machine, port, tls }
		: { ...parsed, ...(insecure ? { insecure } : {}) };
	return { target, chosenBy };
}

/** What docker itself would use, if that is named anywhere. */
async function currentTarget(
	options: TargetOptions,
	environment: Environment,
): Promise<ChosenTarget | undefined> {
	const { DOCKER_HOST, DOCKER_CONTEXT } = environment.variables;
	if (DOCKER_HOST) return writtenTarget(DOCKER_HOST, "DOCKER_HOST", options, environment);
	const name = DOCKER_CONTEXT || (await currentContext(environment));
	if (name === undefined || name === DEFAULT_CONTEXT) return undefined;
	const namedBy = DOCKER_CONTEXT ? "DOCKER_CONTEXT" : "docker context use";
	const context = await readContext(name, environment);
	if (context !== undefined) return contextTarget(context, namedBy, options, environment);
	throw new UsageError(`${namedBy}: there is no docker context "${name}"`, {
		hint: "list them with: rbuild hosts",
	});
}

/** To docker, such a DOCKER_HOST is an address of TCP (docker/cli, opts.ParseHost). */
const HOST_AND_PORT = /^(?:\[[^\]]*\]|[^@/:]+):\d+$/;

/** An address or ssh alias. */
async function writtenTarget(
	written: string,
	namedBy: string,
	options: TargetOptions,
	environment: Environment,
): Promise<ChosenTarget> {
	const isDockers = namedBy === "DOCKER_HOST" && HOST_AND_PORT.test(written);
	const text = isDockers ? `tcp://${written}` : written;
	const isTcp = /^tcp:/i.test(text);
	const tls = isTcp ? await chooseTlsFiles(options, environment) : undefined;
	const target = parse(text, namedBy, tls !== undefined);
	if (target.kind !== "tcp") return { target, chosenBy: namedBy };
	if (tls !== undefined) return { target: { ...target, kind: "tls", tls }, chosenBy: namedBy };
	const { insecure } = options;
	return { target: { ...target, ...(insecure ? { insecure } : {}) }, chosenBy: namedBy };
}

function parse(text: string, namedBy: string, withTls: boolean) {
	try {
		return parseTarget(text, withTls ? DOCKER_PORTS.tls : DOCKER_PORTS.tcp);
	} catch (error) {
		if (error instanceof UsageError) {
			throw new UsageError(`${namedBy}: ${error.message}`, { hint: error.hint, cause: error });
		}
		throw error;
	}
}

/**
 * The daemon of this machine, to load an image into: what docker uses where that is of this machine, else
 * the usual sockets.
 *
 * @throws DeliveryError when there is none
 */
export async function localDaemon(environment: Environment): Promise<ChosenTarget> {
	const current = await currentTarget({}, environment).catch(() => undefined);
	if (current !== undefined && isLocal(current.target)) return current;
	const socketPath = await localSocket(environment);
	if (socketPath !== undefined) return usualSocket(socketPath);
	throw new DeliveryError("there is no docker or podman on this machine to load the image into", {
		hint: "start it, name its socket in DOCKER_HOST, or save the image: --save FILE.tar",
	});
}

function isLocal(target: Target): boolean {
	if (target.kind === "unix") return true;
	return target.kind !== "ssh" && isLoopbackHost(target.host);
}

async function localTarget(environment: Environment): Promise<ChosenTarget> {
	const socketPath = await localSocket(environment);
	if (socketPath !== undefined) return usualSocket(socketPath);
	throw new ConnectionError("socket-missing", "no target was named and no local daemon was found", {
		hint: "name the box with --on, as in: rbuild . --on user@host",
	});
}

function usualSocket(socketPath: string): ChosenTarget {
	return { target: { kind: "unix", socketPath }, chosenBy: "local socket" };
}
