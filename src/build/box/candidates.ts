import type { Environment } from "../../environment.js";
import { RbuildError, UsageError } from "../../errors.js";
import {
	AUTO,
	contextTarget,
	namedTarget,
	splitNames,
	type TargetOptions,
} from "../../target/choose-target.js";
import { DEFAULT_CONTEXT, listContexts } from "../../target/context-store.js";
import { formatTarget } from "../../target/parse-target.js";
import type { ChosenTarget } from "../../target/target.js";

/** A box that may be asked, or why it cannot be. */
export interface Candidate {
	/** As the user would write it after --on. */
	readonly name: string;
	readonly outcome: ChosenTarget | RbuildError;
}

/**
 * What a list of names stands for, each place once. "auto" is what RBUILD_ON names, all docker contexts,
 * and what docker uses without one: nobody whom the user has not made known as a box.
 */
export async function candidates(
	names: readonly string[],
	namedBy: string,
	options: TargetOptions,
	environment: Environment,
): Promise<readonly Candidate[]> {
	const found = await Promise.all(
		names.map((name) =>
			name === AUTO
				? automatic(options, environment)
				: [candidateOf(name, namedTarget(name, namedBy, options, environment))],
		),
	);
	const all = await Promise.all(found.flat());
	const places = new Map(all.map((one) => [targetText(one), one]));
	return [...places.values()];
}

/** The docker contexts. */
export async function contextCandidates(
	namedBy: string,
	options: TargetOptions,
	environment: Environment,
): Promise<readonly Candidate[]> {
	const contexts = await listContexts(environment);
	return Promise.all(
		contexts.map((context) =>
			candidateOf(
				context.name,
				"error" in context
					? Promise.reject(context.error)
					: contextTarget(context, namedBy, options, environment),
			),
		),
	);
}

async function automatic(options: TargetOptions, environment: Environment) {
	const named = splitNames(environment.variables.RBUILD_ON).filter((name) => name !== AUTO);
	const usual = await candidateOf(
		DEFAULT_CONTEXT,
		namedTarget(DEFAULT_CONTEXT, AUTO, options, environment),
	);
	return [
		...named.map((name) => candidateOf(name, namedTarget(name, "RBUILD_ON", options, environment))),
		...(await contextCandidates(AUTO, options, environment)),
		// That there is no local daemon is nobody's mistake.
		...(usual.outcome instanceof UsageError || !(usual.outcome instanceof RbuildError)
			? [usual]
			: []),
	];
}

/** What a name stands for, or why it stands for nothing. */
export async function candidateOf(
	name: string,
	choosing: Promise<ChosenTarget>,
): Promise<Candidate> {
	try {
		return { name, outcome: await choosing };
	} catch (error) {
		if (error instanceof RbuildError) return { name, outcome: error };
		throw error;
	}
}

function targetText({ name, outcome }: Candidate): string {
	return outcome instanceof RbuildError ? `broken ${name}` : formatTarget(outcome.target);
}
