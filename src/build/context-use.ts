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
export function usesWholeContext(dockerfile: string, target: string | undefined): boolean {
	const stages = readStages(dockerfile);
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

function readStages(dockerfile: string): readonly Stage[] {
	const instructions = dockerfile
		.replace(/^\s*#.*\n/gm, "")
		.replace(/[\\`]\r?\n/g, " ")
		.split("\n")
		.map((line) => line.trim());
	const stages: { name: string | undefined; needs: string[]; copiesAll: boolean }[] = [];
	for (const line of instructions) {
		const words = line
			.replace(/[[\],"]/g, " ")
			.split(/\s+/)
			.filter((word) => word !== "");
		const instruction = words.shift()?.toUpperCase();
		const flags = line.match(/--\w+=\S+/g) ?? [];
		const operands = words.filter((word) => !word.startsWith("--"));
		const stage = stages.at(-1);
		if (instruction === "FROM") {
			const name = operands[1]?.toUpperCase() === "AS" ? operands[2]?.toLowerCase() : undefined;
			stages.push({ name, needs: [operands[0]?.toLowerCase() ?? ""], copiesAll: false });
		} else if (stage !== undefined && /^(?:COPY|ADD|RUN)$/.test(instruction ?? "")) {
			const others = flags.flatMap((flag) => /\bfrom=([^,\s]+)/.exec(flag)?.[1] ?? []);
			stage.needs.push(...others.map((name) => name.toLowerCase()));
			stage.copiesAll ||=
				instruction === "RUN"
					? flags.some((flag) =>
							/^--mount=(?!.*\b(?:from|source|src)=)(?:.*,)?type=bind\b/.test(flag),
						)
					: others.length === 0 &&
						operands.slice(0, -1).some((path) => /^(?:\.|\/|\.\/)$/.test(path));
		}
	}
	return stages;
}
