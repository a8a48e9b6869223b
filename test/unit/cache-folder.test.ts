import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import {
	cacheFolder,
	forgetOldFiles,
	readKeptFile,
	readKeptFileSync,
} from "../../src/cache-folder.js";
import { replaceCacheFile } from "../../src/disk/cache-file.js";
import type { Environment } from "../../src/environment.js";
import { emptyTree } from "./context/trees.js";

function folder(platform: NodeJS.Platform, variables: Environment["variables"] = {}): string {
	return cacheFolder({ variables, homeDirectory: "/home/me", platform }).replaceAll("\\", "/");
}

describe("the cache's folder", () => {
	it("is where the user's system keeps such files", () => {
		assert.equal(folder("linux"), "/home/me/.cache/rbuild");
		assert.equal(folder("linux", { XDG_CACHE_HOME: "/var/me" }), "/var/me/rbuild");
		assert.equal(folder("linux", { XDG_CACHE_HOME: "relative" }), "/home/me/.cache/rbuild");
		assert.equal(folder("darwin", { XDG_CACHE_HOME: "/var/me" }), "/home/me/Library/Caches/rbuild");
		assert.equal(folder("win32", { LOCALAPPDATA: "/local" }), "/local/rbuild/cache");
		assert.equal(folder("win32"), "/home/me/AppData/Local/rbuild/cache");
	});

	it("is read only where there are regular files", {
		skip: process.platform === "win32",
	}, async (test) => {
		const root = emptyTree(test);
		const pipe = join(root, "pipe");
		execFileSync("mkfifo", [pipe]);
		writeFileSync(join(root, "file"), "content");
		assert.equal(String(await readKeptFile(join(root, "file"))), "content");
		assert.equal(String(readKeptFileSync(join(root, "file"))), "content");
		for (const path of [pipe, "/dev/zero", root]) {
			await assert.rejects(readKeptFile(path), /is not a regular file/);
			assert.throws(() => readKeptFileSync(path), /is not a regular file/);
		}
	});

	it("loses what was not written for long, and nothing else", async (test) => {
		const root = emptyTree(test);
		for (const name of ["old", "new"]) writeFileSync(join(root, name), "");
		mkdirSync(join(root, "folder"));
		for (const name of ["old", "folder"]) utimesSync(join(root, name), 0, 0);
		await forgetOldFiles(root);
		assert.deepEqual(readdirSync(root).sort(), ["folder", "new"]);
		await forgetOldFiles(join(root, "gone"));
	});

	it("has a file as a whole or as it was, and nothing beside it", async (test) => {
		const root = emptyTree(test);
		const file = join(root, "a", "file");
		await Promise.all(["1", "2", "3"].map((text) => replaceCacheFile(file, Buffer.from(text))));
		assert.deepEqual(readdirSync(join(root, "a")), ["file"]);
		mkdirSync(join(root, "b"));
		await assert.rejects(replaceCacheFile(join(root, "b"), Buffer.from("x")));
		assert.deepEqual(readdirSync(root).sort(), ["a", "b"]);
	});
});
