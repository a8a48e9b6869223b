import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { isRemoteUrl, parseContextSource } from "../../../src/context/context-source.js";
import { emptyTree } from "./trees.js";

describe("what a daemon fetches by itself", () => {
	it("is a URL of http or git, in the forms that it knows", () => {
		for (const url of [
			"http://host/app.tar",
			"https://github.com/me/app.git#main:sub",
			"git://host/app",
			"ssh://git@host/app.git",
			"git@host:me/app.git",
			"github.com/me/app",
		]) {
			assert.ok(isRemoteUrl(url), url);
		}
		for (const other of ["", ".", "https", "ftp://host/app", "gitlab.com/me/app", "./git@host:a"]) {
			assert.ok(!isRemoteUrl(other), other);
		}
	});

	it("is not what is there, even if it looks like it", async (test) => {
		const root = emptyTree(test);
		assert.deepEqual(await parseContextSource("github.com/me", root), {
			kind: "url",
			url: "github.com/me",
		});
		const directory = join(root, "github.com/me");
		mkdirSync(directory, { recursive: true });
		assert.deepEqual(await parseContextSource("github.com/me", root), {
			kind: "directory",
			directory,
		});
	});
});

describe("a path in bytes that are not UTF-8", () => {
	it("is not said not to exist: node cannot name it", async (test) => {
		const root = emptyTree(test);
		await assert.rejects(parseContextSource("caf\ufffd", root), {
			message: "cannot open the build context caf\ufffd: its path is not UTF-8",
			hint: "rename it, or give what is in it as a tar on standard input",
		});
		await assert.rejects(parseContextSource(".", join(root, "caf\ufffd")), /its path is not UTF-8/);
	});
});
