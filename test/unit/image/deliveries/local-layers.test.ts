import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { EngineError } from "../../../../src/errors.js";
import { layersThere } from "../../../../src/image/deliveries/local-layers.js";
import { digestOf } from "../../../../src/image/manifest/digest.js";
import { fakeEngine } from "../fake-engine.js";

const { signal } = new AbortController();
const [a, b, c, d] = ["a", "b", "c", "d"].map((text) => digestOf(Buffer.from(text)));

describe("the layers that a daemon has", () => {
	/** A daemon with these images, by their layers. */
	const daemon = (images: readonly (readonly unknown[])[], store: object = GRAPH_DRIVER) =>
		fakeEngine(({ path }) => {
			if (path === "/images/json") return images.map((_, index) => ({ Id: `sha256:${index}` }));
			const index = Number(/^\/images\/sha256:(\d+)\/json$/.exec(path)?.[1]);
			return { Id: `sha256:${index}`, RootFS: { Layers: images[index] }, ...store };
		});
	const GRAPH_DRIVER = { GraphDriver: { Data: { LowerDir: "/" } } };
	const there = async (engine: ReturnType<typeof fakeEngine>) => [
		...(await layersThere(engine, [a ?? "", b ?? "", c ?? ""], signal)),
	];

	it("are those that an image of its begins with", async () => {
		assert.deepEqual(await there(daemon([[a], [a, b, d], [d, b, c]])), [a, b]);
		assert.deepEqual(await there(daemon([[a, b, c, d]])), [a, b, c]);
		assert.deepEqual(await there(daemon([[b, c], []])), []);
	});

	it("are not known of a store that does not take an archive without them", async () => {
		assert.deepEqual(await there(daemon([[a, b]], { Descriptor: {} })), []);
	});

	it("are not known of a daemon that does not tell its images", async () => {
		const engine = fakeEngine(() => {
			throw new EngineError("no", { status: 500 });
		});
		assert.deepEqual(await there(engine), []);
	});
});
