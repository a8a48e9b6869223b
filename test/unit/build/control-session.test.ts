import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { planBuild } from "../../../src/build/build-plan.js";
import { withControl } from "../../../src/build/control-session.js";
import { offerContext } from "../../../src/build/offered-context.js";
import type { SolveRequest } from "../../../src/buildkit/control.js";
import type { BuildContext } from "../../../src/context/build-context.js";
import type { Engine } from "../../../src/engine/engine.js";
import type { Environment } from "../../../src/environment.js";
import { BuildFailedError } from "../../../src/errors.js";
import { duplexPair } from "../buildkit/duplex-pair.js";

const environment = {
	variables: {},
	homeDirectory: "/nonexistent",
	workingDirectory: "/",
} as Partial<Environment> as Environment;
const run = { emit() {}, signal: new AbortController().signal };

function directoryContext(dockerfile: Uint8Array): BuildContext {
	const dockerfileDirectory = {
		dockerfile: "app.Dockerfile",
		contents: new Map([["app.Dockerfile", dockerfile]]),
	};
	const context = {
		kind: "directory",
		root: "/app",
		dockerfileDirectory,
		dockerfileContent: dockerfile,
		totals: () => ({ files: 0, bytes: 0 }),
	};
	return context as unknown as BuildContext;
}

async function offeredInputs(dockerfile: Uint8Array, syntax: string | null = null) {
	const engine = { roundTripMs: 1 } as Engine;
	const context = directoryContext(dockerfile);
	const plan = {
		request: { buildArgs: { BUILDKIT_SYNTAX: syntax } },
		buildkit: { namedContexts: new Map() },
	};
	return offerContext(context, plan, { sharedKey: "", named: [] }, engine, run).frontendInputs;
}

test("the Dockerfile comes with the request: to be asked for it takes three round trips", async () => {
	const { dockerfile, ...others } = await offeredInputs(Buffer.from("FROM scratch"));
	assert.deepEqual(others, {});
	const [making = assert.fail()] = dockerfile?.def ?? [];
	assert.ok(Buffer.from(making).includes("FROM scratch"));
	const [{ description = {} } = {}] = Object.values(dockerfile?.metadata ?? {});
	const name = "[internal] load build definition from app.Dockerfile";
	assert.deepEqual(Object.values(description), [name]);
});

test("a long Dockerfile waits until it is asked for", async () => {
	assert.deepEqual(await offeredInputs(Buffer.alloc(14_001)), {});
});

test("a Dockerfile for another frontend than docker's waits, too", async () => {
	const named = (frontend: string, syntax?: string) =>
		offeredInputs(Buffer.from(`# syntax=${frontend}\n`), syntax);
	assert.deepEqual(Object.keys(await named("docker/dockerfile:1")), ["dockerfile"]);
	assert.deepEqual(Object.keys(await named("x", "docker/dockerfile:1")), ["dockerfile"]);
	assert.deepEqual(await named("x"), {});
	assert.deepEqual(await named("docker/dockerfile:1", "x"), {});
	assert.deepEqual(await named("docker/dockerfile:1", ""), {});
});

test("a frontend that takes nothing with the request gets one without", async () => {
	const engine = {
		facts: { builder: "buildkit" },
		hijack: async () => duplexPair()[0],
	} as unknown as Engine;
	const requests: SolveRequest[] = [];
	const refuse = (message: string) => {
		requests.length = 0;
		return withControl(
			engine,
			directoryContext(Buffer.from("# syntax=docker/dockerfile:1.0\n")),
			plan,
			{ services: [], sharedKey: "", named: [] },
			run,
			async ({ request }) => {
				requests.push(request);
				if (requests.length === 1) throw new BuildFailedError(message);
			},
		);
	};
	const plan = await planBuild({ context: "." }, environment, run);
	await refuse("the build failed: unsupported frontend capability moby.buildkit.frontend.inputs");
	const [first = assert.fail(), second = assert.fail()] = requests;
	assert.deepEqual(Object.keys(first.frontendInputs), ["dockerfile"]);
	assert.deepEqual(second, { ...first, ref: second.ref, frontendInputs: {} });
	assert.notEqual(first.ref, second.ref);
	await assert.rejects(refuse("RUN false failed"), { message: "RUN false failed" });
	assert.equal(requests.length, 1);
});

test("the session and BuildKit's API are asked for at once, on a long link a round trip each", async () => {
	const asked: string[] = [];
	const engine = {
		facts: { builder: "buildkit" },
		async hijack({ path }: { readonly path: string }) {
			asked.push(path);
			return new Promise(() => {});
		},
	};
	const context = { kind: "remote", url: "git://host/x", dockerfile: undefined };
	void withControl(
		engine as unknown as Engine,
		context as unknown as BuildContext,
		await planBuild({ context: "git://host/x" }, environment, run),
		{ services: [], sharedKey: "", named: [] },
		run,
		async () => {},
	);
	for (let turns = 0; turns < 10 && asked.length < 2; turns++) await turn();
	assert.deepEqual(asked, ["/session", "/grpc"]);
});
