import { UsageError } from "./errors.js";
import { suggestion } from "./suggestion.js";

/**
 * For a value that is none of those that there are.
 *
 * @param name what has it: a flag, a variable, or a part of a value, such as "--output type="
 * @param hint where something else was probably meant than one of the choices
 */
export function unsupportedValue(
	name: string,
	value: string,
	choices: readonly string[],
	hint?: string,
): UsageError {
	const shown = name.endsWith("=") ? `${name}${value}` : `${name} "${value}"`;
	return new UsageError(`${shown} is not supported`, {
		hint: hint ?? useOneOf(choices, value),
	});
}

/** @param typed in place of one of them; absent: nothing */
export function useOneOf(choices: readonly string[], typed = ""): string {
	const meant = suggestion(typed, choices);
	return meant === undefined ? `use ${listed(choices)}` : `did you mean ${meant}?`;
}

/** "a, b or c" */
function listed(choices: readonly string[]): string {
	const last = choices.at(-1) ?? "";
	return choices.length < 2 ? last : `${choices.slice(0, -1).join(", ")} or ${last}`;
}
