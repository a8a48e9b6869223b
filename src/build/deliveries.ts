import type { Writable } from "node:stream";
import type { Closing } from "../closing.js";
import { connectEngine } from "../engine/connect-engine.js";
import type { Engine } from "../engine/engine.js";
import type { Environment } from "../environment.js";
import type { Run } from "../events.js";
import type { Delivery } from "../image/delivery.js";
import { ImageReturn } from "../image/image-return.js";
import { loadDelivery } from "../image/load.js";
import { pushDelivery } from "../image/push.js";
import { pushFromHereDelivery } from "../image/push-from-here.js";
import type { CredentialSource } from "../image/registry-credentials.js";
import { saveDelivery, saveToStreamDelivery } from "../image/save.js";
import { localDaemon } from "../target/choose-target.js";
import { openTransport, readTransportSettings } from "../transport/open-transport.js";
import { imageCache } from "./image-cache.js";
import type { PushVia } from "./plan/options.js";
import type { PlannedDeliveries } from "./plan/plan-outputs.js";

export interface DeliveryRooms {
	readonly environment: Environment;
	readonly credentials: CredentialSource;
	/** Where `save: "-"` writes. */
	readonly stdout: Writable;
	/** Closes what a delivery opened, at the end of the run. */
	readonly closing: Closing;
}

/** What was asked for, in the order in which it is done: what others wait for comes first. */
export function planDeliveries(
	tags: readonly string[],
	{ push, saves, load }: PlannedDeliveries,
	rooms: DeliveryRooms,
	run: Run,
): readonly Delivery[] {
	const returns = new ImageReturn(imageCache(rooms.environment));
	const pushed = (tag: string, via: PushVia) =>
		via === "client"
			? pushFromHereDelivery(tag, { ...rooms, returns })
			: pushDelivery(tag, rooms.credentials);
	return [
		...(push === false ? [] : tags.map((tag) => pushed(tag, push))),
		...saves.map((save) =>
			save.path === "-"
				? saveToStreamDelivery(rooms.stdout, "the standard output", save.format, returns)
				: saveDelivery(save, returns),
		),
		...(load ? [loadDelivery(() => openLocalEngine(rooms, run), returns)] : []),
	];
}

/** The daemon of this machine. @throws ConnectionError */
export async function openLocalEngine(rooms: DeliveryRooms, run: Run): Promise<Engine> {
	const chosen = await localDaemon(rooms.environment);
	const transport = rooms.closing.use(
		await openTransport(
			chosen,
			readTransportSettings(chosen, rooms.environment, run.signal),
			run.signal,
			run.emit,
		),
	);
	return rooms.closing.use(await connectEngine(transport, run.signal));
}
