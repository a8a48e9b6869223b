import { flagValues, type Instruction, readInstruction, wordsOf } from "./instructions.js";
import { sourceStages } from "./mounts.js";
import { type BuilderKind, Scope, type Value, wordValue } from "./scope.js";
import { UnresolvableError } from "./shell-words.js";
import { DockerfileSyntaxError } from "./syntax-error.js";

/** What a stage starts from. */
type StageBase =
	| { readonly kind: "scratch" }
	| { readonly kind: "stage"; readonly index: number }
	| { readonly kind: "image"; readonly reference: string; readonly platform: string | undefined }
	| {
			readonly kind: "unknown";
			readonly reason: UnresolvableError;
			/** Where that of the platform is what is not known. */
			readonly reference: string | undefined;
	  };

export interface Stage {
	readonly from: Instruction;
	readonly base: StageBase;
	/** Those of ONBUILD in the stage that it is built from come first, with its own line. */
	readonly instructions: readonly Instruction[];
}

interface Stages {
	readonly stages: readonly Stage[];
	/** By index, in order: those that are built. */
	readonly built: readonly number[];
	/** The images, other than stages, that those take files from. */
	readonly sources: readonly string[];
}

/**
 * @param globals what ARG has before the first FROM
 * @param target a stage's name or number; absent or empty: the last one
 * @throws DockerfileSyntaxError
 */
export function readStages(
	instructions: readonly Instruction[],
	globals: ReadonlyMap<string, Value>,
	escapeMark: string,
	kind: BuilderKind,
	target: string | undefined,
): Stages {
	const stages: { from: Instruction; base: StageBase; instructions: Instruction[] }[] = [];
	const names = new Map<string, number>();
	for (const instruction of instructions) {
		if (instruction.keyword !== "FROM") {
			stages.at(-1)?.instructions.push(instruction);
			if (stages.length > 0 || instruction.keyword === "ARG") continue;
			throw new DockerfileSyntaxError(
				instruction.line,
				instruction.column,
				`${instruction.keyword} comes before the first FROM`,
			);
		}
		const { image, name } = readFrom(instruction);
		const base = baseOf(instruction, image, names, globals, escapeMark);
		const triggers =
			base.kind === "stage"
				? triggersOf(stages[base.index]?.instructions, instruction, escapeMark)
				: [];
		if (name !== undefined) names.set(name, stages.length);
		stages.push({ from: instruction, base, instructions: triggers });
	}
	if (stages.length === 0) throw new DockerfileSyntaxError(1, 1, "there is no FROM");
	const aim = target ? indexOf(target, names, stages.length) : stages.length - 1;
	if (aim === undefined) {
		throw new DockerfileSyntaxError(1, 1, `there is no stage ${target}`);
	}
	// Others than BuildKit build whatever comes before the target.
	const all = kind === "classic" ? stages.map((_, index) => index).slice(0, aim + 1) : [aim];
	return { stages, ...reachable(stages, all, names) };
}

/**
 * The names of all stages, where none of them is the target; undefined where one is, or there is none at all.
 * @throws DockerfileSyntaxError
 */
export function stagesWithout(
	target: string,
	instructions: readonly Instruction[],
): readonly string[] | undefined {
	const froms = instructions.filter(({ keyword }) => keyword === "FROM").map(readFrom);
	const names = new Map(
		froms.flatMap(({ name }, index) => (name === undefined ? [] : [[name, index] as const])),
	);
	const isThere = indexOf(target, names, froms.length) !== undefined;
	return isThere || froms.length === 0 ? undefined : [...names.keys()];
}

/** In small letters. @throws DockerfileSyntaxError */
export function stageNames(instructions: readonly Instruction[]): readonly string[] {
	const froms = instructions.filter(({ keyword }) => keyword === "FROM").map(readFrom);
	return froms.flatMap(({ name }) => name ?? []);
}

/** "FROM [--platform=…] image [AS name]" */
function readFrom({ operands, line, column }: Instruction) {
	const [image = "", as, name, ...more] = wordsOf(operands);
	const isNamed = as?.toLowerCase() === "as" && name !== undefined && more.length === 0;
	if (image === "" || (as !== undefined && !isNamed)) {
		throw new DockerfileSyntaxError(line, column, "FROM takes an image, and a name behind AS");
	}
	return { image, name: name?.toLowerCase() };
}

function baseOf(
	from: Instruction,
	image: string,
	names: ReadonlyMap<string, number>,
	globals: ReadonlyMap<string, Value>,
	escapeMark: string,
): StageBase {
	const scope = Scope.ofArguments(globals);
	const expand = (word: string) => wordValue(word, from, escapeMark, (name) => scope.get(name));
	const reference = expand(image);
	if (reference instanceof UnresolvableError) {
		return { kind: "unknown", reason: reference, reference: undefined };
	}
	if (reference === "") {
		const reason = new UnresolvableError(`${image} has no value`);
		return { kind: "unknown", reason, reference: undefined };
	}
	const index = names.get(reference.toLowerCase());
	if (index !== undefined) return { kind: "stage", index };
	if (reference === "scratch") return { kind: "scratch" };
	const [flag] = flagValues(from, "platform");
	const platform = flag && expand(flag);
	if (platform instanceof UnresolvableError) {
		return { kind: "unknown", reason: platform, reference };
	}
	return { kind: "image", reference, platform };
}

function triggersOf(
	instructions: readonly Instruction[] = [],
	from: Instruction,
	escapeMark: string,
): Instruction[] {
	return instructions
		.filter(({ keyword }) => keyword === "ONBUILD")
		.map(({ operands }) => readInstruction(operands, from, escapeMark));
}

function reachable(
	stages: readonly Stage[],
	wanted: readonly number[],
	names: ReadonlyMap<string, number>,
): Pick<Stages, "built" | "sources"> {
	const found = new Set<number>(wanted);
	const sources = new Set<string>();
	for (const index of found) {
		const { base, instructions } = stages[index] as Stage;
		if (base.kind === "stage") found.add(base.index);
		for (const name of instructions.flatMap(sourceStages)) {
			const source = indexOf(name, names, stages.length);
			if (source !== undefined) found.add(source);
			// Builders refuse a number that no stage has.
			else if (name !== "scratch" && !/^\d+$/.test(name)) sources.add(name);
		}
	}
	return { built: [...found].sort((a, b) => a - b), sources: [...sources] };
}

function indexOf(
	name: string,
	names: ReadonlyMap<string, number>,
	count: number,
): number | undefined {
	const byName = names.get(name.toLowerCase());
	if (byName !== undefined) return byName;
	return /^\d+$/.test(name) && Number(name) < count ? Number(name) : undefined;
}
