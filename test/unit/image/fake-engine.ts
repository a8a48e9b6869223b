import { Readable } from "node:stream";
import type { Engine, EngineRequest } from "../../../src/engine/engine.js";
import type { BuildEvent, Run } from "../../../src/events.js";
import { BlobCache } from "../../../src/image/cache/blob-cache.js";
import type { ImageSource } from "../../../src/image/return/image-return.js";
import { NoReversePush } from "../../../src/image/reverse/reverse-push.js";

export type FakeRequest = EngineRequest;

/** An engine whose answers are those of a function: a stream, or a value that becomes JSON. */
export function fakeEngine(answer: (request: FakeRequest) => unknown, target = "the box"): Engine {
	const engine: Partial<Engine> = {
		transport: { target } as Engine["transport"],
		facts: { product: "docker" } as Engine["facts"],
		clockLeadMs: 0,
		async request(request) {
			const body = await answer(request);
			const stream = body instanceof Readable ? body : Readable.from([JSON.stringify(body)]);
			return { status: 200, headers: {}, body: stream };
		},
		async json(request) {
			return answer(request);
		},
	};
	return engine as Engine;
}

/** A progress stream of the daemon. */
export function jsonLines(...lines: unknown[]): Readable {
	return Readable.from(lines.map((line) => Buffer.from(`${JSON.stringify(line)}\n`)));
}

/** What `docker save` writes, with one layer of so many bytes. */
export function imageArchive(imageId: string, layerBytes: number): Buffer {
	const manifest = JSON.stringify([{ Config: `${imageId.replace("sha256:", "")}.json` }]);
	return Buffer.concat([
		...tarEntry("layer.tar", Buffer.alloc(layerBytes, "layer")),
		...tarEntry("manifest.json", Buffer.from(manifest)),
		Buffer.alloc(1024),
	]);
}

function tarEntry(name: string, content: Buffer): Buffer[] {
	const header = Buffer.alloc(512);
	header.write(name, 0);
	header.write(content.length.toString(8).padStart(11, "0"), 124);
	header.write("        0", 148);
	const sum = header.reduce((total, byte) => total + byte, 0);
	header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
	return [header, content, Buffer.alloc((512 - (content.length % 512)) % 512)];
}

/** A daemon that cannot push to this side, so that its images come as a whole. */
export const comesWhole: ImageSource = {
	cache: new BlobCache("/nonexistent"),
	bring: async () => {
		throw new NoReversePush("this is a test");
	},
};

/** A run whose events are kept. */
export function run(): Run & { readonly events: readonly BuildEvent[] } {
	const events: BuildEvent[] = [];
	const { signal } = new AbortController();
	return { events, signal, emit: (event) => void events.push(event) };
}
