import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { BuildPlan } from "../../../src/build/build-plan.js";
import { chooseTransfer } from "../../../src/build/choose-transfer.js";
import type { LocalNeeds } from "../../../src/build/local-needs.js";
import type { BuildContext } from "../../../src/context/build-context.js";
import type { Engine } from "../../../src/engine/engine.js";
import type { Environment } from "../../../src/environment.js";
import { EngineError, UsageError } from "../../../src/errors.js";
import type { CredentialSource } from "../../../src/image/registry-credentials.js";

const choose = (
	transfer: BuildPlan["transfer"],
	kind: BuildContext["kind"],
	builder: "buildkit" | "classic",
	secrets: BuildPlan["secrets"] = [],
) =>
	chooseTransfer(
		{ transfer, secrets, agents: new Map() } as unknown as BuildPlan,
		{ facts: { builder }, transport: { target: "box" } } as Engine,
		{ kind } as BuildContext,
		{} as CredentialSource,
		{} as LocalNeeds,
		[],
		{} as Environment,
	);

describe("the choice of a transfer", () => {
	it("takes the tar unless it is told otherwise, and where nothing is sent", () => {
		for (const transfer of ["auto", "tar"] as const) {
			for (const builder of ["buildkit", "classic"] as const) {
				assert.ok(choose(transfer, "directory", builder));
			}
		}
		assert.ok(choose("sync", "remote", "classic"));
	});

	it("refuses secrets where there is no BuildKit to mount them", () => {
		const secrets = [{ id: "token", variable: "TOKEN" }];
		assert.ok(choose("auto", "directory", "buildkit", secrets));
		assert.throws(
			() => choose("auto", "directory", "classic", secrets),
			/^EngineError: box has no BuildKit, which --secret needs$/,
		);
	});

	it("refuses a sync that cannot be done", () => {
		assert.throws(() => choose("sync", "archive", "buildkit"), UsageError);
		assert.throws(
			() => choose("sync", "directory", "classic"),
			(error) => {
				assert.ok(error instanceof EngineError);
				assert.equal(error.message, "box has no BuildKit, which --transfer sync needs");
				return true;
			},
		);
	});
});
