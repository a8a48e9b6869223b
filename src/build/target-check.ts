import type { BuildContext } from "../context/build-context.js";
import { UsageError } from "../errors.js";
import type { BuildPlan } from "./build-plan.js";

/**
 * Refuses a target that no builder would find: one finds it by name, whatever its case, or by number
 * (dockerfile2llb, instructions.HasStage). Lets pass what is not understood.
 *
 * @throws UsageError
 */
export async function checkTarget(
	{ dockerfileContent, dockerfileName }: BuildContext,
	{ target, buildArgs }: BuildPlan["request"],
): Promise<void> {
	if (!target || dockerfileContent === undefined) return;
	const { readStageNames } = await import("../survey/dockerfile/stage-names.js");
	const dockerfile = Buffer.from(dockerfileContent).toString("utf8");
	const names = readStageNames(dockerfile, buildArgs?.BUILDKIT_SYNTAX ?? undefined);
	if (names === undefined || names.includes(target.toLowerCase())) return;
	if (/^\d+$/.test(target) && Number(target) < names.length) return;
	const known = names.filter((name) => name !== undefined);
	throw new UsageError(`${dockerfileName} has no stage "${target}" (--target)`, {
		hint:
			known.length > 0
				? `its stages: ${known.join(", ")}`
				: `give one that name (FROM … AS ${target}), or leave --target out`,
	});
}
