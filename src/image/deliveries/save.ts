import type { Readable, Transform, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { ReplacementFile } from "../../disk/replacement-file.js";
import { writeFailure } from "../../disk/write-failure.js";
import type { Engine } from "../../engine/engine.js";
import { DeliveryError, RbuildError } from "../../errors.js";
import type { DeliveryReport, Run } from "../../events.js";
import { interrupted } from "../../interruption.js";
import { imageLayout } from "../archive/image-layout.js";
import { LayoutFolder } from "../archive/layout-folder.js";
import { compressionOf } from "../archive/save-compression.js";
import { type TarEntry, tarStream } from "../archive/tar-entries.js";
import { CacheFailure } from "../cache/cache-failure.js";
import type { BuiltImage, Delivery } from "../delivery.js";
import { archiveSize, exportArchive } from "../return/archive-export.js";
import type { ImageSource } from "../return/image-return.js";
import { NoReversePush } from "../reverse/reverse-push.js";
import { type Arrival, DeliveryProgress } from "./delivery-progress.js";
import { isLayoutFolder, type SavePlace } from "./save-place.js";

/** Something that takes a tar, and keeps it only when all of it has come. */
type TakeTar = (tar: Readable, compression: readonly Transform[]) => Promise<void>;

/** An image on its way into a file, a folder or a stream. */
interface Saving {
	/** The daemon that has the image. */
	readonly engine: Engine;
	readonly image: BuiltImage;
	readonly place: SavePlace;
	readonly returns: ImageSource;
	readonly progress: DeliveryProgress;
	readonly run: Run;
}

/**
 * The image in a file or folder, with all of its tags, which appears only when it is complete. What this
 * machine has of it from before is not sent again.
 */
export function saveDelivery(place: SavePlace, returns: ImageSource): Delivery {
	return {
		deliver: (engine, image, run) =>
			reported(place.path, run, (progress) => {
				const saving = { engine, image, place, returns, progress, run };
				return isLayoutFolder(place)
					? saveFolder(saving)
					: saveTar(saving, toFile(place.path, run));
			}),
	};
}

/**
 * The image as a tar for `docker load`, written to a stream that stays open, such as the standard output.
 * @param name for events and messages
 */
export function saveToStreamDelivery(
	stream: Writable,
	name: string,
	format: SavePlace["format"],
	returns: ImageSource,
): Delivery {
	const place = { path: name, format };
	return {
		once: true,
		deliver: (engine, image, run) =>
			reported(name, run, (progress) => {
				const saving = { engine, image, place, returns, progress, run };
				return saveTar(saving, toStream(stream, run));
			}),
	};
}

/**
 * Saves what is in the cache as an OCI image layout, for which these bytes came to this machine.
 *
 * @param place with "-" as the path for the stream
 * @throws DeliveryError, InterruptedError
 */
export function saveLayout(
	{ path, format }: SavePlace,
	stream: Writable,
	entries: readonly TarEntry[],
	arrival: Arrival,
	run: Run,
): Promise<DeliveryReport> {
	const name = path === "-" ? "the standard output" : path;
	return reported(name, run, async () => {
		if (path !== "-" && isLayoutFolder({ path, format })) await writeFolder(path, entries, run);
		else {
			const take = path === "-" ? toStream(stream, run) : toFile(path, run);
			await take(tarStream(entries), compressionOf(path, { layers: "compressed" }));
		}
		return arrival;
	});
}

function toFile(path: string, { signal }: Run): TakeTar {
	return async (tar, compression) => {
		await using file = await ReplacementFile.open(path);
		await pipeline([tar, ...compression, file.stream], { signal });
		await file.commit();
	};
}

function toStream(stream: Writable, { signal }: Run): TakeTar {
	return async (tar) => {
		await pipeline(tar, stream, { signal, end: false });
		await new Promise<void>((resolve, reject) => {
			stream.write("", (error) => (error ? reject(error) : resolve()));
		});
	};
}

async function writeFolder(path: string, entries: readonly TarEntry[], run: Run): Promise<void> {
	await using folder = await LayoutFolder.open(path);
	await folder.write(entries, run.signal);
	await folder.commit();
}

async function saveFolder(saving: Saving): Promise<Arrival> {
	const { entries, arrival } = await bring(saving);
	await writeFolder(saving.place.path, entries, saving.run);
	return arrival;
}

async function saveTar(saving: Saving, take: TakeTar): Promise<Arrival> {
	try {
		const { entries, arrival } = await bring(saving);
		await take(tarStream(entries), compressionOf(saving.place.path, { layers: "compressed" }));
		return arrival;
	} catch (error) {
		if (!(error instanceof NoReversePush)) throw error;
		return saveWhole(saving, error.message, take);
	}
}

/** @throws NoReversePush where the daemon's own archive does as well */
async function bring({ engine, image, place, returns, progress, run }: Saving): Promise<{
	readonly entries: readonly TarEntry[];
	readonly arrival: Arrival;
}> {
	const forDocker = place.format === "docker";
	try {
		const returned = await returns.bring(engine, image, new Set(), progress, run);
		const options = { tags: image.tags, docker: forDocker ? returned.image : undefined };
		const entries = await imageLayout(returns.cache, returned.image, options);
		return { entries, arrival: { bytes: returned.received, reusedBytes: returned.reused } };
	} catch (error) {
		if (forDocker || !(error instanceof NoReversePush)) throw error;
		if (error.cause instanceof CacheFailure) throw error.cause;
		throw new DeliveryError(
			`cannot make an OCI layout from ${engine.transport.target}: ${error.message}`,
			{
				hint: "use --save FILE.tar, which every daemon supports",
			},
		);
	}
}

/** The archive that the daemon itself makes, all of which has to come. */
async function saveWhole(
	{ engine, image, place, progress, run }: Saving,
	reason: string,
	take: TakeTar,
): Promise<Arrival> {
	progress.comesWhole(reason, await archiveSize(engine, image, run.signal));
	const archive = await exportArchive(engine, image, run.signal, progress.onBytes);
	try {
		await take(archive, compressionOf(place.path, { layers: "plain" }));
	} catch (error) {
		archive.destroy();
		throw error;
	}
	return { bytes: archive.bytes, whole: reason };
}

async function reported(
	destination: string,
	run: Run,
	work: (progress: DeliveryProgress) => Promise<Arrival>,
): Promise<DeliveryReport> {
	const progress = new DeliveryProgress("save", destination, run.emit);
	try {
		return progress.done(await work(progress));
	} catch (error) {
		if (run.signal.aborted) throw interrupted(run.signal);
		throw error instanceof RbuildError ? error : writeFailure(destination, error);
	}
}
