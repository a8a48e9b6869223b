import { isIP } from "node:net";
import { resolve } from "node:path";
import type { ForwardedAgent } from "../buildkit/ssh-agent/agent-forward.js";
import type { BuildRequest } from "../engine/build-request.js";
import { normalizePlatform } from "../engine/platforms.js";
import type { Environment } from "../environment.js";
import { UsageError } from "../errors.js";
import type { Run } from "../events.js";
import { parseTag } from "../image/reference.js";
import { checkSaveTarget } from "../image/save.js";
import type { BuildOptions, SshOption, TransferChoice } from "./options.js";
import { type PlannedSecret, planSecrets } from "./secrets.js";

/** The options of a build after they have been checked, once; everything below trusts them. */
export interface BuildPlan {
	/** Normalised names with their tags, such as "app:latest". */
	readonly tags: readonly string[];
	/** An OCI platform; absent: the daemon's own. */
	readonly platform: string | undefined;
	readonly allowEmulation: boolean;
	readonly transfer: TransferChoice;
	readonly retries: number;
	readonly secrets: readonly PlannedSecret[];
	/** By the ids that ssh mounts name. */
	readonly agents: ReadonlyMap<string, ForwardedAgent>;
	/** The context's name; absent: where it is. */
	readonly contextKey: string | undefined;
	/** Whether what was sent is remembered from build to build. */
	readonly contextIndex: boolean;
	/** What POST /build is asked for, apart from the context. */
	readonly request: PlannedRequest;
	readonly deliveries: PlannedDeliveries;
}

export type PlannedRequest = Omit<
	BuildRequest,
	"context" | "dockerfile" | "buildId" | "sessionId" | "registryAuths"
>;

export interface PlannedDeliveries {
	readonly push: boolean;
	/** An absolute path, or "-" for the standard output. */
	readonly save: string | undefined;
	readonly load: boolean;
}

const DEFAULT_RETRIES = 2;

/**
 * Checks what can be checked without the daemon, before anything is read or sent.
 *
 * @throws UsageError; DeliveryError when the file to save to could not be written
 */
export async function planBuild(
	options: BuildOptions,
	environment: Environment,
	run: Run,
): Promise<BuildPlan> {
	if (typeof options.context !== "string" || options.context === "") {
		throw new UsageError("no build context was given", { hint: 'name a directory, such as "."' });
	}
	const tags = [...new Set((options.tags ?? []).map((tag) => parseTag(tag).familiar))];
	if (options.push && tags.length === 0) {
		throw new UsageError("--push needs the name to push to", {
			hint: "give it with -t, such as -t registry.example.com/app:1.0",
		});
	}
	const platform = options.platform && singlePlatform(options.platform);
	const save = await saveTarget(options.save, environment);
	return {
		tags,
		platform: platform || undefined,
		allowEmulation: options.allowEmulation ?? false,
		transfer: options.transfer ?? "auto",
		retries: checkRetries(options.retries ?? DEFAULT_RETRIES),
		secrets: await planSecrets(options.secrets ?? [], environment),
		agents: await planAgents(options.ssh ?? [], environment, run),
		contextKey: options.contextKey ?? (environment.variables.RBUILD_CONTEXT_KEY || undefined),
		contextIndex: options.contextIndex ?? true,
		request: {
			tags,
			target: options.target,
			buildArgs: resolveBuildArgs(options.buildArgs ?? {}, environment),
			labels: options.labels ?? {},
			platform: platform || undefined,
			noCache: options.noCache,
			pull: options.pull,
			networkMode: options.network,
			extraHosts: (options.addHosts ?? []).map(extraHost),
			shmSize: options.shmSize,
			ulimits: options.ulimits ?? [],
			cgroupParent: options.cgroupParent,
			cacheFrom: options.cacheFrom ?? [],
		},
		deliveries: { push: options.push ?? false, save, load: options.load ?? false },
	};
}

function checkRetries(retries: number): number {
	if (Number.isInteger(retries) && retries >= 0) return retries;
	throw new UsageError(`"${retries}" is not a number of retries`, {
		hint: "give a whole number; 0 gives up when the connection is lost",
	});
}

/** What it takes to talk to agents is only loaded for a build that has one. */
async function planAgents(options: readonly SshOption[], environment: Environment, run: Run) {
	if (options.length === 0) return new Map();
	const { openAgents } = await import("./ssh-agents.js");
	return openAgents(options, environment, run);
}

function singlePlatform(text: string): string {
	if (text.includes(",")) {
		throw new UsageError(`one platform at a time: "${text}" names several`, {
			hint: "run rbuild once for each platform, each time on a machine of that kind",
		});
	}
	// An operating system alone is not enough to know the machine by, so any architecture will do.
	return normalizePlatform(text, "linux/amd64");
}

/** A name alone takes the environment's value, and stays without one if there is none, as in docker. */
function resolveBuildArgs(
	buildArgs: Readonly<Record<string, string | null>>,
	environment: Environment,
): Record<string, string | null> {
	return Object.fromEntries(
		Object.entries(buildArgs).map(([name, value]) => [
			name,
			value ?? environment.variables[name] ?? null,
		]),
	);
}

/** The API takes "name:address"; IPv6 addresses may be in brackets. */
function extraHost(text: string): string {
	const match = /^([^:=\s]+)[:=]\[?([^\]\s]+)\]?$/.exec(text);
	if (match === null || !isAddress(match[2] ?? "")) {
		throw new UsageError(`"${text}" is not a host and its address`, {
			hint: "write it as name:address, such as db:10.0.0.5",
		});
	}
	return `${match[1]}:${match[2]}`;
}

/** "host-gateway" stands for the address of the daemon's machine (API 1.41). */
function isAddress(text: string): boolean {
	return text === "host-gateway" || isIP(text) !== 0;
}

async function saveTarget(
	save: string | undefined,
	environment: Environment,
): Promise<string | undefined> {
	if (save === undefined || save === "-") return save;
	const path = resolve(environment.workingDirectory, save);
	await checkSaveTarget(path);
	return path;
}
