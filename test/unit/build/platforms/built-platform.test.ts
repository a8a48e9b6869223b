import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import type { sendBuild } from "../../../../src/build/placed-build.js";
import { buildOnBox } from "../../../../src/build/platforms/built-platform.js";
import type { ReachedBox } from "../../../../src/build/platforms/platform-boxes.js";
import type { RunResources } from "../../../../src/build/run-resources.js";
import type { Engine } from "../../../../src/engine/engine.js";
import { BuildFailedError, ConnectionError } from "../../../../src/errors.js";

const run = { emit() {}, signal: new AbortController().signal };
const resources = {} as RunResources;

/** Its connection is lost so often before it lasts. */
function boxFor(platforms: readonly string[], losses = 0): ReachedBox {
	let left = losses;
	const connection = {
		async keep<Result>(work: (engine: Engine) => Promise<Result>): Promise<Result> {
			for (; ; left--) {
				try {
					return await work({} as Engine);
				} catch (error) {
					if (!(error instanceof ConnectionError) || left === 0) throw error;
				}
			}
		},
	};
	const plan = { exports: [] };
	const builds = platforms.map((platform) => ({ platform, plan, run, context: {} }));
	return { connection, builds } as unknown as ReachedBox;
}

type Sent = Awaited<ReturnType<typeof sendBuild>>;

function sent(id: string, tidy: () => Promise<void>): Sent {
	return { image: { id, tags: [] }, uploadMs: 0, upload: undefined, tidy } as unknown as Sent;
}

/** Whose order counts. */
function platformOf(build: Parameters<typeof sendBuild>[1]): string {
	return (build as unknown as { readonly platform: string }).platform;
}

suite("what a box builds for several platforms", () => {
	test("has nothing removed from the box before the last of them is built, and then one by one", async () => {
		const done: string[] = [];
		const send: typeof sendBuild = async (_engine, build) => {
			const platform = platformOf(build);
			if (platform === "slow") for (let turns = 0; turns < 5; turns++) await turn();
			done.push(`built ${platform}`);
			return sent(platform, async () => {
				done.push(`removes for ${platform}`);
				await turn();
				done.push(`removed for ${platform}`);
			});
		};
		const built = await buildOnBox(boxFor(["fast", "slow", "other"]), resources, send);
		assert.deepEqual(
			built.map(({ platform, image }) => [platform, image.id]),
			["fast", "slow", "other"].map((name) => [name, name]),
		);
		assert.deepEqual(done, [
			...["built fast", "built other", "built slow"],
			...["fast", "slow", "other"].flatMap((name) => [
				`removes for ${name}`,
				`removed for ${name}`,
			]),
		]);
	});

	test("is removed for once, after the link was lost and all is built again", async () => {
		const done: string[] = [];
		let tries = 0;
		const send: typeof sendBuild = async (_engine, build) => {
			const platform = platformOf(build);
			if (platform === "b" && tries++ === 0) throw new ConnectionError("lost", "gone");
			const made = `${platform}${tries}`;
			return sent(made, async () => void done.push(made));
		};
		await buildOnBox(boxFor(["a", "b"], 1), resources, send);
		assert.deepEqual(done, ["a1", "b2"]);
	});

	test("has nothing removed where one of them fails, which is named", async () => {
		const done: string[] = [];
		const send: typeof sendBuild = async (_engine, build, _resources, { signal }) => {
			const platform = platformOf(build);
			if (platform === "b") throw new BuildFailedError("RUN make failed");
			while (!signal.aborted) await turn();
			return sent(platform, async () => void done.push(platform));
		};
		await assert.rejects(buildOnBox(boxFor(["a", "b"]), resources, send), {
			name: "BuildFailedError",
			message: "b: RUN make failed",
		});
		assert.deepEqual(done, []);
	});
});
