import type { Readable } from "node:stream";
import type { Engine } from "../../engine/engine.js";
import { inspectImage, loadImage, tagImage } from "../../engine/images.js";
import { ConnectionError, DeliveryError, EngineError, RbuildError } from "../../errors.js";
import type { Run } from "../../events.js";
import { imageLayout } from "../archive/image-layout.js";
import { tarStream } from "../archive/tar-entries.js";
import { readDaemonLine } from "../daemon-line.js";
import type { BuiltImage, Delivery } from "../delivery.js";
import type { Digest } from "../manifest/digest.js";
import { parseTag } from "../reference.js";
import { archiveSize, exportArchive } from "../return/archive-export.js";
import { imageOnBox } from "../return/image-on-box.js";
import type { ImageSource, ReturnedImage } from "../return/image-return.js";
import { NoReversePush } from "../reverse/reverse-push.js";
import { type Arrival, DeliveryProgress } from "./delivery-progress.js";
import { identifyImage, sameContent } from "./image-identity.js";
import { LocalDaemonLost, openLocalDaemon } from "./local-daemon.js";
import { layersThere } from "./local-layers.js";

/**
 * The image in the daemon of this machine, with all of its tags: only the layers that neither that daemon
 * nor the cache has are sent. Afterwards that daemon is asked whether it is the same image.
 * @param openLocalEngine called when it is needed; what it opens is its owner's to close
 */
export function loadDelivery(
	openLocalEngine: () => Promise<Engine>,
	returns: ImageSource,
): Delivery {
	return {
		async deliver(engine, image, run) {
			const local = await openLocalDaemon(openLocalEngine);
			const progress = new DeliveryProgress("load", local.transport.target, run.emit);
			const loading = { engine, local, image, returns, progress, run };
			return progress.done((await tagThere(loading)) ?? (await loadMissing(loading)));
		},
	};
}

interface Loading {
	/** The daemon that has the image. */
	readonly engine: Engine;
	readonly local: Engine;
	readonly image: BuiltImage;
	readonly returns: ImageSource;
	readonly progress: DeliveryProgress;
	readonly run: Run;
}

/** An image that is there by its id only needs its names. */
async function tagThere({ local, image, run }: Loading): Promise<Arrival | undefined> {
	try {
		const { id, size } = await inspectImage(local, image.id, run.signal);
		if (id !== image.id) return undefined;
		for (const tag of image.tags) await tagImage(local, id, parseTag(tag).familiar, run.signal);
		return { bytes: 0, reusedBytes: size };
	} catch (error) {
		if (error instanceof EngineError) return undefined;
		throw error;
	}
}

async function loadMissing(loading: Loading): Promise<Arrival> {
	const { engine, local, image, run } = loading;
	try {
		const { layers } = await imageOnBox(engine, image, run.signal);
		const there = await layersThere(local, layers, run.signal);
		const returned = await bring(loading, there);
		try {
			return await loadReturned(loading, returned, there);
		} catch (error) {
			const isLost = error instanceof LocalDaemonLost;
			if (isLost || there.size === 0 || !(error instanceof DeliveryError)) throw error;
		}
		// A layer may have been removed there meanwhile: then it takes all of them.
		return await loadReturned(loading, await bring(loading, new Set()), new Set());
	} catch (error) {
		if (!(error instanceof NoReversePush)) throw error;
		return loadWhole(loading, error.message);
	}
}

function bring(
	{ engine, image, returns, progress, run }: Loading,
	unwanted: ReadonlySet<Digest>,
): Promise<ReturnedImage> {
	return returns.bring(engine, image, unwanted, progress, run);
}

/** @throws DeliveryError when that daemon does not take it, or makes another image of it */
async function loadReturned(
	loading: Loading,
	{ image: returned, received, reused }: ReturnedImage,
	there: ReadonlySet<Digest>,
): Promise<Arrival> {
	const { local, image, returns, run } = loading;
	const spared = returned.layers.filter(({ diffId }) => there.has(diffId));
	const without = new Set(spared.map(({ digest }) => digest));
	const { tags } = image;
	const entries = await imageLayout(returns.cache, returned, { tags, docker: returned, without });
	const loaded = await load(local, tarStream(entries), run);
	const ids = new Set([returned.root.digest, returned.config.digest]);
	await checkLoaded(loading, ids, loaded);
	return { bytes: received, reusedBytes: reused };
}

async function loadWhole(loading: Loading, reason: string): Promise<Arrival> {
	const { engine, local, image, progress, run } = loading;
	progress.comesWhole(reason, await archiveSize(engine, image, run.signal));
	const archive = await exportArchive(engine, image, run.signal, progress.onBytes);
	const loaded = await load(local, archive, run);
	await checkLoaded(loading, archive.contents.imageIds, loaded);
	return { bytes: archive.bytes, whole: reason };
}

/** @returns the names or ids that the local daemon says it has loaded */
async function load(local: Engine, archive: Readable, run: Run): Promise<readonly string[]> {
	const refuse = (reason: string, cause?: unknown) =>
		new DeliveryError(`cannot load the image into ${local.transport.target}: ${reason}`, {
			hint: "look at that daemon's log, and at the space left on its disk",
			cause,
		});
	const loaded: string[] = [];
	try {
		for await (const line of loadImage(local, archive, run.signal)) {
			const { error, stream = "" } = readDaemonLine(line);
			if (error !== undefined) throw refuse(error);
			// What the containerd image store says, and goes on to report success.
			if (stream.startsWith("Error ")) throw refuse(stream.trim());
			const name = /^Loaded image(?: ID)?: (\S+)/.exec(stream)?.[1];
			if (name !== undefined) loaded.push(name);
		}
	} catch (error) {
		// An archive that breaks off makes the local daemon complain; the break is the reason.
		const { errored } = archive;
		archive.destroy();
		if (errored instanceof RbuildError) throw errored;
		if (error instanceof ConnectionError) throw new LocalDaemonLost(error);
		throw error instanceof EngineError ? refuse(error.message, error) : error;
	}
	return loaded;
}

/**
 * @param ids what the image may be called there: an image store calls it by its manifest, or its config
 * @param loaded what that daemon says it has loaded
 * @throws DeliveryError when it has another image by one of the names
 */
async function checkLoaded(
	{ engine, local, image, run }: Loading,
	ids: ReadonlySet<string>,
	loaded: readonly string[],
): Promise<void> {
	const tags = image.tags.map((tag) => parseTag(tag).familiar);
	const names = tags.length > 0 ? tags : loaded.length > 0 ? loaded : [image.id];
	for (const name of names) {
		const found = await identifyImage(local, name, run.signal).catch((error: unknown) => {
			if (error instanceof EngineError && error.status === 404) return undefined;
			throw error;
		});
		if (found !== undefined && ids.has(found.id)) continue;
		const built = await identifyImage(engine, image.id, run.signal);
		if (found !== undefined && sameContent(built, found)) continue;
		throw new DeliveryError(
			`${local.transport.target} took the image, but has ${found?.id ?? "nothing"} as ${name} instead of ${image.id}`,
			{ hint: "was the same name loaded or built there at the same time? Then run rbuild again" },
		);
	}
}
