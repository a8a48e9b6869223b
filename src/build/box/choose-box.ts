import type { Closing } from "../../closing.js";
import type { Environment } from "../../environment.js";
import type { Run } from "../../events.js";
import {
	AUTO,
	namedBoxes,
	namedTarget,
	type TargetOptions,
	usualTarget,
} from "../../target/choose-target.js";
import type { ChosenTarget } from "../../target/target.js";
import type { BuildPlan } from "../plan/build-plan.js";
import type { BuildOptions } from "../plan/options.js";
import type { OpenedBox } from "./opened-box.js";

export interface ChosenBox {
	readonly chosen: ChosenTarget;
	/** It was asked over this connection. */
	readonly opened?: OpenedBox;
	/** It was only remembered that this box fits: another choice, should it not be reached. */
	readonly another?: () => Promise<ChosenBox>;
}

/** What is to be built, as far as it matters to the choice. */
type Wish = Pick<BuildPlan, "platform" | "allowEmulation">;

/**
 * Where to build. Only of several boxes one has to be found out, by asking them.
 *
 * @param closing closes the connection to the one that is chosen, unless somebody takes it; without it,
 * none is kept
 * @throws UsageError for a target that makes no sense; ConnectionError when there is none; InterruptedError
 */
export async function chooseBox(
	options: Pick<BuildOptions, "on"> & TargetOptions,
	{ platform, allowEmulation }: Wish,
	environment: Environment,
	run: Run,
	closing?: Closing,
): Promise<ChosenBox> {
	const wish = { platforms: [platform] as const, allowEmulation };
	const [box] = await chooseBoxes(options, wish, environment, run, closing);
	return box as ChosenBox;
}

/** What is to be built by one box or several; a platform that is undefined is any. */
export interface PlatformsWish {
	readonly platforms: readonly (string | undefined)[];
	readonly allowEmulation: boolean;
}

/**
 * As chooseBox(), for several platforms.
 * @returns for each platform its box, in their order
 */
export async function chooseBoxes(
	options: Pick<BuildOptions, "on"> & TargetOptions,
	wish: PlatformsWish,
	environment: Environment,
	run: Run,
	closing?: Closing,
): Promise<readonly ChosenBox[]> {
	const { names, namedBy } = namedBoxes(options.on, environment);
	const [name] = names;
	if (name === undefined || (names.length === 1 && name !== AUTO)) {
		const chosen =
			name === undefined
				? await usualTarget(options, environment)
				: await namedTarget(name, namedBy, options, environment);
		return wish.platforms.map(() => ({ chosen }));
	}
	const { candidates } = await import("./candidates.js");
	const { chooseNativeBoxes } = await import("./native-box.js");
	const found = await candidates(names, namedBy, options, environment);
	return chooseNativeBoxes(found, wish, environment, run, closing);
}
