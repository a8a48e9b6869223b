import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, type TestContext, test } from "node:test";
import { noteLinkSpeed, readLinkSpeed } from "../../../../src/build/transfer/link-speed.js";
import type { Environment } from "../../../../src/environment.js";

function upload(megabytes: number, durationMs: number, leastMs = 0) {
	return { sentBytes: megabytes * 1_000_000, durationMs, leastMs };
}

function environment(context: TestContext): Environment {
	const folder = mkdtempSync(join(tmpdir(), "rbuild-speed-"));
	context.after(() => rmSync(folder, { recursive: true }));
	const surroundings = { platform: "linux", homeDirectory: folder, variables: {} } as const;
	return { ...surroundings, userName: "me", workingDirectory: "/" };
}

suite("the speed of the link to a box", () => {
	test("is remembered from a large upload, for that box", async (context) => {
		const here = environment(context);
		assert.equal(await readLinkSpeed(here, "one"), undefined);
		await noteLinkSpeed(here, "one", upload(10, 4000));
		assert.equal(await readLinkSpeed(here, "one"), 2500);
		assert.equal(await readLinkSpeed(here, "other"), undefined);
	});

	test("is not told by a small upload, and halved at most by a slow one", async (context) => {
		const here = environment(context);
		await noteLinkSpeed(here, "box", upload(1, 1));
		assert.equal(await readLinkSpeed(here, "box"), undefined);
		await noteLinkSpeed(here, "box", upload(10, 100_000), 2000);
		assert.equal(await readLinkSpeed(here, "box"), 1000);
	});

	test("is not told by an upload that waited for the daemon, unless that was faster", async (context) => {
		const here = environment(context);
		await noteLinkSpeed(here, "box", upload(10, 1000, 500));
		assert.equal(await readLinkSpeed(here, "box"), undefined);
		await noteLinkSpeed(here, "box", upload(10, 10_000, 500));
		assert.equal(await readLinkSpeed(here, "box"), 1000);
		await noteLinkSpeed(here, "box", upload(10, 20_000, 10_000), 1000);
		assert.equal(await readLinkSpeed(here, "box"), 1000);
		await noteLinkSpeed(here, "box", upload(10, 5000, 4000), 1000);
		assert.equal(await readLinkSpeed(here, "box"), 2000);
	});

	test("may be kept nowhere", async () => {
		const nowhere = { platform: "linux", homeDirectory: "/dev/null", variables: {} } as const;
		const here = { ...nowhere, userName: "me", workingDirectory: "/" };
		await noteLinkSpeed(here, "box", upload(10, 1));
		assert.equal(await readLinkSpeed(here, "box"), undefined);
	});
});
