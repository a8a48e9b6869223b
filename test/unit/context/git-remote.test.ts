import assert from "node:assert/strict";
import { mkdirSync, realpathSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { gitPlace, normalizeRemote } from "../../../src/context/git-remote.js";
import { posixOnly } from "../../support/this-system.js";
import { emptyTree } from "./trees.js";

function tree(test: TestContext, files: Readonly<Record<string, string>>): string {
	const root = realpathSync(emptyTree(test));
	for (const [name, content] of Object.entries(files)) {
		mkdirSync(dirname(join(root, name)), { recursive: true });
		writeFileSync(join(root, name), content);
	}
	return root;
}

const config = (url: string, name = "origin") =>
	`[core]\n\tbare = false\n[remote "${name}"]\n\turl = ${url}\n`;

describe("the place of a folder in a repository", () => {
	it("is its remote and where it is within the work tree", async (test) => {
		const root = tree(test, { ".git/config": config("git@host.net:me/app.git"), "a/b/c": "" });
		const remote = "host.net/me/app";
		assert.deepEqual(await gitPlace(root), { remote, folder: "" });
		assert.deepEqual(await gitPlace(join(root, "a/b")), { remote, folder: "a/b" });
	});

	it("is found through the files that linked work trees and submodules have", async (test) => {
		const root = tree(test, {
			"main/.git/config": config("https://host/main"),
			"main/.git/worktrees/linked/commondir": "../..\n",
			"main/.git/worktrees/linked/HEAD": "ref: refs/heads/other\n",
			"main/.git/modules/sub/config": config("https://host/sub"),
			"main/sub/.git": "gitdir: ../.git/modules/sub\n",
			"main/sub/folder/file": "",
			"linked/folder/file": "",
		});
		writeFileSync(
			join(root, "linked/.git"),
			`gitdir: ${join(root, "main/.git/worktrees/linked")}\n`,
		);
		assert.deepEqual(await gitPlace(join(root, "linked/folder")), {
			remote: "host/main",
			folder: "folder",
		});
		assert.deepEqual(await gitPlace(join(root, "main/sub/folder")), {
			remote: "host/sub",
			folder: "folder",
		});
	});

	it("is that of the remote of the branch without an origin, or of the only one", async (test) => {
		const two = `${config("https://host/fork", "fork")}${config("https://host/up", "Up.Stream")}`;
		const branch = '[branch "fix/it"]\n\tremote = Up.Stream\n\tmerge = refs/heads/fix\n';
		const head = { ".git/HEAD": "ref: refs/heads/fix/it\n" };
		const tracked = tree(test, { ...head, ".git/config": two + branch });
		assert.equal((await gitPlace(tracked))?.remote, "host/up");
		assert.equal(await gitPlace(tree(test, { ...head, ".git/config": two })), undefined);
		const single = tree(test, { ".git/config": config('"https://host/only" ; a comment', "x") });
		assert.equal((await gitPlace(single))?.remote, "host/only");
	});

	it("is nowhere without a repository, and in one that makes no sense", async (test) => {
		assert.equal(await gitPlace(tree(test, {})), undefined);
		assert.equal(await gitPlace(tree(test, { ".git/HEAD": "" })), undefined);
		assert.equal(await gitPlace(tree(test, { ".git": "nonsense" })), undefined);
		assert.equal(await gitPlace(tree(test, { ".git": "gitdir: gone\n" })), undefined);
		assert.equal(
			await gitPlace(tree(test, { ".git/config": '[remote "origin"\nurl\n\0' })),
			undefined,
		);
	});
});

describe("a remote", () => {
	it("is the same by whatever way, and without any login", () => {
		const ways = [
			"git@host.net:me/app.git",
			"host.net:me/app",
			"ssh://git@host.net/me/app.git",
			"ssh://host.net:2222/me/app/",
			"https://host.net/me/app.git",
			"https://user:secret@HOST.net:443/me/app.git/",
			"https://x-access-token:ghs_a@b@host.net/me/app?token=secret",
			"git://host.net/~/me/app",
		];
		for (const way of ways) assert.equal(normalizeRemote(way, "/w"), "host.net/me/app", way);
		assert.equal(normalizeRemote("git@[::1]:me/app", "/w"), "[::1]/me/app");
	});

	it("of a form that cannot be read is shown to nobody, as a login may be in it", () => {
		const remotes = [
			"http::https://u:SECRET@h/x",
			"codecommit::https://u:SECRET@host/x",
			"https://user:p/SECRET@host/x",
			"//u:SECRET@h/x",
		];
		const names = remotes.map((remote) => normalizeRemote(remote, "/w"));
		for (const name of names) assert.match(name, /^sha256:[0-9a-f]{64}$/);
		assert.equal(new Set(names).size, remotes.length);
	});

	it("on this machine is a path", { skip: posixOnly }, () => {
		assert.equal(normalizeRemote("/srv/git/app.git", "/w"), "/srv/git/app");
		assert.equal(normalizeRemote("file:///srv/git/app.git/", "/w"), "/srv/git/app");
		assert.equal(normalizeRemote("../app", "/w/clone"), "/w/app");
		assert.match(normalizeRemote("C:\\git\\app", "/w"), /C:\/git\/app$/);
	});
});
