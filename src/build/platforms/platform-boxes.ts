import { isDeepStrictEqual } from "node:util";
import type { Closing } from "../../closing.js";
import type { BuildContext } from "../../context/build-context.js";
import type { Engine } from "../../engine/engine.js";
import type { Environment } from "../../environment.js";
import type { Run } from "../../events.js";
import { BoxConnection } from "../box/box-connection.js";
import type { ChosenBox } from "../box/choose-box.js";
import type { NamedDirectories } from "../inputs/named-directories.js";
import { boxPlace } from "../open-build.js";
import { meanwhileFor, type PlacedBuild, placeBuild } from "../placed-build.js";
import type { BuildPlan } from "../plan/build-plan.js";
import { runFor } from "./platform-news.js";

/** A build for one platform, on its box. */
export interface PlatformBuild extends PlacedBuild {
	readonly platform: string;
	/** About this platform. */
	readonly run: Run;
}

/** A box, and all that it is to build. */
export interface PlatformBox {
	readonly connection: BoxConnection;
	/** One at least. */
	readonly builds: readonly PlatformBuild[];
}

/** A box that was reached. */
export interface ReachedBox extends PlatformBox {
	/** As it was then. */
	readonly engine: Engine;
}

interface BoxesRequest {
	/** Of each platform. */
	readonly plans: readonly BuildPlan[];
	/** Of each plan. */
	readonly chosen: readonly ChosenBox[];
	readonly context: BuildContext;
	readonly named: NamedDirectories;
	readonly environment: Environment;
	readonly closing: Closing;
}

/** One connection for each box, whatever number of platforms it builds. */
export function platformBoxes(
	{ plans, chosen, context, named, environment, closing }: BoxesRequest,
	run: Run,
): readonly PlatformBox[] {
	const groups: { readonly box: ChosenBox; readonly builds: PlatformBuild[] }[] = [];
	for (const [index, plan] of plans.entries()) {
		const box = chosen[index] as ChosenBox;
		const platform = plan.platform as string;
		const runOfPlatform = runFor(platform, run);
		const own = index > 0 && context.kind === "directory" ? context.forAnotherBox() : context;
		const ownNamed = index > 0 ? named.forAnotherBox() : named;
		const placed = placeBuild(plan, own, ownNamed, environment, runOfPlatform);
		const build = { platform, run: runOfPlatform, ...placed };
		const group = groups.find((one) => isDeepStrictEqual(one.box.chosen.target, box.chosen.target));
		if (group === undefined) groups.push({ box, builds: [build] });
		else group.builds.push(build);
	}
	return groups.map(({ box, builds }) => {
		const names = builds.map(({ platform }) => platform).join(",");
		const runOfBox = runFor(names, run);
		const { retries } = (builds[0] as PlatformBuild).plan;
		const options = { ...boxPlace(box, environment, runOfBox), ...meanwhile(builds), retries };
		return { connection: closing.use(new BoxConnection(options, runOfBox)), builds };
	});
}

function meanwhile(builds: readonly PlatformBuild[]): ReturnType<typeof meanwhileFor> {
	const all = builds.map(meanwhileFor);
	return {
		whileWaiting: () => {
			for (const { whileWaiting } of all) whileWaiting?.();
		},
		whileGreeting: (questions) => {
			for (const { whileGreeting } of all) whileGreeting?.(questions);
		},
	};
}
