import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { packTar } from "../../../src/context/content/tar-pack.js";
import { walkContext } from "../../../src/context/entries/walk.js";
import { IgnoreRules } from "../../../src/context/ignore/ignore-rules.js";
import type { ContextManifest } from "../../../src/context/tree/manifest.js";
import { SourceTree } from "../../../src/context/tree/source-tree.js";

/** An empty directory that is gone after the test, whatever is in it. */
export function emptyTree(test: TestContext): string {
	const root = mkdtempSync(join(tmpdir(), "rbuild-tree-"));
	test.after(() => rmSync(root, { recursive: true, force: true }));
	return root;
}

export function walk(root: string, rules = ""): ContextManifest {
	const ignore = IgnoreRules.parse(Buffer.from(rules), ".dockerignore");
	return walkContext(new SourceTree(root, "linux"), ignore, new Set());
}

/** The tar of everything in a directory. */
export function pack(root: string): Buffer {
	const chunks = packTar(new SourceTree(root, "linux"), walk(root).entries);
	return Buffer.concat(Array.from(chunks, ({ bytes }) => bytes));
}

/** What GNU tar prints, byte for byte as latin1, when it is given an archive. */
export function gnuTar(archive: Uint8Array, ...options: readonly string[]): string {
	return execFileSync("tar", ["-f", "-", ...options], {
		input: archive,
		encoding: "latin1",
		stdio: "pipe",
		env: { ...process.env, LC_ALL: "C", TZ: "UTC" },
		maxBuffer: 64 * 1024 * 1024,
	});
}
