import { argumentsOf } from "./assignments.js";
import type { NeedsOptions } from "./dockerfile-needs.js";
import type { ReadDockerfile } from "./instructions.js";
import { platformArguments } from "./platform-arguments.js";
import { Scope, type Value, variablesOf, wordValue } from "./scope.js";

/** The build arguments that have a value. */
export function givenArguments({ buildArgs = {} }: NeedsOptions): ReadonlyMap<string, string> {
	return new Map(
		Object.entries(buildArgs).filter((pair): pair is [string, string] => pair[1] !== null),
	);
}

/**
 * What ARG has before the first FROM, by name: the variables of every FROM.
 *
 * @throws DockerfileSyntaxError
 */
export function globalArguments(
	{ instructions, escapeMark }: ReadDockerfile,
	options: NeedsOptions,
): ReadonlyMap<string, Value> {
	const { builder = "buildkit", platforms = {} } = options;
	const given = givenArguments(options);
	const globals = platformArguments(platforms, builder);
	for (const [name, value] of globals) globals.set(name, given.get(name) ?? value);
	const scope = Scope.ofArguments(globals);
	const variables = variablesOf(scope, builder, given);
	const first = instructions.findIndex(({ keyword }) => keyword === "FROM");
	for (const instruction of instructions.slice(0, Math.max(first, 0))) {
		for (const [name, word] of argumentsOf(instruction, escapeMark)) {
			const value =
				given.get(name) ?? (word && wordValue(word, instruction, escapeMark, variables));
			if (value === undefined) continue;
			globals.set(name, value);
			scope.setArgument(name, value);
		}
	}
	return globals;
}
