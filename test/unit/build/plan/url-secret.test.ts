import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { inspect } from "node:util";
import {
	keepingSecrets,
	secretsOf,
	withoutSecrets,
} from "../../../../src/build/plan/url-secret.js";
import { BuildFailedError } from "../../../../src/errors.js";
import type { BuildEvent } from "../../../../src/events.js";

suite("the secret in a context's URL", () => {
	test("is its password, or a token in the user's place", () => {
		const buildContexts = { source: "https://t0ken@host/x.git", directory: "." };
		const context = "https://me:s3cret@host/x.git#main";
		assert.deepEqual(secretsOf({ context, buildContexts }), ["s3cret", "t0ken"]);
		const encoded = "HTTPS://me:p%40ssw0rd@host/x.git";
		assert.deepEqual(secretsOf({ context: encoded }), ["p%40ssw0rd", "p@ssw0rd"]);
		for (const plain of [
			...[".", "-", "https://host/x.git", "git@host:x.git", "https://host/a@b"],
			...["https://git@github.com/x.git", "ssh://me@host/x.git"],
		]) {
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

	test("leaves everything else as it is, however short it may be", () => {
		const seen: BuildEvent[] = [];
		const run = { emit: (event: BuildEvent) => void seen.push(event), signal: AbortSignal.abort() };
		const message = "the message of e";
		const news = keepingSecrets(run, ["e", "progress"]);
		news.emit({ type: "warning", message, hint: "see https://me:e@host" });
		const given = { type: "deliver", method: "export", status: "progress", bytes: 1 } as const;
		news.emit({ ...given, destination: "in progress" });
		assert.deepEqual(seen, [
			{ type: "warning", message, hint: "see https://me:xxxxx@host" },
			{ ...given, destination: "in xxxxx" },
		]);
	});

	test("is in no error, nor in what caused it", () => {
		const url = "https://me:s3cret-word@host";
		const given = new BuildFailedError(`cannot fetch ${url}`, {
			hint: `look at ${url}`,
			logTail: [`could not read ${url}`],
			position: {
				file: "Dockerfile",
				line: 1,
				endLine: 1,
				text: `ADD ${url} /`,
				excerpt: [{ line: 1, text: `ADD ${url} /` }],
			},
			cause: new Error("exit code 128", { cause: new Error(url) }),
		});
		const error = withoutSecrets(given, ["s3cret-word"]);
		assert.equal(error, given);
		assert.equal(given.message, "cannot fetch https://me:xxxxx@host");
		assert.equal(given.name, "BuildFailedError");
		assert.deepEqual(given.logTail, ["could not read https://me:xxxxx@host"]);
		assert.equal(given.position?.text, "ADD https://me:xxxxx@host /");
		assert.doesNotMatch(inspect(given, { depth: null }), /s3cret/);
	});
});
