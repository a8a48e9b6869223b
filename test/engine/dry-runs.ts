import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { removeImage } from "../../src/engine/images.js";
import type { BuildEvent, DryRunReport, UploadEvent } from "../../src/events.js";
import { BASE_IMAGE } from "../support/base-image.js";
import type { Box } from "../support/box.js";
import { type Finished, rbuild } from "../support/cli.js";
import { indexImages } from "../support/index-images.js";

const { signal } = new AbortController();

export interface DryRunTests {
	readonly builder: "buildkit" | "classic";
	/** Whether others use it at the same time. */
	readonly isShared?: boolean;
	open(): Promise<Box>;
}

/** What --dry-run has to say and leave alone, whatever builds. */
export function testDryRuns({ builder, isShared = false, open }: DryRunTests): void {
	let box: Box;
	let directory: string;
	let cache: string;
	before(async () => {
		box = await open();
		directory = mkdtempSync(join(tmpdir(), "rbuild-dry-"));
		cache = join(directory, "cache");
		mkdirSync(cache);
	});
	after(async () => {
		await removeImage(box.engine, "dry-run-test", signal).catch(() => {});
		await box[Symbol.asyncDispose]();
		rmSync(directory, { recursive: true, force: true });
	});

	function context(files: Readonly<Record<string, string>>): string {
		const root = mkdtempSync(join(directory, "context-"));
		for (const [name, content] of Object.entries(files)) {
			mkdirSync(dirname(join(root, name)), { recursive: true });
			writeFileSync(join(root, name), content);
		}
		return root;
	}

	const runOn = (machine: string, root: string, ...flags: string[]) =>
		rbuild([root, "-t", "dry-run-test", ...box.flags, ...flags], {
			env: { XDG_CACHE_HOME: machine },
		});
	const run = (root: string, ...flags: string[]) => runOn(cache, root, ...flags);

	const copying = {
		Dockerfile: `FROM ${BASE_IMAGE}\nCOPY . /c\n`,
		".dockerignore": "ignored\n",
		"a/one": "1".repeat(1000),
		"a/two": "2".repeat(3000),
		"ignored/x": "x".repeat(500),
	};

	test("says where, with what and of what an image would be made", async () => {
		const { code, stdout, stderr } = await run(context(copying), "--dry-run", "--push");
		assert.equal(code, 0, stderr);
		assert.match(stdout, new RegExp(`^where    ${box.on} \\(--on\\), ssh, \\w+`, "m"));
		assert.match(stdout, new RegExp(`^engine   .*\\(${builder}\\) on linux/`, "m"));
		assert.match(stdout, /^image {4}dry-run-test:latest$/m);
		assert.match(
			stdout,
			/^context {2}\S+ \(Dockerfile\), 4 files, 4\.\d+ kB, 1 file, 500 B ignored$/m,
		);
		assert.match(stdout, /^then {5}pushing to dry-run-test:latest$/m);
		assert.match(stdout, /^nothing was sent, built or kept$/m);
	});

	test("leaves the box and this machine as they are", async () => {
		const root = context(copying);
		assert.equal((await run(root, "--transfer", builder === "buildkit" ? "sync" : "tar")).code, 0);
		writeFileSync(join(root, "a/new"), "new");
		const state = async () => [isShared ? "unknown" : await stateOf(box), filesIn(cache)];
		const before = await state();
		for (const flags of [[], ["--progress", "json"], ["-q"], ["--transfer", "tar"]]) {
			const { code, stderr } = await run(root, "--dry-run", ...flags);
			assert.equal(code, 0, stderr);
		}
		assert.deepEqual(await state(), before);
	});

	test("is one event in JSON, after which nothing comes", async () => {
		const finished = await run(context(copying), "--dry-run", "--progress", "json");
		assert.equal(finished.code, 0);
		assert.equal(finished.stdout, "");
		const report = reportOf(finished);
		assert.deepEqual(report.tags, ["dry-run-test:latest"]);
		assert.equal(report.box?.engine.builder, builder);
		assert.deepEqual(report.context?.ignored, { files: 1, bytes: 500, complete: true });
	});

	test("says that a tar would have all of it", async () => {
		const finished = await run(
			...([context(copying), "--dry-run", "--transfer", "tar", "--progress", "json"] as const),
		);
		const { context: totals, transfer } = reportOf(finished);
		assert.equal(transfer?.transfer, "tar");
		const { files = 0, bytes = 0 } = totals ?? {};
		assert.deepEqual(transfer?.upload, { files, bytes, atMost: false });
	});

	test("shows this side, and ends as the build would, where the box cannot be reached", async () => {
		const root = context(copying);
		const nowhere = `unix://${join(directory, "nowhere.sock")}`;
		const { code, stdout, stderr } = await rbuild([root, "--on", nowhere, "--dry-run"]);
		assert.equal(code, 4, stderr);
		assert.match(stdout, /^engine {3}unknown: the box was not reached$/m);
		assert.match(stdout, /^context {2}.* 4 files/m);
		assert.match(stderr, /^error: .*nowhere\.sock/m);
	});

	test("fails as the build would for what the box cannot do", async () => {
		const { code, stdout, stderr } = await run(
			context(copying),
			"--dry-run",
			"--platform",
			"linux/s390x",
		);
		assert.equal(code, 5, stderr);
		assert.match(
			stdout,
			new RegExp(`^engine   docker .*\\(${builder}\\).*, for linux/s390x$`, "m"),
		);
		assert.match(stdout, /^context {2}.* 4 files/m);
		assert.match(stderr, /cannot run linux\/s390x natively/);
	});

	test("tells of credentials that would be sent, and ends as the build would", async () => {
		const root = context({ ...copying, ".env": "API_TOKEN=q7Zr4wVx0Lm\n" });
		const found = /the build context holds what looks like credentials: \.env:1/;
		const told = await run(root, "--dry-run");
		assert.equal(told.code, 0, told.stderr);
		assert.match(told.stderr, found);
		const denied = await run(root, "--dry-run", "--secrets", "deny");
		assert.equal(denied.code, 3, denied.stderr);
		assert.match(denied.stderr, found);
		const silent = await run(root, "--dry-run", "--secrets", "off");
		assert.doesNotMatch(silent.stderr, found);
	});

	test("takes a Dockerfile on standard input, of a context or alone", async () => {
		const given = await rbuild([context(copying), "-f", "-", "--dry-run", ...box.flags], {
			input: `FROM ${BASE_IMAGE}\n`,
		});
		assert.equal(given.code, 0, given.stderr);
		assert.match(given.stdout, /^context {2}\S+ \(stdin\), /m);
		const { code, stdout, stderr } = await rbuild(["-", "--dry-run", ...box.flags], {
			input: `FROM ${BASE_IMAGE}\n`,
		});
		assert.equal(code, 0, stderr);
		assert.match(stdout, /^send {5}all of it$/m);
	});

	if (builder === "classic") return;

	test("asks the box what it was sent before, also from another clone", async () => {
		const root = context(copying);
		const sync = ["--transfer", "sync", "--context-key", `dry-${process.pid}-${Date.now()}`];
		const news = async (from: string, ...flags: string[]) => {
			const finished = await run(from, ...sync, "--dry-run", "--progress", "json", ...flags);
			return reportOf(finished).transfer?.upload;
		};
		assert.deepEqual(await news(root), { files: 4, bytes: sizeOf(copying), atMost: false });
		const built = await run(root, ...sync);
		assert.equal(built.code, 0, built.stderr);
		assert.deepEqual(await news(root), { files: 0, bytes: 0, atMost: false });
		writeFileSync(join(root, "a/two"), "3".repeat(3000));
		writeFileSync(join(root, "a/three"), "!");
		assert.deepEqual(await news(root), { files: 2, bytes: 3001, atMost: false });
		const clone = context({ ...copying, "a/four": "four" });
		rmSync(cache, { recursive: true });
		mkdirSync(cache);
		assert.deepEqual(await news(clone), { files: 1, bytes: 4, atMost: false });
		assert.deepEqual(await news(clone, "--no-context-index"), undefined);
		const taking = async (mount: string) => {
			const Dockerfile = `FROM ${BASE_IMAGE}\nCOPY a /a\nRUN --mount=type=${mount},target=/m true\n`;
			return (await news(context({ ...copying, Dockerfile, new: "new" })))?.atMost;
		};
		assert.deepEqual([await taking("cache"), await taking("tmpfs")], [true, false]);
	});

	test("tells that all is sent again, where the box's index was lost and another machine began one", async () => {
		const root = context(copying);
		const repository = `dry-${process.pid}-${Date.now()}`;
		const sync = ["--transfer", "sync", "--context-key", repository, "--progress", "json"];
		const [one, other] = [join(directory, "one"), join(directory, "other")];
		assert.equal((await runOn(one, root, ...sync)).code, 0);
		for (const [name] of await indexImages(box.engine, new RegExp(repository))) {
			await removeImage(box.engine, name, signal);
		}
		assert.equal((await runOn(other, context(copying), ...sync)).code, 0);
		const { transfer } = reportOf(await runOn(one, root, ...sync, "--dry-run"));
		assert.deepEqual(transfer?.upload, { files: 4, bytes: sizeOf(copying), atMost: false });
		const upload = eventsOf(await runOn(one, root, ...sync)).find(
			(event) => event.type === "upload" && event.status === "done",
		);
		assert.equal((upload as UploadEvent).bytes, sizeOf(copying));
	});
}

