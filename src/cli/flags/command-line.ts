import type { Options } from "yargs";
import { parseBoolean } from "../../build/plan/go-values.js";

/**
 * Rewrites a command line into what yargs cannot misread. As for docker, a flag that takes a value takes
 * the next argument whatever it looks like (`--build-arg --x=1`, `-f -`), and a short one also what is
 * attached to it (`-tapp`, `-qt app`); one that is on or off takes what Go takes for either (`--push=1`).
 * Behind "--", which is left out, there are no flags: "-x" is the path "./-x".
 *
 * @param flags by their long names
 */
export function normalizeFlags(
	argv: readonly string[],
	flags: Readonly<Record<string, Options>>,
): string[] {
	const takesValue = new Set<string>();
	const longNames = new Map<string, string>();
	for (const [name, flag] of Object.entries(flags)) {
		if (flag.type === "string") takesValue.add(name);
		if (typeof flag.alias === "string") longNames.set(flag.alias, name);
	}
	const result: string[] = [];
	for (let index = 0; index < argv.length; index++) {
		const argument = argv[index] ?? "";
		if (argument === "--") return [...result, ...argv.slice(index + 1).map(asWord)];
		const spelled = argument.startsWith("--")
			? [argument.slice(2)]
			: spellOut(argument, longNames, takesValue);
		if (spelled === undefined || !argument.startsWith("-") || argument === "-") {
			result.push(argument);
			continue;
		}
		const last = spelled.at(-1) ?? "";
		const next = argv[index + 1];
		if (takesValue.has(last) && next !== undefined) {
			index += 1;
			spelled[spelled.length - 1] = `${last}=${next}`;
		}
		result.push(...spelled.map((flag) => `--${keepingQuotes(asBoolean(flag, flags))}`));
	}
	return result;
}

/** Quotes around a value are the shell's, or csv's, but yargs takes a pair of them away. */
function keepingQuotes(flag: string): string {
	return flag.replace(/^([^=]*=)((["'])(?:.*\3)?)$/s, "$1$3$2$3");
}

function asWord(argument: string): string {
	return argument.startsWith("-") && argument !== "-" ? `./${argument}` : argument;
}

/** "push=1" is "push=true", which is all that yargs knows. What is neither true nor false stays. */
function asBoolean(flag: string, flags: Readonly<Record<string, Options>>): string {
	const [name = "", value] = flag.split("=", 2);
	const isOn = flags[name]?.type === "boolean" ? parseBoolean(value) : undefined;
	return isOn === undefined ? flag : `${name}=${isOn}`;
}

/** "-qtapp" is "quiet", "tag=app". Undefined where a letter is not known, which is yargs's to say. */
function spellOut(
	argument: string,
	longNames: ReadonlyMap<string, string>,
	takesValue: ReadonlySet<string>,
): string[] | undefined {
	const spelled: string[] = [];
	for (let at = 1; at < argument.length; at++) {
		const name = longNames.get(argument.charAt(at));
		if (name === undefined) return undefined;
		const attached = argument.slice(at + 1).replace(/^=/, "");
		const hasValue = takesValue.has(name) ? attached !== "" : argument.charAt(at + 1) === "=";
		if (hasValue) return [...spelled, `${name}=${attached}`];
		spelled.push(name);
	}
	return spelled;
}
