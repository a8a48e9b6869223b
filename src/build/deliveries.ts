import { connectEngine } from "../engine/connect-engine.js";
import type { Engine } from "../engine/engine.js";
import type { Run } from "../events.js";
import { loadDelivery } from "../image/deliveries/load.js";
import { pushDelivery } from "../image/deliveries/push.js";
import { pushFromHereDelivery } from "../image/deliveries/push-from-here.js";
import { saveDelivery, saveToStreamDelivery } from "../image/deliveries/save.js";
import type { Delivery } from "../image/delivery.js";
import { ImageReturn } from "../image/return/image-return.js";
import { localDaemon } from "../target/choose-target.js";
import { openTransport, readTransportSettings } from "../transport/open-transport.js";
import { imageCache } from "./image-cache.js";
import type { PushVia } from "./plan/options.js";
import type { PlannedDeliveries } from "./plan/plan-outputs.js";
import type { RunResources } from "./run-resources.js";

/** What was asked for, in the order in which it is done: what others wait for comes first. */
export function planDeliveries(
	tags: readonly string[],
	{ push, saves, load }: PlannedDeliveries,
	resources: RunResources,
	run: Run,
): readonly Delivery[] {
	const { environment, credentials, stdout } = resources;
	const returns = new ImageReturn(imageCache(environment));
	const pushed = (tag: string, via: PushVia) =>
		via === "client"
			? pushFromHereDelivery(tag, { returns, credentials, environment })
			: pushDelivery(tag, credentials);
	return [
		...(push === false ? [] : tags.map((tag) => pushed(tag, push))),
		...saves.map((save) =>
			save.path === "-"
				? saveToStreamDelivery(stdout, "the standard output", save.format, returns)
				: saveDelivery(save, returns),
		),
		...(load ? [loadDelivery(() => openLocalEngine(resources, run), returns)] : []),
	];
}

/** The daemon of this machine. @throws ConnectionError */
export async function openLocalEngine(
	{ environment, closing }: Pick<RunResources, "environment" | "closing">,
	run: Run,
): Promise<Engine> {
	const chosen = await localDaemon(environment);
	const transport = closing.use(
		await openTransport(
			chosen,
			readTransportSettings(chosen, environment, run.signal),
			run.signal,
			run.emit,
		),
	);
	return closing.use(await connectEngine(transport, run.signal));
}