function eventsOf({ stderr }: Finished): readonly BuildEvent[] {
	return stderr
		.trim()
		.split("\n")
		.map((line) => JSON.parse(line) as BuildEvent);
}

function reportOf(finished: Finished): DryRunReport {
	const last = eventsOf(finished).at(-1);
	assert.equal(last?.type, "dry-run", finished.stderr);
	return last.report;
}

/** Images, containers and build cache, as the daemon tells of them: in any order. */
async function stateOf({ engine }: Box): Promise<readonly string[]> {
	const ask = async (path: string) =>
		(await engine.json({ method: "GET", path, signal })) as object;
	const { BuildCache } = (await ask("/system/df")) as { BuildCache: readonly object[] | null };
	const images = (await ask("/images/json")) as readonly object[];
	const containers = (await ask("/containers/json?all=1")) as readonly object[];
	return [...images, ...containers, ...(BuildCache ?? [])]
		.map((item) => JSON.stringify(item))
		.sort();
}

/** Every file in a folder, with its content. */
function filesIn(folder: string): Readonly<Record<string, string>> {
	const files: Record<string, string> = {};
	for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
		const path = join(entry.parentPath, entry.name);
		files[path] = entry.isFile() ? readFileSync(path, "base64") : "";
	}
	return files;
}

/** What is sent of it. */
function sizeOf({ "ignored/x": _ignored, ...files }: Readonly<Record<string, string>>): number {
	return Object.values(files).join("").length;
}
