import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { planBuild } from "../../../src/build/build-plan.js";
import { withControl } from "../../../src/build/control-session.js";
import { NamedDirectories } from "../../../src/build/named-contexts.js";
import { offerContext } from "../../../src/build/offered-context.js";
import type { BuildContext } from "../../../src/context/build-context.js";
import type { Engine } from "../../../src/engine/engine.js";
import type { Environment } from "../../../src/environment.js";

const environment = {
	variables: {},
	homeDirectory: "/nonexistent",
	workingDirectory: "/",
} as Partial<Environment> as Environment;
const run = { emit() {}, signal: new AbortController().signal };

async function offeredInputs(dockerfile: Uint8Array) {
	const dockerfileDirectory = {
		dockerfile: "app.Dockerfile",
		contents: new Map([["app.Dockerfile", dockerfile]]),
	};
	const context = {
		kind: "directory",
		root: "/app",
		dockerfileDirectory,
		totals: () => ({ files: 0, bytes: 0 }),
	};
	return offerContext(
		context as unknown as BuildContext,
		await NamedDirectories.open(new Map(), "off", run),
		{ sharedKey: "" },
		{ roundTripMs: 1 } as Engine,
		run,
	).frontendInputs;
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
		{ services: [], sharedKey: "" },
		run,
		async () => {},
	);
	for (let turns = 0; turns < 10 && asked.length < 2; turns++) await turn();
	assert.deepEqual(asked, ["/session", "/grpc"]);
});
