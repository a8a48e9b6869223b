import { UsageError } from "../../errors.js";
import { suggestion } from "../../suggestion.js";
import { useOneOf } from "../../unsupported-value.js";

/** `rbuild COMMAND WORD`, where that command has none of that name. */
export function unknownAction(
	command: string,
	word: string,
	actions: readonly string[],
): UsageError {
	const meant = suggestion(word, actions);
	return new UsageError(`unknown command "${word}" for "rbuild ${command}"`, {
		hint: meant === undefined ? useOneOf(actions) : `did you mean: rbuild ${command} ${meant}?`,
	});
}
