import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { planBuild } from "../../../src/build/build-plan.js";
import { chooseTransfer } from "../../../src/build/choose-transfer.js";
import type { LocalNeeds } from "../../../src/build/local-needs.js";
import type { BuildOptions, TransferChoice } from "../../../src/build/options.js";
import type { BuildContext } from "../../../src/context/build-context.js";
import type { Engine } from "../../../src/engine/engine.js";
import type { Environment } from "../../../src/environment.js";
import { EngineError, UsageError } from "../../../src/errors.js";
import type { CredentialSource } from "../../../src/image/registry-credentials.js";

const environment = {
	variables: { TOKEN: "t" },
	homeDirectory: "/nonexistent",
	platform: "linux",
	workingDirectory: "/",
} as Partial<Environment> as Environment;
const run = { emit() {}, signal: new AbortController().signal };

/** A context of a few small files, unless something else is said. */
const small = {
	root: "/nowhere",
	dockerfileContent: Buffer.from("FROM x\nCOPY . ."),
	totals: () => ({ files: 3, bytes: 1000 }),
	tarShowsMore: () => false,
};

async function choice(
	transfer: TransferChoice,
	kind: BuildContext["kind"],
	builder: "buildkit" | "classic",
	options: Partial<BuildOptions> = {},
	context: Partial<typeof small> = {},
) {
	return chooseTransfer(
		await planBuild({ context: ".", transfer, ...options }, environment, run),
		{ facts: { builder }, transport: { target: "box" }, roundTripMs: 50 } as Engine,
		{ ...small, ...context, kind } as unknown as BuildContext,
		{
			environment,
			credentials: {} as CredentialSource,
			needs: {} as LocalNeeds,
			services: [],
		},
	);
}

async function choose(...args: Parameters<typeof choice>): Promise<"tar" | "sync"> {
	return (await choice(...args)).transfer.name;
}

describe("the choice of a transfer", () => {
	it("is the tar for small contexts, other builders, archives, and where nothing is sent", async () => {
		assert.deepEqual(
			[await choose("auto", "directory", "buildkit"), await choose("auto", "directory", "classic")],
			["tar", "tar"],
		);
		assert.equal(await choose("auto", "archive", "buildkit"), "tar");
		assert.equal(await choose("tar", "directory", "buildkit"), "tar");
		assert.equal(await choose("sync", "remote", "classic"), "tar");
	});

	it("is the sync for large contexts, and says why", async () => {
		const totals = () => ({ files: 20_000, bytes: 116e6 });
		const { transfer, reason } = await choice("auto", "directory", "buildkit", {}, { totals });
		assert.equal(transfer.name, "sync");
		assert.equal(reason, "so that the next build sends what changed");
		assert.equal(await choose("tar", "directory", "buildkit", {}, { totals }), "tar");
	});

	it("is the sync where a tar would show the build more than it may see", async () => {
		const tarShowsMore = () => true;
		assert.equal(await choose("auto", "directory", "buildkit", {}, { tarShowsMore }), "sync");
		assert.equal(await choose("auto", "directory", "classic", {}, { tarShowsMore }), "tar");
	});

	it("is the sync for what POST /build cannot be asked for, whatever the context", async () => {
		const options: Partial<BuildOptions>[] = [
			{ buildContexts: { base: "docker-image://alpine" } },
			{ cacheTo: [{ type: "inline" }] },
			{ cacheFrom: [{ type: "registry", attrs: { ref: "a", "registry.insecure": "true" } }] },
			{ noCacheFilter: ["base"] },
			{ annotations: { a: "b" } },
			{ attestations: { sbom: {} } },
			{ allow: ["network.host"] },
			{ outputs: [{ type: "tar" }, { type: "image" }] },
			{ outputs: [{ type: "tar" }], load: true },
		];
		for (const option of options) {
			for (const kind of ["directory", "archive", "remote"] as const) {
				assert.equal(await choose("auto", kind, "buildkit", option), "sync");
			}
		}
		const images = { cacheFrom: ["a", { type: "registry", attrs: { ref: "b" } }] };
		assert.equal(await choose("auto", "directory", "buildkit", images), "tar");
		const output = { outputs: [{ type: "tar" }] };
		assert.equal(await choose("auto", "directory", "buildkit", output), "tar");
	});

	it("refuses secrets where there is no BuildKit to mount them", async () => {
		const secrets = { secrets: [{ id: "token", env: "TOKEN" }] };
		assert.equal(await choose("auto", "directory", "buildkit", secrets), "tar");
		await assert.rejects(
			choose("auto", "directory", "classic", secrets),
			/^EngineError: box has no BuildKit, which --secret needs$/,
		);
	});

	it("refuses a sync that cannot be done", async () => {
		await assert.rejects(choose("sync", "archive", "buildkit"), UsageError);
		await assert.rejects(choose("sync", "directory", "classic"), (error) => {
			assert.ok(error instanceof EngineError);
			assert.equal(error.message, "box has no BuildKit, which --transfer sync needs");
			return true;
		});
	});
});
