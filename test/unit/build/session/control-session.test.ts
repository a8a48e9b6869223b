import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { type BuildPlan, planBuild } from "../../../../src/build/plan/build-plan.js";
import type { BuildOptions } from "../../../../src/build/plan/options.js";
import type { AnnouncedDirectory } from "../../../../src/build/session/announcement.js";
import { withControl } from "../../../../src/build/session/control-session.js";
import { offerContext } from "../../../../src/build/session/offered-context.js";
import type { SolveRequest } from "../../../../src/buildkit/control.js";
import type { BuildContext } from "../../../../src/context/build-context.js";
import type { DirectoryContext } from "../../../../src/context/thread/directory-context.js";
import type { Engine } from "../../../../src/engine/engine.js";
import type { Environment } from "../../../../src/environment.js";
import { BuildFailedError } from "../../../../src/errors.js";
import { duplexPair } from "../../buildkit/duplex-pair.js";

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
	const plan = {
		request: { buildArgs: { BUILDKIT_SYNTAX: syntax } },
		buildkit: { namedContexts: new Map() },
	} as unknown as BuildPlan;
	const build = {
		engine: { roundTripMs: 1 } as Engine,
		context: directoryContext(dockerfile),
		plan,
		announcement: { sharedKey: "", named: [] },
	};
	const offered = offerContext(build, run);
	return offered.frontend("session").frontendInputs;
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

/** What BuildKit is asked for a build with a named directory, if it fails the first time. */
async function asked(
	options: Partial<BuildOptions>,
	failure?: string,
): Promise<readonly SolveRequest[]> {
	const engine = {
		facts: { builder: "buildkit" },
		hijack: async () => duplexPair()[0],
	} as unknown as Engine;
	const directory = {} as DirectoryContext;
	const lib: AnnouncedDirectory = {
		...{ name: "lib", localName: "lib-1", root: "/lib", directory, ignore: undefined },
		...{ index: undefined, jointPart: { followPaths: [], excludes: [] } },
		totals: { files: 0, bytes: 0 },
	};
	const requests: SolveRequest[] = [];
	const build = {
		engine,
		context: directoryContext(Buffer.from("# syntax=docker/dockerfile:1.0\n")),
		plan: await planBuild(
			{ context: ".", buildContexts: { lib: "/" }, ...options },
			environment,
			run,
		),
		announcement: { sharedKey: "", named: [lib] },
	};
	await withControl(build, [], run, async ({ request }) => {
		requests.push(request);
		if (requests.length === 1 && failure !== undefined) throw new BuildFailedError(failure);
	});
	return requests;
}

const REFUSAL = "the build failed: unsupported frontend capability moby.buildkit.frontend.inputs";

test("a frontend that takes nothing with the request gets one without", async () => {
	const [first = assert.fail(), second = assert.fail()] = await asked({}, REFUSAL);
	assert.deepEqual(Object.keys(first.frontendInputs), ["dockerfile", "lib-1"]);
	assert.equal(first.frontendAttrs["context:lib"], "input:lib-1");
	assert.deepEqual(second, {
		...first,
		ref: second.ref,
		frontendAttrs: { ...first.frontendAttrs, "context:lib": "local:lib-1" },
		frontendInputs: {},
	});
	assert.notEqual(first.ref, second.ref);
	await assert.rejects(asked({}, "RUN false failed"), { message: "RUN false failed" });
	assert.equal((await asked({})).length, 1);
});

test("a build with a provenance, which has what the session was asked for, takes nothing with the request", async () => {
	const requests = await asked({ attestations: { provenance: {} } });
	const [{ frontendAttrs, frontendInputs } = assert.fail()] = requests;
	assert.equal(frontendAttrs["context:lib"], "local:lib-1");
	assert.deepEqual(frontendInputs, {});
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
	const build = {
		engine: engine as unknown as Engine,
		context: context as unknown as BuildContext,
		plan: await planBuild({ context: "git://host/x" }, environment, run),
		announcement: { sharedKey: "", named: [] },
	};
	void withControl(build, [], run, async () => {});
	for (let turns = 0; turns < 10 && asked.length < 2; turns++) await turn();
	assert.deepEqual(asked, ["/session", "/grpc"]);
});
