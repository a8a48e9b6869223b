import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { inspectImage, removeImage } from "../../src/engine/images.js";
import { RbuildError } from "../../src/errors.js";
import type { BuildEvent } from "../../src/events.js";
import { type BuildOptions, build } from "../../src/index.js";
import type { Box } from "../support/box.js";
import { rbuild } from "../support/cli.js";
import { type CaseBuilder, dockerfileCases, writeTree } from "../support/dockerfiles.js";
import { imageFolder } from "../support/image-contents.js";

const signal = new AbortController().signal;

/** An image is the same whether or not its context was sent in full. */
export function testMinimalContexts(kind: CaseBuilder, open: () => Promise<Box>): void {
	let box: Box;
	let root: string;

	before(async () => {
		box = await open();
		root = mkdtempSync(join(tmpdir(), "rbuild-minimal-"));
		writeTree(root);
	});
	after(async () => {
		chmodSync(root, 0o700);
		rmSync(root, { recursive: true, force: true });
		await box[Symbol.asyncDispose]();
	});

	/** Builds with nothing of an earlier build, and tells what came of it, or why nothing did. */
	async function outcome(name: string, minimal: boolean, options: Partial<BuildOptions> = {}) {
		const tag = `rbuild-minimal:${minimal ? "part" : "whole"}`;
		const events: BuildEvent[] = [];
		const given: BuildOptions = {
			context: root,
			file: join(root, "dockerfiles", name),
			on: `unix://${box.socketPath}`,
			transfer: "tar",
			tags: [tag],
			noCache: true,
			minimal,
			...options,
		};
		const result = await build(given, { onEvent: (event) => events.push(event) }).then(
			() => contents(tag),
			(error: unknown) => {
				if (error instanceof RbuildError) return reason(error);
				throw error;
			},
		);
		return { result, events, transfer: events.find((event) => event.type === "transfer") };
	}

	async function contents(tag: string): Promise<string> {
		try {
			const { platform } = await inspectImage(box.engine, tag, signal);
			return [platform, ...listing(await imageFolder(box.engine, tag, "/"))].join("\n");
		} finally {
			await removeImage(box.engine, tag, signal);
		}
	}

	const cases = dockerfileCases().filter(({ builders }) => builders.has(kind));
	// Podman takes two seconds for each.
	const some = kind === "podman" ? cases.filter((_, index) => index % 3 === 0) : cases;
	for (const { name, text, target, buildArgs, takes } of some) {
		test(`makes the same image of ${name}`, async () => {
			const options = { buildArgs, ...(target === undefined ? {} : { target }) };
			const whole = await outcome(name, false, options);
			const part = await outcome(name, true, options);
			assert.equal(withoutTimesOf(text, part.result), withoutTimesOf(text, whole.result));
			assert.doesNotMatch(part.result, /^Error: /);
			assert.equal(whole.transfer?.needed, undefined);
			assert.equal(part.transfer?.needed === undefined, takes.includes("."), name);
			assert.equal(part.transfer?.doubt, undefined);
		});
	}

	test("fails with the same words where a file is not there", async () => {
		for (const source of ["missing", "docs/missing", "LICENSE/below", "none*", "docs/none*/x"]) {
			writeFileSync(join(root, "dockerfiles/fails"), `FROM scratch\nCOPY ${source} /x/\n`);
			const whole = await outcome("fails", false);
			const part = await outcome("fails", true);
			assert.notEqual(part.transfer?.needed, undefined);
			assert.equal(part.result, whole.result);
		}
	});

	test("fails for what cannot be read, before the upload, only where it would be sent", async (test) => {
		const context = mkdtempSync(join(tmpdir(), "rbuild-minimal-locked-"));
		const locked = join(context, "locked");
		mkdirSync(locked, { mode: 0o000 });
		test.after(() => rmSync(context, { recursive: true, force: true }));
		writeFileSync(join(context, "taken"), "taken");
		const args = [context, "--on", `unix://${box.socketPath}`, "--transfer", "tar"];
		const built = (copy: string, ...more: string[]) => {
			writeFileSync(join(context, "Dockerfile"), `FROM scratch\nCOPY ${copy} /x/\n`);
			return rbuild([...args, ...more], { obeysModes: true });
		};
		const { code, stderr } = await built("taken");
		assert.equal(code, 0, stderr);
		const key = join(context, "key");
		writeFileSync(key, "", { mode: 0o000 });
		const withKey = await built("taken");
		assert.equal(withKey.code, 0, withKey.stderr);
		const failed = await built("key");
		assert.match(
			failed.stderr,
			/^error: cannot read key in the build context: permission denied$/m,
		);
		assert.doesNotMatch(failed.stderr, /upload/);
		rmSync(key);
		for (const failing of [
			await built("."),
			await built("taken lock*/file"),
			await built("taken", "--no-minimal"),
		]) {
			assert.equal(failing.code, 3, failing.stderr);
			assert.match(
				failing.stderr,
				/^error: cannot read locked in the build context: permission denied$/m,
			);
			assert.match(failing.stderr, /^hint: make it readable, or list it in \.dockerignore$/m);
			assert.doesNotMatch(failing.stderr, /upload/);
		}
	});

	test("leaves nothing out, and says why, where more may be needed", async () => {
		const text = "ARG BASE\nFROM $BASE AS a\nFROM scratch\nCOPY --from=a /x /\nCOPY docs /docs\n";
		writeFileSync(join(root, "dockerfiles/unsure"), text);
		const { events, transfer } = await outcome("unsure", true, {
			buildArgs: { BASE: "rbuild.invalid/missing:1" },
		});
		assert.equal(transfer?.needed, undefined);
		assert.match(transfer?.doubt ?? "", /rbuild\.invalid\/missing:1 may have ONBUILD/);
		const warnings = events.filter(({ type }) => type === "warning");
		assert.match(JSON.stringify(warnings), /--minimal leaves nothing out: the base image/);
	});
}

/** What a container has of its own. */
const OF_CONTAINER =
	/ \/?(?:\.dockerenv|(?:dev|proc|run|sys)\/.*|etc\/(?:hostname|hosts|mtab|resolv\.conf).*)$/;

/** As `tar -tv` shows it; the times of folders are those of the build where COPY has made them. */
function listing(archive: Buffer): readonly string[] {
	const { stdout } = spawnSync("tar", ["-tv", "--full-time", "--numeric-owner", "-f", "-"], {
		input: archive,
		encoding: "utf8",
		maxBuffer: 1 << 28,
	});
	const lines = stdout.split("\n").filter((line) => line !== "" && !OF_CONTAINER.test(line));
	return lines.map((line) => (line.startsWith("d") ? withoutTime(line) : line)).sort();
}

/** What steps write has the time of the build. */
function withoutTimesOf(dockerfile: string, result: string): string {
	return /^RUN/m.test(dockerfile) ? result.split("\n").map(withoutTime).join("\n") : result;
}

function withoutTime(line: string): string {
	return line.replace(/ \d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)? /, " ");
}

/** Without what is different each time: names of snapshots and folders. */
function reason({ message }: RbuildError): string {
	return `Error: ${message}`.replace(/\bref \S+/, "ref").replace(/\d{6,}/g, "…");
}
