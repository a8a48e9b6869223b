import assert from "node:assert/strict";
import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { IgnoreRules } from "../../../../src/context/ignore/ignore-rules.js";
import { SourceTree } from "../../../../src/context/tree/source-tree.js";
import { ContextError, InterruptedError } from "../../../../src/errors.js";
import type { SecretFinding } from "../../../../src/survey/context-document.js";
import { allowedSecrets } from "../../../../src/survey/secrets/allowed-secrets.js";
import { findSecrets } from "../../../../src/survey/secrets/find-secrets.js";
import { SUSPECT_PATH } from "../../../../src/survey/secrets/suspect-paths.js";
import { project } from "../advice/projects.js";
import { CREDENTIALS, HARMLESS, pem, VALUE } from "./samples.js";

const signal = new AbortController().signal;

function find(
	test: TestContext,
	files: Readonly<Record<string, string | Buffer>>,
	ignoreFile = "",
): SecretFinding[] {
	const root = project(test, files);
	const ignore = { content: Buffer.from(ignoreFile), file: ".dockerignore" };
	const paths = Object.keys(files).filter((path) => SUSPECT_PATH.test(path));
	return findSecrets(new SourceTree(root, "linux"), paths, allowedSecrets(ignore), signal);
}

describe("files whose names are those of credentials", () => {
	for (const [path, [content, what, line]] of Object.entries(CREDENTIALS)) {
		it(`are told by what is in them: ${path}`, (test) => {
			const finding = line === undefined ? { path, what } : { path, what, line };
			assert.deepEqual(find(test, { [path]: content }), [finding]);
		});
	}

	for (const [path, content] of Object.entries(HARMLESS)) {
		it(`may hold none: ${path}`, (test) => {
			assert.deepEqual(find(test, { [path]: content }), []);
		});
	}

	it("are told of without what they hold", (test) => {
		const files = Object.entries(CREDENTIALS).map(([path, [content]]) => [path, content] as const);
		const findings = find(test, Object.fromEntries(files));
		assert.equal(findings.length, files.length);
		assert.ok(!JSON.stringify(findings).includes(VALUE.slice(0, 5)));
	});

	it("are let pass by lines in the ignore file, by docker's rules", (test) => {
		const files = {
			"a/x.key": pem(""),
			"b/x.key": pem(""),
			"c/deep/x.key": pem(""),
			"y.key": pem(""),
		};
		const paths = (ignoreFile: string) => find(test, files, ignoreFile).map(({ path }) => path);
		const all = ["a/x.key", "b/x.key", "c/deep/x.key", "y.key"];
		assert.deepEqual(paths("# rbuild:allow-secret y.key\r\n"), all.slice(0, 3));
		assert.deepEqual(paths("#rbuild:allow-secret *.key\n# rbuild:allow-secret c"), all.slice(0, 2));
		assert.deepEqual(paths("# rbuild:allow-secret **/*.key\n# rbuild:allow-secret !b/x.key"), [
			"b/x.key",
		]);
		assert.deepEqual(paths("rbuild:allow-secret y.key\n# rbuild:allow-secrets y.key\n"), all);
		assert.deepEqual(paths("# see rbuild:allow-secret y.key\n"), all);
	});

	it("name the line of one that docker could not read", () => {
		const content = Buffer.from("x\n# rbuild:allow-secret a[\n");
		assert.throws(
			() => allowedSecrets({ content, file: ".dockerignore" }),
			(error) => error instanceof ContextError && error.message.startsWith(".dockerignore:2: "),
		);
	});

	it("do not matter where they cannot be read, or are links", (test) => {
		const root = project(test, { "real.key": pem("") });
		symlinkSync("real.key", join(root, "link.key"));
		const tree = new SourceTree(root, "linux");
		const paths = ["gone.key", "link.key"];
		assert.deepEqual(findSecrets(tree, paths, IgnoreRules.none(), signal), []);
	});

	it("are not opened after an interruption", (test) => {
		const tree = new SourceTree(project(test, {}), "linux");
		const reason = new InterruptedError("interrupted");
		const aborted = AbortSignal.abort(reason);
		assert.throws(() => findSecrets(tree, ["a.key"], IgnoreRules.none(), aborted), reason);
	});
});
