import type { From, Instruction, JSONInstruction } from "dockerfile-ast";

/** A stage of a Dockerfile: what it is built from, and whether it copies the whole context. */
interface Stage {
	readonly name: string | undefined;
	readonly needs: readonly string[];
	readonly copiesAll: boolean;
}

/**
 * Whether a build asks for the whole context, by a look at its Dockerfile: `COPY . .` or a bind mount of
 * all in a stage that the target needs. BuildKit asks only for the paths that are copied otherwise
 * (dockerfile2llb, ctxPaths).
 *
 * A guess that is wrong costs time only.
 *
 * @param target a stage's name or number; absent: the last one
 */
export async function usesWholeContext(
	dockerfile: string,
	target: string | undefined,
): Promise<boolean> {
	const { DockerfileParser } = await import("./dockerfile-parser.js");
	const stages = readStages(DockerfileParser.parse(dockerfile).getInstructions());
	const wanted = [target?.toLowerCase() ?? String(stages.length - 1)];
	const seen = new Set<Stage>();
	for (const name of wanted) {
		const stage = stages.findLast((one) => one.name === name) ?? stages[Number(name)];
		if (stage === undefined || seen.has(stage)) continue;
		if (stage.copiesAll) return true;
		seen.add(stage);
		wanted.push(...stage.needs);
	}
	return false;
}

function readStages(instructions: readonly Instruction[]): readonly Stage[] {
	const stages: { name: string | undefined; needs: string[]; copiesAll: boolean }[] = [];
	for (const instruction of instructions) {
		const keyword = instruction.getKeyword();
		if (keyword === "FROM") {
			const from = instruction as From;
			const name = from.getBuildStage()?.toLowerCase();
			stages.push({ name, needs: [from.getImage()?.toLowerCase() ?? ""], copiesAll: false });
		}
		const stage = stages.at(-1);
		if (stage === undefined || !READING.has(keyword)) continue;
		const step = instruction as JSONInstruction;
		const flags = step.getFlags().map(String);
		const others = flags.flatMap((flag) => /\bfrom=([^,\s]+)/.exec(flag)?.[1] ?? []);
		stage.needs.push(...others.map((name) => name.toLowerCase()));
		stage.copiesAll ||=
			keyword === "RUN"
				? flags.some(mountsAll)
				: others.length === 0 && operands(step).slice(0, -1).some(isAll);
	}
	return stages;
}

/** The instructions that can take files of the context. */
const READING: ReadonlySet<string> = new Set(["ADD", "COPY", "RUN"]);

function operands(step: JSONInstruction): readonly string[] {
	const json = step.getJSONStrings();
	return json.length > 0
		? json.map((text) => text.getJSONValue())
		: step.getArguments().map((text) => text.getValue());
}

function isAll(path: string): boolean {
	return /^(?:\.|\/|\.\/)$/.test(path);
}

function mountsAll(flag: string): boolean {
	return /^--mount=(?!.*\b(?:from|source|src)=)(?:.*,)?type=bind\b/.test(flag);
}
