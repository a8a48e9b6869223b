import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { describe, it } from "node:test";
import { ConnectionError, EngineError } from "../../../../src/errors.js";
import { loadDelivery } from "../../../../src/image/deliveries/load.js";
import { comesWhole, fakeEngine, imageArchive, jsonLines, run } from "../fake-engine.js";

const IMAGE = { id: `sha256:${"a".repeat(64)}`, tags: ["app"] };
const OTHER = `sha256:${"b".repeat(64)}`;
const ARCHIVE = imageArchive(IMAGE.id, 3_000_000);
const LOADED = { stream: "Loaded image: app:latest\n" };

const description = (id: string, layers: string[], config: object = {}) => ({
	...{ Id: id, Os: "linux", Architecture: "amd64", RootFS: { Layers: layers }, Config: config },
});

describe("loading an image into another daemon", () => {
	const remote = (archive = Readable.from([ARCHIVE])) =>
		fakeEngine(({ path }) =>
			path === "/images/get" ? archive : description(IMAGE.id, ["sha256:1"], { Cmd: ["a"] }),
		);

	/** A local daemon that reads the archive, says these lines, and then has this image. */
	const local = (found: unknown, ...lines: unknown[]) => {
		const received: Buffer[] = [];
		const engine = fakeEngine(async ({ path, body }) => {
			if (path === "/images/load") {
				const complaint = new EngineError("unexpected EOF", { status: 500 });
				const bytes = await buffer(body as Readable).catch(() => Promise.reject(complaint));
				received.push(bytes);
				return jsonLines(...lines);
			}
			if (path !== "/images/app:latest/json" || found === undefined) {
				throw new EngineError("no such image", { status: 404 });
			}
			return found;
		}, "unix:///local.sock");
		return { engine, received };
	};

	it("sends it the whole archive and finds the same id there", async () => {
		const { engine, received } = local(description(IMAGE.id, []), LOADED);
		const report = await loadDelivery(async () => engine, comesWhole).deliver(
			remote(),
			IMAGE,
			run(),
		);
		assert.ok(received[0]?.equals(ARCHIVE));
		assert.equal(report.destination, "unix:///local.sock");
		assert.equal(report.bytes, ARCHIVE.length);
	});

	it("takes another id for the same image when layers and configuration are the same", async () => {
		const same = description(OTHER, ["sha256:1"], { Cmd: ["a"], Env: null, Labels: {} });
		const { engine } = local(same, LOADED);
		await loadDelivery(async () => engine, comesWhole).deliver(remote(), IMAGE, run());
	});

	for (const [what, found, had] of [
		["other layers", description(OTHER, ["sha256:2"], { Cmd: ["a"] }), OTHER],
		["another command", description(OTHER, ["sha256:1"], { Cmd: ["b"] }), OTHER],
		["nothing", undefined, "nothing"],
	] as const) {
		it(`has failed when the tag then stands for ${what}`, async () => {
			const { engine } = local(found, LOADED);
			const loading = loadDelivery(async () => engine, comesWhole).deliver(remote(), IMAGE, run());
			await assert.rejects(loading, {
				name: "DeliveryError",
				message: `unix:///local.sock took the image, but has ${had} as app:latest instead of ${IMAGE.id}`,
			});
		});
	}

	for (const [line, reason] of [
		[{ errorDetail: { message: "no space left" }, error: "no space left" }, "no space left"],
		[{ stream: "Error unpacking image app: lost\n" }, "Error unpacking image app: lost"],
	] as const) {
		it(`has failed when the daemon says: ${reason}`, async () => {
			const { engine } = local(description(IMAGE.id, []), line, LOADED);
			const loading = loadDelivery(async () => engine, comesWhole).deliver(remote(), IMAGE, run());
			await assert.rejects(loading, {
				name: "DeliveryError",
				message: `cannot load the image into unix:///local.sock: ${reason}`,
			});
		});
	}

	it("tells of the lost link rather than of what the local daemon makes of it", async () => {
		const lost = new ConnectionError("lost", "the box closed the connection");
		const broken = Readable.from(
			(function* () {
				yield ARCHIVE.subarray(0, 100_000);
				throw lost;
			})(),
		);
		const { engine } = local(description(IMAGE.id, []), LOADED);
		const loading = loadDelivery(async () => engine, comesWhole).deliver(
			remote(broken),
			IMAGE,
			run(),
		);
		await assert.rejects(loading, lost);
	});

	it("says that it is not on the box any more", async () => {
		const gone = fakeEngine(() => {
			throw new EngineError("the box refused: no such image", { status: 404 });
		});
		const { engine } = local(undefined, LOADED);
		await assert.rejects(loadDelivery(async () => engine, comesWhole).deliver(gone, IMAGE, run()), {
			name: "DeliveryError",
			message: "the image app is not on the box any more",
			hint: "was it removed there, or was its tag built anew, at the same time? Then run rbuild again",
		});
	});

	describe("that is lost", () => {
		const refused = new ConnectionError("refused", "unix:///local.sock: nothing listens on it");
		const message = `cannot load the image into the local daemon: ${refused.message}`;

		it("is no reason to connect to the box anew, whenever that is", async () => {
			const never = loadDelivery(() => Promise.reject(refused), comesWhole);
			await assert.rejects(never.deliver(remote(), IMAGE, run()), {
				name: "DeliveryError",
				message,
			});
			for (const last of ["/images/load", "/images/app:latest/json"]) {
				const engine = fakeEngine(async ({ path, body }) => {
					if (path === last) throw refused;
					if (body instanceof Readable) await buffer(body);
					if (path === "/images/load") return jsonLines(LOADED);
					throw new EngineError("no such image", { status: 404 });
				});
				const loading = loadDelivery(async () => engine, comesWhole);
				await assert.rejects(loading.deliver(remote(), IMAGE, run()), {
					name: "DeliveryError",
					message,
				});
			}
		});

		it("is said of one that goes away while it answers", async () => {
			const engine = fakeEngine(async ({ path, body }) => {
				if (body instanceof Readable) await buffer(body);
				if (path !== "/images/load") throw new EngineError("no such image", { status: 404 });
				return Readable.from(
					(async function* () {
						yield Buffer.from('{"stream":"Loading"}\n');
						throw refused;
					})(),
				);
			});
			const loading = loadDelivery(async () => engine, comesWhole);
			await assert.rejects(loading.deliver(remote(), IMAGE, run()), {
				name: "DeliveryError",
				message,
			});
		});
	});

	it("never lets an archive that is cut short count as loaded", async () => {
		const { engine } = local(description(IMAGE.id, []), LOADED);
		const cut = remote(Readable.from([ARCHIVE.subarray(0, -1024)]));
		await assert.rejects(loadDelivery(async () => engine, comesWhole).deliver(cut, IMAGE, run()), {
			name: "DeliveryError",
			message: "the daemon's image archive is truncated",
		});
	});

	it("only gives names to an image that is there by its id", async () => {
		const requests: string[] = [];
		const engine = fakeEngine(({ method, path }) => {
			requests.push(`${method} ${path}`);
			return description(IMAGE.id, []);
		});
		const report = await loadDelivery(async () => engine, comesWhole).deliver(
			remote(),
			IMAGE,
			run(),
		);
		assert.equal(report.bytes, 0);
		assert.deepEqual(requests, [`GET /images/${IMAGE.id}/json`, `POST /images/${IMAGE.id}/tag`]);
	});
});
