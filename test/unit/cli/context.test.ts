import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
	chmodSync,
	mkdirSync,
	readdirSync,
	readFileSync,
	symlinkSync,
	writeFileSync,
} from "node:fs";
import { devNull } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { describe, it, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { rbuildHere } from "../../support/called-program.js";
import { rbuild, startRbuild } from "../../support/cli.js";
import { startFakeDaemon } from "../../support/fake-daemon.js";
import { noPermissions, noSuchNames, without } from "../../support/this-system.js";
import { gnuTar } from "../context/trees.js";
import { contextWith } from "../survey/surveys.js";

const command = fileURLToPath(new URL("../../../../bin/rbuild.js", import.meta.url));

const app = (test: TestContext, files: Readonly<Record<string, string>> = {}) =>
	contextWith(test, {
		Dockerfile: "FROM scratch\nCOPY . .\n",
		".dockerignore": "node_modules\n*.log\n!keep.log\n",
		"node_modules/a/b.js": "123",
		"src/main.ts": "12345",
		"debug.log": "1",
		"keep.log": "12",
		...files,
	});

describe("rbuild context", () => {
	it("shows what would be sent of the current directory", async (test) => {
		const { code, stdout, stderr } = await rbuildHere(["context"], { cwd: app(test) });
		assert.equal(stderr, "");
		assert.equal(code, 0);
		assert.match(stdout, /^ {2}4 files, 58 B to send$/m);
		assert.match(stdout, /^ {2}2 files, 4 B ignored \(by \.dockerignore\)$/m);
		assert.match(stdout, /^ {2}about .* compressed \(estimated\)$/m);
		assert.match(stdout, /node_modules\/ {2}\(\.dockerignore:1 node_modules\)$/m);
	});

	it("has the keys in JSON that it had before there was a version", {
		skip: noPermissions,
	}, async (test) => {
		const { stdout } = await rbuildHere(["context", app(test), "--format", "json"]);
		const { version, files, totals } = JSON.parse(stdout);
		assert.equal(version, 1);
		assert.equal(totals.files, 4);
		assert.equal(totals.bytes, 58);
		assert.deepEqual(totals.ignored, { files: 2, bytes: 4, directories: ["node_modules"] });
		const { neededBy, ...last } = files.at(-1);
		assert.deepEqual(last, { path: "src/main.ts", type: "file", size: 5, mode: 0o644 });
		assert.deepEqual(neededBy, [0]);
	});

	it("shows what the Dockerfile takes, for a target and arguments", async (test) => {
		const root = contextWith(test, {
			Dockerfile: "FROM base AS a\nARG A\nCOPY $A /\nFROM scratch\nCOPY b /\n",
			a: "12",
			b: "345",
		});
		const needs = async (...flags: string[]) => {
			const { stdout } = await rbuildHere(["context", root, "--format", "json", ...flags]);
			return JSON.parse(stdout).needs;
		};
		assert.deepEqual(await needs(), {
			instructions: [{ line: 5, text: "COPY b /", files: 1, bytes: 3 }],
			unused: { files: 2, bytes: 55 },
			doubts: [],
		});
		assert.deepEqual(await needs("--target", "a", "--build-arg", "A=a"), {
			instructions: [{ line: 3, text: "COPY $A /", files: 1, bytes: 2 }],
			unused: { files: 2, bytes: 56 },
			doubts: ["the base image base may have ONBUILD instructions"],
		});
	});

	it("measures a context whose Dockerfile does not parse, and says where", async (test) => {
		const root = contextWith(test, { Dockerfile: "FROM scratch\n  COPPY a /\n", a: "12" });
		const { code, stdout, stderr } = await rbuildHere(["context", root]);
		assert.equal(code, 0);
		assert.match(stdout, /2 files, 27 B to send/);
		assert.equal(stderr, "warning: Dockerfile:2:3: unknown instruction COPPY\n");
	});

	it("warns where BuildKit asks for more than the Dockerfile takes", async (test) => {
		const mount = "RUN --mount=type=tmpfs,target=/t true";
		const warnings = async (Dockerfile: string) => {
			const root = contextWith(test, { Dockerfile, ".dockerignore": "", a: "12", "b/c": "3" });
			return (await rbuildHere(["context", root])).stderr;
		};
		assert.match(
			await warnings(`FROM scratch\nCOPY a /\n${mount}\n`),
			/^warning: Dockerfile: BuildKit asks a sync for all of the context, for --mount=type=tmpfs: .*\n$/,
		);
		assert.equal(await warnings(`FROM scratch\nCOPY a b /\n${mount}\n`), "");
		assert.equal(await warnings(`FROM scratch\n${mount}\n`), "");
	});

	it("estimates the upload on a link", async (test) => {
		const { stdout } = await rbuildHere(["context", app(test), "--link", "1kbit"]);
		assert.match(stdout, /compressed, \d+\.\ds at 1 kbit\/s/);
	});

	it("warns of an ignore file that only podman reads, where there is no other", async (test) => {
		const files = { Dockerfile: "FROM scratch\n", ".containerignore": "a\n", a: "12" };
		const root = contextWith(test, files);
		const unread = "the rules in .containerignore do not count, and there is no .dockerignore";
		assert.equal((await rbuildHere(["context", root])).stderr, `warning: ${unread}\n`);
		const { stderr } = await rbuildHere([root, "--on", "unix:///none/docker.sock"]);
		assert.match(
			stderr,
			/^warning: .*\.containerignore do not count.*\nhint: rename it to \.dockerignore/m,
		);
		const both = contextWith(test, { ...files, ".dockerignore": "" });
		assert.equal((await rbuildHere(["context", both])).stderr, "");
	});

	it("measures a context without a Dockerfile, and warns of it", async (test) => {
		const root = contextWith(test, { a: "12" });
		const without = await rbuildHere(["context", root]);
		assert.match(without.stdout, /1 file, 2 B to send/);
		assert.equal(without.stderr, `warning: there is no Dockerfile in ${root}\n`);
		assert.equal(without.code, 0);
		const misnamed = await rbuildHere(["context", root, "-f", "Prod"], { cwd: root });
		assert.equal(misnamed.stderr, "warning: the Dockerfile Prod does not exist\n");
		assert.equal(misnamed.code, 0);
	});

	it("counts the Dockerfile that comes on standard input", async (test) => {
		const root = contextWith(test, { a: "12" });
		const { stdout } = await rbuildHere(["context", root, "-f", "-", "--format", "csv"], {
			input: "FROM scratch\n",
		});
		assert.match(stdout, /^\.dockerfile\.[0-9a-f]{20},file,13,1,sent,,\r$/m);
	});

	it("writes the result to a file, which is not part of it", async (test) => {
		const root = app(test);
		const args = ["context", "--format", "json", "-o", "report.json"];
		const { code, stdout } = await rbuildHere(args, { cwd: root });
		assert.equal(code, 0);
		assert.equal(stdout, "");
		const { files } = JSON.parse(readFileSync(join(root, "report.json"), "utf8"));
		assert.equal(files.length, 5);
		assert.ok(!readdirSync(root).some((name) => name.endsWith(".tmp")));
	});

	it("names what cannot be read, and fails as a build would", {
		skip: noPermissions,
	}, async (test) => {
		const root = app(test, { "locked/x": "", key: "" });
		chmodSync(join(root, "locked"), 0);
		chmodSync(join(root, "key"), 0);
		const { code, stdout, stderr } = await rbuild(["context", root], { obeysModes: true });
		const tar = await rbuild(["context", root, "--format", "tar"], { obeysModes: true });
		chmodSync(join(root, "locked"), 0o755);
		assert.deepEqual([tar.code, tar.stdout], [3, ""]);
		assert.match(
			tar.stderr,
			/^error: cannot read locked in the build context: permission denied$/m,
		);
		assert.equal(code, 3);
		assert.match(stdout, /Cannot be read\n {2}cannot read locked in .*: permission denied\n/);
		assert.match(stderr, /^error: cannot read 2 paths in the build context: locked, key$/m);
	});

	it("takes no notice of what somebody reads no further", { skip: without("bash") }, () => {
		const { status, stderr } = spawnSync(
			"bash",
			[
				"-c",
				`"$0" "$1" context "$2" --format csv | true; exit \${PIPESTATUS[0]}`,
				process.execPath,
				command,
				fileURLToPath(new URL("../../..", import.meta.url)),
			],
			{ encoding: "utf8" },
		);
		assert.doesNotMatch(stderr, /error/);
		assert.equal(status, 0);
	});
});

describe("rbuild context --format tar", () => {
	it("writes what a build would send as a tar", { skip: without("tar") }, async (test) => {
		const root = app(test);
		const file = join(contextWith(test, {}), "context.tar");
		const { code } = await rbuildHere(["context", root, "--format", "tar", "-o", file]);
		assert.equal(code, 0);
		const names = gnuTar(readFileSync(file), "-t").trimEnd().split("\n");
		assert.deepEqual(names, [".dockerignore", "Dockerfile", "keep.log", "src/", "src/main.ts"]);
	});

	it("is byte for byte what a build sends to a daemon that takes tars", async (test) => {
		const root = app(test, { "a/b": "1".repeat(100_000) });
		symlinkSync("a", join(root, "link"));
		let sent: Buffer | undefined;
		await using daemon = await startFakeDaemon({
			routes: {
				"GET /_ping": (_request, response) => {
					response.setHeader("Api-Version", "1.47").setHeader("Builder-Version", "1").end("OK");
				},
				"POST /build": async (request, response) => {
					sent = await buffer(request);
					response.writeHead(500).end();
				},
			},
		});
		// From elsewhere, so that it travels under a name of its own.
		const dockerfile = join(contextWith(test, { Dockerfile: "FROM scratch\n" }), "Dockerfile");
		const on = daemon.url;
		await rbuildHere([root, "-f", dockerfile, "--on", on, "--no-minimal"]);
		const child = startRbuild(["context", root, "-f", dockerfile, "--format", "tar"]);
		const written = await buffer(child.stdout as Readable);
		assert.ok(written.length > 100_000);
		assert.ok(sent?.equals(written));
	});

	it("needs the Dockerfile, as the build does", async (test) => {
		const { code, stderr } = await rbuildHere([
			"context",
			contextWith(test, {}),
			"--format",
			"tar",
		]);
		assert.equal(code, 3);
		assert.match(stderr, /^error: there is no Dockerfile in /);
	});

	it("keeps to the limits, too", async (test) => {
		const args = ["context", app(test), "--format", "tar", "--max-files", "1", "-o", devNull];
		const { code, stderr } = await rbuildHere(args);
		assert.equal(code, 3);
		assert.match(stderr, /^error: 4 files are 3 over --max-files 1$/m);
	});
});

describe("rbuild context --fix", () => {
	it("claims no gain where the ignore file grows by more than it leaves out", async (test) => {
		const root = app(test, { ".gitignore": "*.tmp\n", ".git/HEAD": "", "a.tmp": "1" });
		writeFileSync(join(root, ".dockerignore"), ".git\n");
		const { code, stderr } = await rbuildHere(["context", root, "--fix", "--yes"]);
		assert.equal(code, 0, stderr);
		assert.match(stderr, /^now 7 files, .* B: 1 file less$/m);
	});
});

describe("the limits of rbuild context", () => {
	it("fail what is larger, and say by how much and what it is", async (test) => {
		const root = app(test, { "assets/video.mp4": "x".repeat(3_000) });
		const args = [
			"context",
			root,
			"--max-size",
			"2kB",
			"--max-files",
			"2",
			"--max-file-size",
			"1k",
		];
		const { code, stdout, stderr } = await rbuildHere(args);
		assert.equal(code, 3);
		assert.match(stdout, /^Limits\n {2}the context, 3\.06 kB, is 1\.06 kB over --max-size 2 kB: /m);
		const [error, hint] = stderr.split("\n");
		assert.equal(
			error,
			"error: the context, 3.06 kB, is 1.06 kB over --max-size 2 kB; 5 files are 3 over --max-files 2; the largest file, 3 kB, is 2 kB over --max-file-size 1 kB",
		);
		assert.match(hint ?? "", /^hint: the largest: assets\/video\.mp4 \(3 kB\), /);
	});

	it("count what is left after --fix", async (test) => {
		const root = app(test, { ".git/HEAD": "ref: refs/heads/main\n", ".git/a": "x".repeat(3_000) });
		const args = ["context", root, "--fix", "--yes", "--max-size", "2kB"];
		const { code, stderr } = await rbuildHere(args);
		assert.match(stderr, /^now 4 files, 63 B: 2 files, 3\.02 kB less$/m);
		assert.equal(code, 0, stderr);
	});

	it("let pass what is not", async (test) => {
		const args = ["context", app(test), "--max-size", "58", "--max-files", "4"];
		const { code, stderr } = await rbuildHere(args);
		assert.equal(stderr, "");
		assert.equal(code, 0);
	});

	it("are refused where they are none", async (test) => {
		const { code, stderr } = await rbuildHere(["context", app(test), "--max-size", "big"]);
		assert.equal(code, 2);
		assert.match(stderr, /^error: --max-size "big" is not a size$/m);
	});
});

describe("rbuild context --compare", () => {
	it("tells what changed since then", async (test) => {
		const root = app(test);
		const file = join(contextWith(test, {}), "before.json");
		await rbuildHere(["context", root, "--format", "json", "-o", file]);
		writeFileSync(join(root, "new.bin"), "x".repeat(500));
		writeFileSync(join(root, "src/main.ts"), "1");
		const { code, stdout } = await rbuildHere(["context", root, "--compare", file]);
		assert.equal(code, 0);
		assert.match(stdout, /^ {2}\+1 file and \+496 B against /m);
		assert.match(stdout, /^ {2}new: 1 file, \+500 B\n +\+500 B {2}new\.bin\n/m);
		assert.match(stdout, /^ {2}shrunk: 1 file, -4 B\n +-4 B {2}src\/main\.ts\n/m);
	});

	it("refuses what is no earlier document, with one line", async (test) => {
		const root = app(test);
		const { code, stdout, stderr } = await rbuildHere(
			["context", root, "--compare", "Dockerfile"],
			{
				cwd: root,
			},
		);
		assert.equal(code, 2);
		assert.equal(stdout, "");
		assert.match(stderr, /^error: cannot compare with Dockerfile: it is not JSON\nhint: .*\n$/);
	});
});

describe("rbuild context why", () => {
	it("says which line decides, for paths from the context or from here", async (test) => {
		const root = app(test);
		const args = ["context", "why", "main.ts", "node_modules/a/b.js", "-C", root, "debug.log"];
		const { code, stdout, stderr } = await rbuildHere(args, { cwd: join(root, "src") });
		assert.equal(stderr, "");
		assert.equal(code, 0);
		assert.equal(
			stdout,
			`src/main.ts: included: no rule leaves it out
  needed by Dockerfile:2 COPY . .
node_modules/a/b.js: never seen, as node_modules/ is not entered: ignored by .dockerignore:1 node_modules
debug.log: ignored by .dockerignore:2 *.log
`,
		);
	});

	it("is about the current directory, and fails for what is not there", async (test) => {
		const args = ["context", "why", "keep.log", "nope", "../outside"];
		const { code, stdout, stderr } = await rbuildHere(args, { cwd: app(test) });
		assert.equal(code, 3);
		assert.equal(
			stdout,
			`keep.log: included by .dockerignore:3 !keep.log
  needed by Dockerfile:2 COPY . .
nope: not there
../outside: not there
`,
		);
		assert.match(stderr, /^error: not in the build context: nope, \.\.\/outside\nhint: /);
	});

	it("takes a dash for a file of that name", async (test) => {
		const root = contextWith(test, { Dockerfile: "FROM scratch", "-": "" });
		const { stdout } = await rbuildHere(["context", "why", "-"], { cwd: root });
		assert.match(stdout, /^-: included/);
	});

	it("leaves a directory of that name to be looked into", async (test) => {
		const root = contextWith(test, { "why/Dockerfile": "FROM scratch", "why/a": "123" });
		const { stdout } = await rbuildHere(["context", "./why"], { cwd: root });
		assert.match(stdout, /2 files, 15 B to send/);
	});

	it("needs a path, and has flags of its own", async () => {
		const without = await rbuildHere(["context", "why"]);
		assert.equal(without.code, 2);
		assert.match(without.stderr, /^error: no path was given\nhint: .*rbuild context why /);
		const other = await rbuildHere(["context", "why", "a", "--max-sise", "1"]);
		assert.equal(other.code, 2);
		assert.match(other.stderr, /^error: unknown flag --max-sise$/m);
	});
});

describe("names that would garble the terminal", () => {
	it("are escaped in every format for people", { skip: noSuchNames }, async (test) => {
		const root = contextWith(test, { Dockerfile: "FROM scratch\n" });
		writeFileSync(join(root, "a\nb\u001b[31mc\u009b2J\u202e"), "x");
		writeFileSync(Buffer.concat([Buffer.from(`${root}/bad`), Buffer.of(0xff)]), "y");
		mkdirSync(join(root, "\u001b]0;title\u0007"));
		for (const format of ["table", "markdown", "csv"]) {
			const { code, stdout } = await rbuildHere(["context", root, "--format", format]);
			assert.equal(code, 0);
			const controls = [...stdout.replace(/\r?\n/g, "")].filter((character) =>
				/[\p{Control}\u202e\ufffd]/u.test(character),
			);
			assert.deepEqual(controls, [], format);
			if (format !== "markdown") assert.ok(stdout.includes("\\nb\\u001b[31mc\\u009b2J\\u202e"));
		}
		const { stdout } = await rbuildHere([
			"context",
			"why",
			"a\nb\u001b[31mc\u009b2J\u202e",
			"-C",
			root,
		]);
		assert.equal(
			stdout,
			`"a\\nb\\u001b[31mc\\u009b2J\\u202e": included: no rule leaves it out
  needed by no instruction
`,
		);
	});
});
