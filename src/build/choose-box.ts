import type { Environment } from "../environment.js";
import type { Run } from "../events.js";
import {
	AUTO,
	namedBoxes,
	namedTarget,
	type TargetOptions,
	usualTarget,
} from "../target/choose-target.js";
import type { ChosenTarget } from "../target/target.js";
import type { BuildPlan } from "./build-plan.js";
import type { Closing } from "./closing.js";
import type { OpenedBox } from "./opened-box.js";
import type { BuildOptions } from "./options.js";

export interface ChosenBox {
	readonly chosen: ChosenTarget;
	/** It was asked over this connection. */
	readonly opened?: OpenedBox;
	/** It was only remembered that this box fits: another choice, should it not be reached. */
	readonly another?: () => Promise<ChosenBox>;
}

/**
 * Where to build. Only of several boxes one has to be found out, by asking them.
 *
 * @param closing closes the connection to the one that is chosen, unless somebody takes it; without it,
 * none is kept
 * @throws UsageError for a target that makes no sense; ConnectionError when there is none; InterruptedError
 */
export async function chooseBox(
	options: Pick<BuildOptions, "on"> & TargetOptions,
	plan: Pick<BuildPlan, "platform" | "allowEmulation">,
	environment: Environment,
	run: Run,
	closing?: Closing,
): Promise<ChosenBox> {
	const { names, namedBy } = namedBoxes(options.on, environment);
	const [name] = names;
	if (name === undefined) return { chosen: await usualTarget(options, environment) };
	if (names.length === 1 && name !== AUTO) {
		return { chosen: await namedTarget(name, namedBy, options, environment) };
	}
	const { candidates } = await import("./candidates.js");
	const { chooseNativeBox } = await import("./native-box.js");
	const found = await candidates(names, namedBy, options, environment);
	return chooseNativeBox(found, plan, environment, run, closing);
}
