import type { Engine } from "../engine/engine.js";
import { loadImage } from "../engine/images.js";
import { DeliveryError, EngineError } from "../errors.js";
import type { Run } from "../events.js";
import type { ArchiveCheck } from "./archive-check.js";
import { exportArchive } from "./archive-export.js";
import { readDaemonLine } from "./daemon-line.js";
import type { BuiltImage, Delivery } from "./delivery.js";
import { identifyImage, sameContent } from "./image-identity.js";
import { parseTag } from "./reference.js";

/**
 * The image, streamed into the daemon of this machine, with all of its tags; afterwards that daemon
 * is asked whether it is the same image.
 * @param openLocalEngine called when it is needed; what it opens is its owner's to close
 */
export function loadDelivery(openLocalEngine: () => Promise<Engine>): Delivery {
	return {
		async deliver(engine, image, run) {
			const startedAt = performance.now();
			const local = await openLocalEngine();
			const destination = local.transport.target;
			const event = { type: "deliver", method: "load", destination } as const;
			run.emit({ ...event, status: "started", bytes: 0 });
			const archive = await exportArchive(engine, image, run.signal, (bytes) =>
				run.emit({ ...event, status: "progress", bytes }),
			);
			const loaded = await load(local, archive, run);
			await checkLoaded(engine, local, image, archive, loaded, run);
			run.emit({ ...event, status: "done", bytes: archive.bytes });
			const durationMs = performance.now() - startedAt;
			return { method: "load", destination, bytes: archive.bytes, durationMs };
		},
	};
}

/** @returns the names or ids that the local daemon says it has loaded */
async function load(local: Engine, archive: ArchiveCheck, run: Run): Promise<readonly string[]> {
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
		const reason = archive.errored ?? error;
		archive.destroy();
		throw reason instanceof EngineError ? refuse(reason.message, reason) : reason;
	}
	return loaded;
}

async function checkLoaded(
	engine: Engine,
	local: Engine,
	image: BuiltImage,
	archive: ArchiveCheck,
	loaded: readonly string[],
	run: Run,
): Promise<void> {
	const tags = image.tags.map((tag) => parseTag(tag).familiar);
	const names = tags.length > 0 ? tags : loaded.length > 0 ? loaded : [image.id];
	for (const name of names) {
		const found = await identifyImage(local, name, run.signal).catch((error: unknown) => {
			if (error instanceof EngineError && error.status === 404) return undefined;
			throw error;
		});
		if (found !== undefined && archive.contents.imageIds.has(found.id)) continue;
		const built = await identifyImage(engine, image.id, run.signal);
		if (found !== undefined && sameContent(built, found)) continue;
		throw new DeliveryError(
			`${local.transport.target} took the image, but has ${found?.id ?? "nothing"} as ${name} instead of ${image.id}`,
			{ hint: "was the same name loaded or built there at the same time? Then run rbuild again" },
		);
	}
}
