import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { planBuild } from "../../../src/build/build-plan.js";
import { withControl } from "../../../src/build/control-session.js";
import type { BuildContext } from "../../../src/context/build-context.js";
import type { Engine } from "../../../src/engine/engine.js";
import type { Environment } from "../../../src/environment.js";

const environment = {
	variables: {},
	homeDirectory: "/nonexistent",
	workingDirectory: "/",
} as Partial<Environment> as Environment;
const run = { emit() {}, signal: new AbortController().signal };

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
