import type { Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import type { Engine } from "../engine/engine.js";
import { interrupted } from "../engine/exchange.js";
import { RbuildError } from "../errors.js";
import type { DeliveryReport, Run } from "../events.js";
import type { ArchiveCheck } from "./archive-check.js";
import { exportArchive } from "./archive-export.js";
import type { BuiltImage, Delivery } from "./delivery.js";
import { checkWritable, ReplacementFile, writeFailure } from "./replacement-file.js";

/**
 * To be called before anything is uploaded.
 * @param path absolute
 * @throws DeliveryError when a file could not be written there
 */
export function checkSaveTarget(path: string): Promise<void> {
	return checkWritable(path);
}

/**
 * The image in a file that `docker load` takes, with all of its tags; compressed for a name in .gz or
 * .tgz. The file appears only when it is complete.
 * @param path absolute
 */
export function saveDelivery(path: string): Delivery {
	return {
		deliver: (engine, image, run) =>
			save(engine, image, path, run, async (archive) => {
				await using file = await ReplacementFile.open(path);
				const compression = /\.t?gz$/i.test(path) ? [createGzip()] : [];
				await pipeline([archive, ...compression, file.stream], { signal: run.signal });
				await file.commit();
			}),
	};
}

/**
 * The image written to a stream that stays open, such as the standard output.
 * @param name for events and messages
 */
export function saveToStreamDelivery(stream: Writable, name: string): Delivery {
	return {
		once: true,
		deliver: (engine, image, run) =>
			save(engine, image, name, run, async (archive) => {
				await pipeline(archive, stream, { signal: run.signal, end: false });
				await new Promise<void>((resolve, reject) => {
					stream.write("", (error) => (error ? reject(error) : resolve()));
				});
			}),
	};
}

async function save(
	engine: Engine,
	image: BuiltImage,
	destination: string,
	run: Run,
	write: (archive: ArchiveCheck) => Promise<void>,
): Promise<DeliveryReport> {
	const startedAt = performance.now();
	const event = { type: "deliver", method: "save", destination } as const;
	run.emit({ ...event, status: "started", bytes: 0 });
	const archive = await exportArchive(engine, image, run.signal, (bytes) =>
		run.emit({ ...event, status: "progress", bytes }),
	);
	try {
		await write(archive);
	} catch (error) {
		archive.destroy();
		if (run.signal.aborted) throw interrupted(run.signal);
		throw error instanceof RbuildError ? error : writeFailure(destination, error);
	}
	run.emit({ ...event, status: "done", bytes: archive.bytes });
	const durationMs = performance.now() - startedAt;
	return { method: "save", destination, bytes: archive.bytes, durationMs };
}
