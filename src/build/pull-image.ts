import { inspectImage } from "../engine/images.js";
import { EngineError } from "../errors.js";
import type { DeliveryReport, Run } from "../events.js";
import { parseReference } from "../image/reference.js";
import { type BoxOptions, withBox } from "./box/box-work.js";
import { planDeliveries } from "./deliveries.js";
import type { BuildOptions } from "./plan/options.js";
import { planOutputs, savesOf } from "./plan/plan-outputs.js";
import type { Surroundings } from "./planned-run.js";
import { runResources } from "./run-resources.js";

/** What `rbuild pull` can be told. */
interface PullOptions extends BoxOptions, Pick<BuildOptions, "save" | "load"> {
	/** A name, or an id. Without `save`, it is loaded into the local daemon. */
	readonly image: string;
}

/** What was brought here. */
interface PullReport {
	/** As the daemon there calls it. */
	readonly imageId: string;
	readonly deliveries: readonly DeliveryReport[];
}

/**
 * Brings an image that a daemon has to this machine, as a build brings its own.
 *
 * @throws RbuildError
 */
export async function pullImage(
	options: PullOptions,
	surroundings: Surroundings,
	run: Run,
): Promise<PullReport> {
	const { environment } = surroundings;
	const { image } = options;
	const save = savesOf(options.save);
	const isId = /^(?:sha256:)?[0-9a-f]{12,64}$/.test(image);
	const name = isId ? undefined : parseReference(image).familiar;
	const load = options.load === true || save.length === 0;
	const { deliveries } = await planOutputs({ load, save }, environment);
	return withBox(options, environment, run, async (box, closing) => {
		const found = await box.keep(async (engine) => {
			return inspectImage(engine, name ?? image, run.signal).catch((error: unknown) => {
				if (!(error instanceof EngineError) || error.status !== 404) throw error;
				throw new EngineError(`there is no image ${image} on ${engine.transport.target}`, {
					hint: `list them with: rbuild images --on ${engine.transport.target}`,
					status: 404,
				});
			});
		});
		const tags = name === undefined || name.includes("@") ? found.tags : [name];
		const resources = runResources(surroundings, closing, run);
		const reports: DeliveryReport[] = [];
		for (const delivery of planDeliveries(tags, deliveries, resources, run)) {
			const built = { id: found.id, tags };
			reports.push(await box.keep((engine) => delivery.deliver(engine, built, run), delivery.once));
		}
		return { imageId: found.id, deliveries: reports };
	});
}
