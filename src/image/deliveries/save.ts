import { Readable, type Transform, type Writable } from "node:stream";
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
import { type TarEntry, tarOf } from "../archive/tar-entries.js";
import { CacheFailure } from "../cache/cache-failure.js";
import type { BuiltImage, Delivery } from "../delivery.js";
import { archiveSize, exportArchive } from "../return/archive-export.js";
import type { ImageSource } from "../return/image-return.js";
import { NoReversePush } from "../reverse/reverse-push.js";
import { type Arrival, DeliveryProgress } from "./delivery-progress.js";
import { isLayoutFolder, type SavePlace } from "./save-place.js";

/** Something that takes a tar, and keeps it only when all of it has come. */
type TakeTar = (tar: Readable, compression: readonly Transform[]) => Promise<void>;

/**
 * The image in a file or folder, with all of its tags, which appears only when it is complete. What this
 * machine has of it from before is not sent again.
 */
export function saveDelivery(place: SavePlace, returns: ImageSource): Delivery {
	const { path } = place;
	return {
		deliver: (engine, image, run) =>
			isLayoutFolder(place)
				? reported(path, run, async (progress) => {
						const { returned, entries } = await bring(engine, image, false, returns, progress, run);
						await writeFolder(path, entries, run);
						return { bytes: returned.received, reusedBytes: returned.reused };
					})
				: save(engine, image, place, returns, run, toFile(path, run)),
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
	return {
		once: true,
		deliver: (engine, image, run) =>
			save(engine, image, { path: name, format }, returns, run, toStream(stream, run)),
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
			await take(tarStream(entries), compressionOf(path, true));
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

function tarStream(entries: readonly TarEntry[]): Readable {
	return Readable.from(tarOf(entries), { objectMode: false });
}

function save(
	engine: Engine,
	image: BuiltImage,
	{ path, format }: SavePlace,
	returns: ImageSource,
	run: Run,
	take: TakeTar,
): Promise<DeliveryReport> {
	const docker = format === "docker";
	return reported(path, run, async (progress): Promise<Arrival> => {
		try {
			const { returned, entries } = await bring(engine, image, docker, returns, progress, run);
			await take(tarStream(entries), compressionOf(path, true));
			return { bytes: returned.received, reusedBytes: returned.reused };
		} catch (error) {
			if (!(error instanceof NoReversePush)) throw error;
			return saveWhole(engine, image, error.message, path, progress, run, take);
		}
	});
}

async function bring(
	engine: Engine,
	image: BuiltImage,
	docker: boolean,
	returns: ImageSource,
	progress: DeliveryProgress,
	run: Run,
) {
	try {
		const returned = await returns.bring(engine, image, new Set(), progress, run);
		const options = { tags: image.tags, docker: docker ? returned.image : undefined };
		return { returned, entries: await imageLayout(returns.cache, returned.image, options) };
	} catch (error) {
		if (docker || !(error instanceof NoReversePush)) throw error;
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
	engine: Engine,
	image: BuiltImage,
	reason: string,
	path: string,
	progress: DeliveryProgress,
	run: Run,
	take: TakeTar,
): Promise<Arrival> {
	progress.comesWhole(reason, await archiveSize(engine, image, run.signal));
	const archive = await exportArchive(engine, image, run.signal, progress.onBytes);
	try {
		await take(archive, compressionOf(path, false));
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
