import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { rbuildHere } from "../../../support/called-program.js";

let root: string;
before(() => {
	root = mkdtempSync(join(tmpdir(), "rbuild-opened-"));
	writeFileSync(join(root, "Dockerfile"), "FROM scratch\n");
});
after(() => rmSync(root, { recursive: true, force: true }));

const noDisplay = { DISPLAY: "", WAYLAND_DISPLAY: "", BROWSER: "" };
const context = (...flags: string[]) =>
	rbuildHere(["context", root, ...flags], { env: noDisplay, cwd: root });

test("--open says in one line where the page is if it cannot be opened", {
	skip: process.platform !== "linux",
}, async () => {
	const { code, stdout, stderr } = await context("--open");
	assert.equal(code, 0, stderr);
	assert.equal(stdout, "");
	const file =
		/^the page is (.*context\.html): there is no display here\n$/.exec(stderr)?.[1] ?? "";
	assert.ok(existsSync(file), stderr);
	rmSync(dirname(file), { recursive: true });
});

// Elsewhere, there is always a display.
test("--open keeps the page where --output says", {
	skip: process.platform !== "linux",
}, async () => {
	const { code, stderr } = await context("--open", "--output", "page.html");
	assert.equal(code, 0, stderr);
	assert.ok(existsSync(join(root, "page.html")));
});

test("--open names the folder for temporary files that takes no other", {
	skip: process.platform === "win32",
}, async () => {
	const env = { ...noDisplay, TMPDIR: "/nonexistent" };
	const { code, stderr } = await rbuildHere(["context", root, "--open"], { env });
	assert.equal(code, 6);
	assert.equal(
		stderr,
		"error: cannot make a folder in /nonexistent: no such file or directory\nhint: set TMPDIR to another folder, or name a file with --output\n",
	);
});

test("--open is refused for what is no page, or in no file", async () => {
	for (const [flags, message] of [
		[["--format", "csv"], /^error: --open cannot be used with --format csv$/m],
		[["--output", "-"], /^error: --open cannot be used with --output -$/m],
	] as const) {
		const { code, stderr } = await context("--open", ...flags);
		assert.equal(code, 2);
		assert.match(stderr, message);
	}
});
