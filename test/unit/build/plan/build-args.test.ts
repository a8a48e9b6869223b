import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, suite, test } from "node:test";
import { resolveBuildArgs } from "../../../../src/build/plan/build-args.js";
import type { BuildOptions } from "../../../../src/build/plan/options.js";
import type { Environment } from "../../../../src/environment.js";
import type { BuildEvent } from "../../../../src/events.js";

suite("build arguments", () => {
	let folder: string;
	let events: BuildEvent[];
	before(() => {
		folder = mkdtempSync(join(tmpdir(), "rbuild-args-"));
	});
	after(() => rmSync(folder, { recursive: true }));
	beforeEach(() => {
		events = [];
		rmSync(join(folder, "config.json"), { force: true });
	});

	function resolve(
		options: Pick<BuildOptions, "buildArgs" | "on">,
		variables: Environment["variables"] = {},
	) {
		const environment: Environment = {
			variables: { DOCKER_CONFIG: folder, ...variables },
			homeDirectory: "/nonexistent",
			userName: "me",
			platform: "linux",
			workingDirectory: "/nonexistent",
		};
		return resolveBuildArgs(options, environment, (event) => events.push(event));
	}

	test("without a value take the environment's, or stay without", async () => {
		const buildArgs = { TOKEN: null, ABSENT: null, SET: "1" };
		assert.deepEqual(await resolve({ buildArgs }, { TOKEN: "x" }), {
			TOKEN: "x",
			ABSENT: null,
			SET: "1",
		});
	});

	test("have the environment's SOURCE_DATE_EPOCH, unless another is given", async () => {
		const variables = { SOURCE_DATE_EPOCH: "5" };
		assert.deepEqual(await resolve({}, variables), { SOURCE_DATE_EPOCH: "5" });
		const buildArgs = { SOURCE_DATE_EPOCH: "6" };
		assert.deepEqual(await resolve({ buildArgs }, variables), buildArgs);
		assert.deepEqual(await resolve({}, { SOURCE_DATE_EPOCH: "" }), {});
	});

	test("have no SOURCE_DATE_EPOCH that BuildKit would not read", async () => {
		for (const epoch of ["abc", "1.5", " 5", "0x10", "9".repeat(20)]) {
			const refusal = { name: "UsageError", message: `SOURCE_DATE_EPOCH "${epoch}" is not a time` };
			await assert.rejects(resolve({}, { SOURCE_DATE_EPOCH: epoch }), refusal);
			await assert.rejects(resolve({ buildArgs: { SOURCE_DATE_EPOCH: epoch } }), refusal);
		}
		for (const epoch of ["-1", "+5", "context", ""]) {
			const buildArgs = { SOURCE_DATE_EPOCH: epoch };
			assert.deepEqual(await resolve({ buildArgs }, { SOURCE_DATE_EPOCH: "abc" }), buildArgs);
		}
	});

	test("have the proxies of docker's configuration in either case, those of the box first", async () => {
		const config = {
			proxies: {
				default: { httpProxy: "http://p:1", noProxy: "", httpsProxy: 7 },
				"ssh://me@box": { allProxy: "socks://q:2" },
			},
		};
		writeFileSync(join(folder, "config.json"), JSON.stringify(config));
		const ofAll = { HTTP_PROXY: "http://p:1", http_proxy: "http://p:1" };
		const ofBox = { ALL_PROXY: "socks://q:2", all_proxy: "socks://q:2" };
		assert.deepEqual(await resolve({ on: "other" }), ofAll);
		assert.deepEqual(await resolve({}), ofAll);
		assert.deepEqual(await resolve({ on: ["ssh://me@box", "other"] }), ofAll);
		assert.deepEqual(await resolve({ on: "ssh://me@box" }), ofBox);
		assert.deepEqual(await resolve({}, { DOCKER_HOST: "ssh://me@box" }), ofBox);
		assert.deepEqual(await resolve({ buildArgs: { http_proxy: "mine" } }), {
			...ofAll,
			http_proxy: "mine",
		});
	});

	test("do without a configuration that does not parse, with a warning", async () => {
		writeFileSync(join(folder, "config.json"), '{"proxies":');
		assert.deepEqual(await resolve({ buildArgs: { A: "1" } }), { A: "1" });
		assert.deepEqual(
			events.map((event) => event.type),
			["warning"],
		);
	});
});
