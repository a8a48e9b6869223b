import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import type { Engine } from "../../../../src/engine/engine.js";
import { ConnectionError, EngineError } from "../../../../src/errors.js";
import { BlobCache } from "../../../../src/image/cache/blob-cache.js";
import { ImageReturn } from "../../../../src/image/return/image-return.js";
import { PushNames } from "../../../../src/image/reverse/push-names.js";
import { NoReversePush } from "../../../../src/image/reverse/reverse-push.js";
import { type FakeRequest, fakeEngine, jsonLines, run } from "../fake-engine.js";

const { signal } = new AbortController();
const ID = `sha256:${"a".repeat(64)}`;
const news = { onBytes() {}, onLine() {} };
const DAY = 24 * 60 * 60;

const lost = () => {
	throw new ConnectionError("lost", "gone");
};

describe("the name under which a daemon pushes to this side", () => {
	let folder: string;
	beforeEach(() => {
		folder = mkdtempSync(join(tmpdir(), "rbuild-names-"));
	});
	afterEach(() => rmSync(folder, { recursive: true }));

	/** A daemon whose images have these names, and several connections to it. */
	function daemon(...before: string[]) {
		const names = new Set(before);
		/** The most that an image had at once. */
		let most = 0;
		const connection = (push: () => unknown, untag = (name: string) => void names.delete(name)) => {
			const engine = fakeEngine(({ method, path, query }: FakeRequest) => {
				if (path === "/images/json") return [{ Id: ID, RepoTags: [...names] }];
				if (path.endsWith("/json")) return { Id: ID, RepoTags: [...names] };
				if (path.endsWith("/push")) return push();
				if (method === "DELETE") return untag(path.replace("/images/", ""));
				names.add(`${query?.repo}:${query?.tag}`);
				most = Math.max(most, names.size);
				return {};
			});
			const listen = async () => ({ port: 40_000, async [Symbol.asyncDispose]() {} });
			const transport = { ...engine.transport, listen };
			return { ...engine, transport } as Engine;
		};
		return { names, connection, most: () => most };
	}

	const refusing = () => jsonLines({ error: "no space left on device" });
	const returns = () => new ImageReturn({ blobs: new BlobCache(folder), limit: 1e9 });
	const bring = (from: ImageReturn, engine: Engine) =>
		from.bring(engine, { id: ID, tags: ["app:1"] }, new Set(), news, run());

	it("goes over the next connection where that of its push was lost", async () => {
		const { names, connection, most } = daemon("app:1");
		const source = returns();
		await assert.rejects(bring(source, connection(lost, lost)), ConnectionError);
		await assert.rejects(bring(source, connection(lost, lost)), ConnectionError);
		assert.equal(names.size, 3);
		await assert.rejects(bring(source, connection(refusing)), NoReversePush);
		assert.deepEqual([...names], ["app:1"]);
		assert.equal(most(), 4, "the image has a new name before the others go: one may be its last");
	});

	it("goes where the connection is lost before it is known that the image has it", async () => {
		const { names, connection } = daemon("app:1");
		const source = returns();
		const engine = connection(lost, lost);
		const { request } = engine;
		const deaf = {
			...engine,
			request: (asked: FakeRequest) => request(asked).then(lost),
		} as Engine;
		await assert.rejects(bring(source, deaf), ConnectionError);
		assert.equal(names.size, 2);
		await assert.rejects(bring(source, connection(refusing)), NoReversePush);
		assert.deepEqual([...names], ["app:1"]);
	});

	it("is asked to go once by a daemon that does not take it away", async () => {
		const names = new PushNames();
		let asked = 0;
		const engine = () =>
			fakeEngine(() => {
				asked += 1;
				throw new EngineError("no such image", { status: 404 });
			});
		await names.remove(engine(), "127.0.0.1:1/rbuild/x:latest");
		await names.removeLeft(engine());
		assert.equal(asked, 1);
	});

	it("goes beside a later push where it was left a day ago, and no other name does", async () => {
		const now = Math.floor(Date.now() / 1000);
		const name = (age: number) => `127.0.0.1:40001/rbuild/${(now - age).toString(16)}0123456789ab`;
		const others = [
			...[
				"app:1",
				`${name(DAY - 60)}:latest`,
				`${name(2 * DAY)}:1`,
				"127.0.0.1:5000/rbuild/a:latest",
			],
			`127.0.0.1:40001/rbuild/0123456789ab:latest`,
		];
		const { names, connection } = daemon(...others, `${name(DAY + 60)}:latest`);
		await new PushNames().removeOld(connection(lost), signal);
		assert.deepEqual([...names], others);
	});

	it("stays on Podman, for which it is much work to tell of names", async () => {
		const engine = fakeEngine(() => assert.fail("it was asked"));
		const podman = { ...engine, facts: { product: "podman" } } as Engine;
		await new PushNames().removeOld(podman, signal);
	});

	it("does no harm to a push where the daemon cannot tell of other names", async () => {
		await new PushNames().removeOld(fakeEngine(lost), signal);
	});
});
