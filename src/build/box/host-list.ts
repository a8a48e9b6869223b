import type { Environment } from "../../environment.js";
import { RbuildError } from "../../errors.js";
import { AUTO, namedTarget, splitNames, type TargetOptions } from "../../target/choose-target.js";
import { DEFAULT_CONTEXT, listContexts } from "../../target/context-store.js";
import { currentContext } from "../../target/docker-config.js";
import { formatTarget, parseTarget } from "../../target/parse-target.js";
import { sshAliases } from "../../target/ssh-aliases.js";
import { askBox, type BoxAnswer } from "./ask-box.js";
import { type Candidate, candidateOf, contextCandidates } from "./candidates.js";

/** A box that has a name on this machine. */
export interface Host extends Candidate {
	/** Where the name comes from; "variable" is RBUILD_ON. */
	readonly kind: "context" | "ssh" | "variable";
	readonly description: string;
	/** Whether a build uses it when no other is named. */
	readonly current: boolean;
}

/** A host and what it said; undefined where it was not asked. */
export interface AskedHost {
	readonly host: Host;
	readonly answer: BoxAnswer | RbuildError | undefined;
}

/** So many are asked at once; a configuration may name hundreds. */
const ASKED_AT_ONCE = 16;

/**
 * The docker contexts, the ssh aliases that no context leads to, and what else RBUILD_ON names.
 *
 * @throws UsageError for a config.json of docker's that cannot be read
 */
export async function listHosts(
	options: TargetOptions,
	environment: Environment,
): Promise<readonly Host[]> {
	const described = await descriptions(environment);
	const current = await currentNames(environment);
	const contexts = [
		await candidateOf(DEFAULT_CONTEXT, namedTarget(DEFAULT_CONTEXT, "", options, environment)),
		...(await contextCandidates("", options, environment)),
	];
	const places = new Set(contexts.map(targetText));
	const names = new Set(contexts.map(({ name }) => name));
	const aliases = (await sshAliases(environment)).flatMap((alias) => {
		const target = readAlias(alias);
		if (target === undefined || places.has(formatTarget(target))) return [];
		// By its bare name, the context would be meant.
		const name = names.has(alias) ? `ssh://${alias}` : alias;
		return [{ name, outcome: { target, chosenBy: "" } }];
	});
	for (const { name } of aliases) names.add(name);
	const others = current.filter((name) => name !== AUTO && !names.has(name));
	const variable = others.map((name) =>
		candidateOf(name, namedTarget(name, "RBUILD_ON", options, environment)),
	);
	const host = (kind: Host["kind"]) => (candidate: Candidate) => ({
		...candidate,
		kind,
		description: described.get(candidate.name) ?? "",
		current: current.includes(candidate.name),
	});
	return [
		...contexts.map(host("context")),
		...aliases.map(host("ssh")),
		...(await Promise.all(variable)).map(host("variable")),
	];
}

/**
 * @param limitMs how long each may take to answer, in milliseconds
 * @throws InterruptedError
 */
export async function askHosts(
	hosts: readonly Host[],
	environment: Environment,
	limitMs: number,
	signal: AbortSignal,
): Promise<readonly AskedHost[]> {
	const answers = new Map<Host, BoxAnswer | RbuildError>();
	const waiting = hosts[Symbol.iterator]();
	const worker = async () => {
		for (const host of waiting) {
			const { outcome } = host;
			const failed = outcome instanceof RbuildError;
			const answer = failed ? outcome : await askBox(outcome, environment, limitMs, signal);
			answers.set(host, answer);
		}
	};
	await Promise.all(Array.from({ length: ASKED_AT_ONCE }, worker));
	return hosts.map((host) => ({ host, answer: answers.get(host) }));
}

async function descriptions(environment: Environment): Promise<ReadonlyMap<string, string>> {
	const contexts = await listContexts(environment);
	return new Map(
		contexts.flatMap((context) =>
			"error" in context ? [] : [[context.name, context.description] as const],
		),
	);
}

/** What is used where nothing is named on the command line. */
async function currentNames(environment: Environment): Promise<readonly string[]> {
	const { RBUILD_ON, DOCKER_HOST, DOCKER_CONTEXT } = environment.variables;
	const named = splitNames(RBUILD_ON);
	if (named.length > 0) return named;
	if (DOCKER_HOST) return [DEFAULT_CONTEXT];
	return [DOCKER_CONTEXT || ((await currentContext(environment)) ?? DEFAULT_CONTEXT)];
}

/** ssh_config may hold names that are none. */
function readAlias(alias: string) {
	try {
		return parseTarget(`ssh://${alias}`);
	} catch {
		return undefined;
	}
}

function targetText({ outcome }: Candidate): string | undefined {
	return outcome instanceof RbuildError ? undefined : formatTarget(outcome.target);
}
