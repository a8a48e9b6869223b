import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { planBuild } from "../../../../src/build/plan/build-plan.js";
import type { BuildOptions } from "../../../../src/build/plan/options.js";
import type { Environment } from "../../../../src/environment.js";
import type { BuildEvent } from "../../../../src/events.js";
import { posixOnly } from "../../../support/this-system.js";

const environment: Environment = {
	variables: {},
	homeDirectory: "/nonexistent",
	userName: "me",
	platform: "linux",
	workingDirectory: "/nonexistent",
};

const run = {
	emit: () => {},
	signal: new AbortController().signal,
};
const plan = (options: Partial<BuildOptions>) =>
	planBuild({ context: ".", ...options }, environment, run);

suite("a build plan", () => {
	test("has every tag once, as docker shows it", async () => {
		const { tags } = await plan({
			tags: ["app", "docker.io/library/app:latest", "ghcr.io/me/app:1"],
		});
		assert.deepEqual(tags, ["app:latest", "ghcr.io/me/app:1"]);
	});

	test("takes the name of the context from the option, else from the environment", async () => {
		const variables = { RBUILD_CONTEXT_KEY: "from environment" };
		const named = (contextKey?: string, given: Environment["variables"] = variables) =>
			planBuild(
				{ context: ".", ...(contextKey === undefined ? {} : { contextKey }) },
				{ ...environment, variables: given },
				run,
			);
		assert.equal((await named()).contextKey, "from environment");
		assert.equal((await named("given")).contextKey, "given");
		const { contextKey, contextIndex } = await plan({});
		assert.deepEqual([contextKey, contextIndex], [undefined, true]);
		assert.equal((await plan({ contextIndex: false })).contextIndex, false);
		for (const key of ["a".repeat(201), "a\nb", "a\u001bb"]) {
			await assert.rejects(named(key), /^UsageError: --context-key is not a valid name$/);
			const fromVariable = named(undefined, { RBUILD_CONTEXT_KEY: key });
			await assert.rejects(fromVariable, /^UsageError: RBUILD_CONTEXT_KEY is not a valid name$/);
		}
	});

	test("warns of a name of the context that nothing is kept under", async () => {
		const warnings = async (options: Partial<BuildOptions>, variables = {}) => {
			const events: BuildEvent[] = [];
			const emit = (event: BuildEvent) => events.push(event);
			await planBuild(
				{ context: ".", ...options },
				{ ...environment, variables },
				{ ...run, emit },
			);
			return events.map((event) => event.type === "warning" && event.message);
		};
		const both = { contextKey: "me/app", contextIndex: false };
		assert.deepEqual(await warnings(both), ["--context-key has no effect with --no-context-index"]);
		assert.deepEqual(await warnings({ contextKey: "me/app", transfer: "tar" }), [
			"--context-key has no effect with --transfer tar",
		]);
		assert.deepEqual(await warnings({ contextKey: "me/app" }), []);
		// The environment's is for all builds.
		const variables = { RBUILD_CONTEXT_KEY: "me/app" };
		assert.deepEqual(await warnings({ contextIndex: false }, variables), []);
	});

	test("writes a platform in one way", async () => {
		assert.equal((await plan({ platform: "x86_64" })).platform, "linux/amd64");
		assert.equal((await plan({})).platform, undefined);
	});

	test("is for the platform of DOCKER_DEFAULT_PLATFORM where none is given", async () => {
		const variables = { DOCKER_DEFAULT_PLATFORM: "linux/aarch64" };
		const planned = (options: Partial<BuildOptions>) =>
			planBuild({ context: ".", ...options }, { ...environment, variables }, run);
		assert.equal((await planned({})).platform, "linux/arm64");
		assert.equal((await planned({ platform: "linux/amd64" })).platform, "linux/amd64");
	});

	test("forwards the user's ssh agent to a repository that is reached over ssh", {
		skip: posixOnly,
	}, async () => {
		const variables = { SSH_AUTH_SOCK: "/nonexistent/agent" };
		const planned = (context: string) => planBuild({ context }, { ...environment, variables }, run);
		for (const context of ["git@host:me/app.git", "ssh://git@host/me/app.git#main"]) {
			await assert.rejects(
				planned(context),
				/^UsageError: --ssh default \(SSH_AUTH_SOCK\): \/nonexistent\/agent/,
			);
			assert.equal((await plan({ context })).agents.size, 0);
		}
		assert.equal((await planned("https://host/me/app.git")).agents.size, 0);
	});

	test("puts one annotation on all that it names", async () => {
		const { buildkit } = await plan({
			annotations: { a: "1", "index,manifest[linux/amd64]:b": "2", "manifest-descriptor:c": "3" },
		});
		assert.deepEqual(buildkit.annotations, {
			"annotation.a": "1",
			"annotation-index.b": "2",
			"annotation-manifest[linux/amd64].b": "2",
			"annotation-manifest-descriptor.c": "3",
		});
	});

	test("takes hosts with either sign, and IPv6 addresses in brackets or not", async () => {
		const addHosts = ["db:10.0.0.5", "v6=::1", "six:[fe80::1]"];
		assert.deepEqual((await plan({ addHosts })).request.extraHosts, [
			"db:10.0.0.5",
			"v6:::1",
			"six:fe80::1",
		]);
	});

	test("is refused where it makes no sense, before anything is read", {
		skip: posixOnly,
	}, async () => {
		const refused: [Partial<BuildOptions>, RegExp][] = [
			[{ tags: ["Not/Lower"] }, /^UsageError: invalid tag "Not\/Lower"/],
			[{ push: true }, /^UsageError: --push needs an image name$/],
			[{ platform: "linux/amd64,linux/arm64" }, /^UsageError: only one platform is supported here/],
			[{ platform: "amiga" }, /^UsageError: --platform "amiga" is not a platform$/],
			[
				{ addHosts: ["nobody"] },
				/^UsageError: --add-host "nobody" is not a name and an IP address$/,
			],
			[{ buildContexts: { Base: "." } }, /^UsageError: .*must be lower case/],
			[
				{ buildContexts: { x: "missing" } },
				/^ContextError: the build context x \(missing\) does not/,
			],
			[
				{ buildContexts: { x: "target:y" } },
				/^UsageError: --build-context x: targets of a bake file are not supported/,
			],
			[
				{ buildContexts: { x: "oci-layout://y:z" } },
				/^ContextError: the build context x \(oci-layout:\/\/y:z\) has no image with the tag z/,
			],
			[{ cacheTo: [{ type: "local" }] }, /^UsageError: --cache-to type=local has no dest$/],
			[
				{ cacheTo: [{ type: "local", attrs: { dest: "/dev/null/cache" } }] },
				/^DeliveryError: cannot save to \/dev\/null\/cache: part of the path is a file/,
			],
			[
				{ cacheFrom: [{ type: "local", attrs: { dest: "x" } }] },
				/^UsageError: --cache-from type=local has no src$/,
			],
			[
				{ cacheFrom: [{ type: "registry" }] },
				/^UsageError: --cache-from type=registry has no ref$/,
			],
			[
				{ annotations: { "image:key": "x" } },
				/^UsageError: --annotation "image:key" is not a valid name$/,
			],
			[
				{ annotations: { "index,:key": "x" } },
				/^UsageError: --annotation "index,:key" is not a valid name$/,
			],
			[{ attestations: { slsa: {} } }, /^UsageError: --attest type=slsa is not supported$/],
			[{ allow: ["network"] }, /^UsageError: --allow "network" is not supported$/],
			[
				{ allow: ["network.host"], transfer: "tar" },
				/^UsageError: --allow cannot be used with --transfer tar$/,
			],
			[{ save: "missing/app.tar" }, /^DeliveryError: .*\/nonexistent\/missing/],
		];
		for (const [options, message] of refused) await assert.rejects(plan(options), message);
	});
});
