import { isIP } from "node:net";
import type { ForwardedAgent } from "../../buildkit/ssh-agent/agent-forward.js";
import type { BuildRequest } from "../../engine/build-request.js";
import type { Environment } from "../../environment.js";
import { UsageError } from "../../errors.js";
import type { Run } from "../../events.js";
import { resolveBuildArgs } from "./build-args.js";
import { needsSolve } from "./builder-needs.js";
import { type BuildKitPlan, planBuildKit } from "./buildkit-plan.js";
import {
	type BuildOptions,
	DEFAULT_RETRIES,
	type SecretsCheck,
	type SshOption,
	type TransferChoice,
} from "./options.js";
import { type PlannedOutputs, planOutputs } from "./plan-outputs.js";
import { singlePlatform } from "./platform-list.js";
import { type PlannedSecrets, planSecrets } from "./secrets.js";

/** The options of a build after they have been checked, once; everything below trusts them. */
export interface BuildPlan extends PlannedOutputs {
	/** An OCI platform; absent: the daemon's own. */
	readonly platform: string | undefined;
	readonly allowEmulation: boolean;
	readonly transfer: TransferChoice;
	/** Whether a tar leaves out what the Dockerfile takes nothing of; absent: where that is safe. */
	readonly minimal: boolean | undefined;
	readonly retries: number;
	readonly buildkit: BuildKitPlan;
	/** What to ask of the Dockerfile instead of building it. */
	readonly call: FrontendCall | undefined;
	readonly secrets: PlannedSecrets;
	readonly secretsCheck: SecretsCheck;
	/** By the ids that ssh mounts name. */
	readonly agents: ReadonlyMap<string, ForwardedAgent>;
	/** The context's name; absent: where it is. */
	readonly contextKey: string | undefined;
	/** Whether what was sent is remembered from build to build. */
	readonly contextIndex: boolean;
	/** What POST /build is asked for, apart from the context. */
	readonly request: PlannedRequest;
}

/** As `docker buildx build --call`. */
export type FrontendCall = "check" | "outline" | "targets";

export type PlannedRequest = Omit<
	BuildRequest,
	"context" | "dockerfile" | "buildId" | "sessionId" | "registryAuths" | "secretFiles"
>;

/**
 * Checks what can be checked without the daemon, before anything is read or sent.
 *
 * @throws UsageError; DeliveryError when a place to save to could not be written
 */
export async function planBuild(
	options: BuildOptions,
	environment: Environment,
	run: Run,
): Promise<BuildPlan> {
	if (typeof options.context !== "string" || options.context === "") {
		throw new UsageError("no build context was given", { hint: 'name a directory, such as "."' });
	}
	const platform = singlePlatform(options.platform, environment);
	const indexless = whyWithoutIndex(options);
	if (options.contextKey && indexless !== undefined) {
		run.emit({
			type: "warning",
			message: `--context-key has no effect with ${indexless}`,
			hint: "it names an index that this build does not use: leave one of them out",
		});
	}
	const outputs = await planOutputs(options, environment);
	const buildkit = await planBuildKit(options, environment, run.emit);
	const plan: BuildPlan = {
		...outputs,
		platform,
		allowEmulation: options.allowEmulation ?? false,
		transfer: options.transfer ?? "auto",
		minimal: options.minimal,
		retries: checkRetries(options.retries ?? DEFAULT_RETRIES),
		buildkit,
		call: undefined,
		secrets: await planSecrets(options.secrets ?? [], environment),
		secretsCheck: options.secretsCheck ?? "warn",
		agents: await planAgents(wantedAgents(options, environment), environment, run),
		contextKey: checkContextKey(options, environment),
		contextIndex: options.contextIndex ?? true,
		request: {
			tags: outputs.tags,
			target: options.target,
			buildArgs: await resolveBuildArgs(options, environment, run.emit),
			labels: options.labels ?? {},
			platform,
			noCache: options.noCache,
			pull: options.pull,
			networkMode: options.network,
			extraHosts: (options.addHosts ?? []).map(extraHost),
			shmSize: options.shmSize,
			ulimits: options.ulimits ?? [],
			cgroupParent: options.cgroupParent,
			cacheFrom: buildkit.cacheImports.flatMap(({ attrs }) => attrs.ref ?? []),
			exporters: outputs.exports.map(({ exporter }) => exporter),
		},
	};
	const flag = needsSolve(plan);
	if (flag !== undefined && plan.transfer === "tar") {
		throw new UsageError(`${flag} cannot be used with --transfer tar`, {
			hint: "leave --transfer out",
		});
	}
	return plan;
}

/** The flag by which nothing is remembered of what was sent. */
function whyWithoutIndex({ contextIndex, transfer }: BuildOptions): string | undefined {
	if (contextIndex === false) return "--no-context-index";
	return transfer === "tar" ? "--transfer tar" : undefined;
}

/** It is a label of an image on the box, for people to read. */
function checkContextKey(
	{ contextKey }: BuildOptions,
	{ variables }: Environment,
): string | undefined {
	const key = contextKey ?? variables.RBUILD_CONTEXT_KEY;
	if (!key) return undefined;
	if (key.length <= 200 && !/\p{Control}/u.test(key)) return key;
	const source = contextKey === undefined ? "RBUILD_CONTEXT_KEY" : "--context-key";
	throw new UsageError(`${source} is not a valid name`, {
		hint: "use at most 200 characters, without line breaks, such as me/app",
	});
}

function checkRetries(retries: number): number {
	if (Number.isInteger(retries) && retries >= 0) return retries;
	throw new UsageError(`--retries "${retries}" is not a whole number`, {
		hint: "use 0 to give up when the connection is lost",
	});
}

/** As in buildx, a repository that is reached over ssh is fetched with the user's agent. */
function wantedAgents(
	{ ssh = [], context }: BuildOptions,
	{ variables }: Environment,
): readonly SshOption[] {
	const isGitOverSsh = /^(?:git@|ssh:\/\/)/.test(context);
	return ssh.length === 0 && isGitOverSsh && variables.SSH_AUTH_SOCK ? [{ id: "default" }] : ssh;
}

/** What it takes to talk to agents is only loaded for a build that has one. */
async function planAgents(options: readonly SshOption[], environment: Environment, run: Run) {
	if (options.length === 0) return new Map();
	const { openAgents } = await import("./ssh-agents.js");
	return openAgents(options, environment, run);
}

/** The API takes "name:address"; IPv6 addresses may be in brackets. */
function extraHost(text: string): string {
	const match = /^([^:=\s]+)[:=]\[?([^\]\s]+)\]?$/.exec(text);
	if (match === null || !isAddress(match[2] ?? "")) {
		throw new UsageError(`--add-host "${text}" is not a name and an IP address`, {
			hint: "write it as name:address, such as db:10.0.0.5",
		});
	}
	return `${match[1]}:${match[2]}`;
}

/** "host-gateway" stands for the address of the daemon's machine (API 1.41). */
function isAddress(text: string): boolean {
	return text === "host-gateway" || isIP(text) !== 0;
}
