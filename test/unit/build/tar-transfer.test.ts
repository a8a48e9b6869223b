import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { BuildFailedError } from "../../../src/errors.js";
import type { BuildEvent } from "../../../src/events.js";
import { build } from "../../../src/index.js";
import { type Route, startFakeDaemon, streams } from "../../support/fake-daemon.js";

const ID = `sha256:${"0".repeat(64)}`;
/** What BuildKit says where its cache was pruned between the arrival of a tar and its use. */
const LOST = {
	errorDetail: { message: 'failed to solve: Get "http://build-context-x1y2": context not found' },
};

suite("a tar that the daemon has lost before it used it", () => {
	let root: string;
	before(() => {
		root = mkdtempSync(join(tmpdir(), "rbuild-lost-"));
		writeFileSync(join(root, "Dockerfile"), "FROM scratch\nCOPY . /\n");
	});
	after(() => rmSync(root, { recursive: true }));

	/** Builds on a daemon that loses so many of them. */
	async function buildFrom(context: string, losses: number) {
		let left = losses;
		const takes: Route = (request, response) =>
			streams(left-- > 0 ? LOST : { id: "moby.image.id", aux: { ID } })(request, response);
		await using daemon = await startFakeDaemon({ routes: { "POST /build": takes } });
		const events: BuildEvent[] = [];
		const on = `unix://${daemon.socketPath}`;
		const built = await build(
			{ context, on, transfer: "tar" },
			{ onEvent: (event) => events.push(event) },
		).catch((error: unknown) => error);
		const builds = daemon.requests.filter((request) => request.includes("/build?"));
		return { built, builds: builds.length, events };
	}

	test("is sent again, with a warning", async () => {
		const { built, builds, events } = await buildFrom(root, 2);
		assert.equal((built as { imageId?: string }).imageId, ID);
		assert.equal(builds, 3);
		assert.equal(events.filter(({ type }) => type === "warning").length, 2);
	});

	test("is given up on at last, with what to do", async () => {
		const { built, builds } = await buildFrom(root, 9);
		assert.ok(built instanceof BuildFailedError, String(built));
		assert.match(built.hint ?? "", /build cache was pruned/);
		assert.equal(builds, 3);
	});
});
