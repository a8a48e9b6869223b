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
	workingDirectory: "/",
} as Partial<Environment> as Environment;
const run = { emit() {}, signal: new AbortController().signal };

async function choose(
	transfer: TransferChoice,
	kind: BuildContext["kind"],
	builder: "buildkit" | "classic",
	options: Partial<BuildOptions> = {},
) {
	const chosen = chooseTransfer(
		await planBuild({ context: ".", transfer, ...options }, environment, run),
		{ facts: { builder }, transport: { target: "box" } } as Engine,
		{ kind } as BuildContext,
		{
			environment,
			credentials: {} as CredentialSource,
			needs: {} as LocalNeeds,
			services: [],
		},
	);
	return chosen.name;
}

describe("the choice of a transfer", () => {
	it("is the tar unless it is told otherwise, and where nothing is sent", async () => {
		for (const transfer of ["auto", "tar"] as const) {
			for (const builder of ["buildkit", "classic"] as const) {
				assert.equal(await choose(transfer, "directory", builder), "tar");
			}
		}
		assert.equal(await choose("sync", "remote", "classic"), "tar");
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
