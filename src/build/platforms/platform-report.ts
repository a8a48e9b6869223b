import type { BuildContext } from "../../context/build-context.js";
import type { BuildReport, PlatformReport } from "../../events.js";
import { type PlannedRun, phasesOf } from "../planned-run.js";
import type { BuiltPlatform } from "./built-platform.js";
import type { DeliveredPlatforms } from "./platform-deliveries.js";

/** @param built one at least, in the order in which the platforms were asked for */
export function writeReport(
	built: readonly BuiltPlatform[],
	{ index, loaded, deliveries }: DeliveredPlatforms,
	context: BuildContext,
	{ plan, stopwatch }: PlannedRun,
): BuildReport {
	const platforms = built.map(({ platform, box, image, upload }, position): PlatformReport => {
		const digest = index?.manifests[position]?.digest;
		return {
			platform,
			imageId: image.id,
			...(digest === undefined ? {} : { digest }),
			target: box.engine.transport.target,
			engine: box.engine.facts,
			...(upload === undefined ? {} : { upload }),
		};
	});
	const imageId = index?.root.digest ?? loaded?.image.id;
	const connections = [...new Set(built.map(({ box }) => box.connection))];
	const sum = (number: (connection: (typeof connections)[number]) => number) =>
		connections.reduce((total, connection) => total + number(connection), 0);
	return {
		...(imageId === undefined ? {} : { imageId }),
		tags: plan.tags,
		platform: platforms.map(({ platform }) => platform).join(","),
		target: [...new Set(platforms.map(({ target }) => target))].join(","),
		engine: (platforms[0] as PlatformReport).engine,
		platforms,
		deliveries,
		contextKind: context.kind,
		...(context.kind === "directory" ? { context: context.totals() } : {}),
		wire: {
			sent: sum(({ wire }) => wire.sent),
			received: sum(({ wire }) => wire.received),
		},
		retries: sum(({ retries }) => retries),
		phases: phasesOf(stopwatch),
	};
}
