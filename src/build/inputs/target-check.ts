import type { BuildContext } from "../../context/build-context.js";
import { UsageError } from "../../errors.js";
import type { BuildPlan } from "../plan/build-plan.js";

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
	const { stagesInsteadOf } = await import("../../survey/dockerfile/missing-stage.js");
	const dockerfile = Buffer.from(dockerfileContent).toString("utf8");
	const known = stagesInsteadOf(target, dockerfile, buildArgs);
	if (known === undefined) return;
	throw new UsageError(`${dockerfileName} has no stage "${target}" (--target)`, {
		hint:
			known.length > 0
				? `its stages: ${known.join(", ")}`
				: `give one that name (FROM … AS ${target}), or leave --target out`,
	});
}
