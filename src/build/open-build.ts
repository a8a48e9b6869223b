import { parseContextSource } from "../context/context-source.js";
import type { Engine } from "../engine/engine.js";
import type { Environment } from "../environment.js";
import type { Run } from "../events.js";
import { together } from "../together.js";
import { readTransportSettings } from "../transport/open-transport.js";
import { BoxConnection, type BoxConnectionOptions, type BoxPlace } from "./box/box-connection.js";
import { type ChosenBox, chooseBox } from "./box/choose-box.js";
import { type PlacedBuild, placeBuild } from "./placed-build.js";
import type { BuildOptions } from "./plan/options.js";
import { requireNameToSave } from "./plan/plan-outputs.js";
import {
	awaitContext,
	openContext,
	openNamedDirectories,
	type PlannedRun,
	type Surroundings,
	withPlannedRun,
} from "./planned-run.js";

/** What every run on one box has, from its beginning to its end. */
export interface OpenRun extends PlannedRun, PlacedBuild {
	readonly box: BoxConnection;
}

/** A run whose context is known and whose box was reached. */
export interface OpenBuild extends OpenRun {
	/** As it was when the box was first reached. */
	readonly engine: Engine;
}

/** What is done while the box is waited for. */
type MeanwhileOf = (
	build: PlacedBuild,
) => Pick<BoxConnectionOptions, "whileWaiting" | "whileGreeting">;

/**
 * Does something with a context and the box that is to build it. The context is walked while the
 * connection is made; the first failure stops everything else, on the daemon's machine too.
 *
 * @throws RbuildError
 */
export function withOpenBuild<Result>(
	options: BuildOptions,
	surroundings: Surroundings,
	caller: Run,
	work: (open: OpenBuild) => Promise<Result>,
	meanwhile?: MeanwhileOf,
): Promise<Result> {
	const reach = async (open: OpenRun) => {
		const { stopwatch, context, box, run, failed } = open;
		const [, engine] = await together(failed, [
			stopwatch.time("context", () => awaitContext(context, run)),
			stopwatch.time("connect", () => box.open()),
		]);
		return work({ ...open, engine });
	};
	return withOpenRun(options, surroundings, caller, reach, meanwhile);
}

/**
 * Does something with a context that is being walked and a box that is not connected to yet.
 * @throws RbuildError
 */
export function withOpenRun<Result>(
	options: BuildOptions,
	surroundings: Surroundings,
	caller: Run,
	work: (open: OpenRun) => Promise<Result>,
	meanwhile: MeanwhileOf = () => ({}),
): Promise<Result> {
	const { environment } = surroundings;
	return withPlannedRun(options, surroundings, caller, async (planned) => {
		const { plan, run, closing } = planned;
		requireNameToSave(plan);
		// What is no context is told before a box that is missing: `rbuild ps` may be meant for docker.
		await parseContextSource(options.context, environment.workingDirectory);
		const place = boxPlace(
			await chooseBox(options, plan, environment, run, closing),
			environment,
			run,
		);
		const context = await openContext(options, planned, surroundings);
		const named = await openNamedDirectories(planned);
		const build = placeBuild(plan, context, named, environment, run);
		const { retries } = plan;
		const box = closing.use(new BoxConnection({ ...place, retries, ...meanwhile(build) }, run));
		return work({ ...planned, ...build, box });
	});
}

/** Where a connection to that box leads; begins to read what it takes. */
export function boxPlace(
	box: ChosenBox,
	environment: Environment,
	run: Run,
): BoxPlace & Pick<BoxConnectionOptions, "another"> {
	const place = ({ chosen, opened }: ChosenBox): BoxPlace => {
		const settings = readTransportSettings(chosen, environment, run.signal);
		// It may fail before it is waited for.
		settings.catch(() => {});
		return { chosen, settings, opened };
	};
	const { another } = box;
	return { ...place(box), another: another && (async () => place(await another())) };
}
