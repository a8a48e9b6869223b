import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { keepingSecrets, secretsOf, withoutSecrets } from "../../../src/build/url-secret.js";
import { EngineError } from "../../../src/errors.js";
import type { BuildEvent } from "../../../src/events.js";

suite("the secret in a context's URL", () => {
	test("is its password, or a token in the user's place", () => {
		const buildContexts = { source: "https://t0ken@host/x.git", directory: "." };
		const context = "https://me:s3cret@host/x.git#main";
		assert.deepEqual(secretsOf({ context, buildContexts }), ["s3cret", "t0ken"]);
		for (const plain of [".", "-", "https://host/x.git", "git@host:x.git", "https://host/a@b"]) {
			assert.deepEqual(secretsOf({ context: plain }), []);
		}
	});

	test("is in no event", () => {
		const seen: BuildEvent[] = [];
		const run = { emit: (event: BuildEvent) => void seen.push(event), signal: AbortSignal.abort() };
		const name = "[internal] load git source https://me:s3cret@host/x.git";
		keepingSecrets(run, ["other", "s3cret"]).emit({
			type: "step",
			id: "1",
			name,
			status: "started",
		});
		assert.deepEqual(seen, [
			{
				type: "step",
				id: "1",
				name: "[internal] load git source https://me:xxxxx@host/x.git",
				status: "started",
			},
		]);
		assert.equal(keepingSecrets(run, []), run);
	});

	test("is in no error", () => {
		const error = withoutSecrets(new EngineError("cannot fetch https://me:s3cret@host"), [
			"s3cret",
		]);
		assert.ok(error instanceof EngineError);
		assert.equal(error.message, "cannot fetch https://me:xxxxx@host");
		assert.doesNotMatch(error.stack ?? "", /s3cret/);
	});
});
