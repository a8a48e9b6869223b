import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, suite, test } from "node:test";
import { listImages } from "../../src/engine/images.js";
import type { BuildEvent, BuildReport } from "../../src/events.js";
import { BASE_IMAGE } from "../support/base-image.js";
import { type Box, startBox } from "../support/box.js";
import { type CliOptions, finished, rbuild, startRbuild } from "../support/cli.js";
import { droppableLink } from "../support/droppable-link.js";
import { imageFile } from "../support/image-contents.js";
import { lab, labBox } from "../support/lab.js";
import { suiteWithDockerd } from "../support/requirement.js";

interface Kind {
	readonly open: () => Promise<Box>;
	readonly transfer: "tar" | "sync";
}

const MIB = 1024 * 1024;
const { signal } = new AbortController();

function testLostLink({ open, transfer }: Kind): void {
	let box: Box;
	let directory: string;
	before(async () => {
		box = await open();
		directory = mkdtempSync(join(tmpdir(), "rbuild-lost-"));
	});
	after(async () => {
		rmSync(directory, { recursive: true, force: true });
		await box[Symbol.asyncDispose]();
	});

	/** Large enough to be under way for a while, and never seen by the daemon before. */
	function context(dockerfile: readonly string[]): { root: string; content: string } {
		const root = mkdtempSync(join(directory, "context-"));
		const content = randomBytes(4 * MIB).toString("hex");
		writeFileSync(join(root, "Dockerfile"), [`FROM ${BASE_IMAGE}`, ...dockerfile].join("\n"));
		writeFileSync(join(root, "large"), content);
		return { root, content };
	}

	const flags = (...more: string[]) => ["--transfer", transfer, "--progress", "json", ...more];

	async function built(args: readonly string[], options?: CliOptions) {
		const { code, stderr } = await rbuild(args, options);
		return { code, stderr, events: stderr.trimEnd().split("\n").map(parsed) };
	}

	test("an upload that breaks off is done again over a new connection", async () => {
		await using link = await droppableLink(box);
		const { root, content } = context(["COPY large /large"]);
		link.dropAfter(2 * MIB, "up");
		const { code, stderr, events } = await built([root, "-t", "again", ...link.flags, ...flags()]);
		assert.equal(code, 0, stderr);
		assert.equal(link.connections, 2);
		const retries = events.filter((event) => event.type === "retry");
		assert.deepEqual(
			retries.map(({ attempt, retries }) => [attempt, retries]),
			[[1, 2]],
		);
		assert.match(retries[0]?.reason ?? "", /^lost the connection to testbox|labbox/);
		const report = reportOf(events);
		assert.equal(report.retries, 1);
		// Compressed, the text is half as long.
		assert.ok(report.wire.sent > 2 * MIB + content.length / 2, `${report.wire.sent} bytes`);
		assert.ok((await imageFile(box.engine, "again", "large")) === content);
	});

	test("a step that runs when the link breaks is run again, and what was done before is kept", async () => {
		await using link = await droppableLink(box);
		const { root } = context([
			"COPY large /large",
			"RUN --mount=type=secret,id=piped echo running; sleep 3; md5sum < /run/secrets/piped > /ran",
		]);
		// As a shell's <(…), it gives what it has once.
		const pipe = join(root, "pipe");
		execFileSync("mkfifo", [pipe]);
		const secret = ["--secret", `id=piped,src=${pipe}`];
		const child = startRbuild([root, "-t", "step", ...secret, ...link.flags, ...flags()]);
		const given = writeFile(pipe, root);
		assert.ok(child.stderr);
		for await (const line of createInterface({ input: child.stderr })) {
			if (parsed(line).type === "log") break;
		}
		link.drop();
		const { code, stderr } = await finished(child);
		assert.equal(code, 0, stderr);
		const copies = stderr.split("\n").filter((line) => line.includes("COPY large"));
		assert.ok(
			copies.some((line) => line.includes('"status":"cached"')),
			copies.join("\n"),
		);
		assert.equal(link.connections, 2);
		await given;
		const sum = execFileSync("md5sum", { input: root, encoding: "utf8" });
		assert.equal(await imageFile(box.engine, "step", "ran"), sum);
	});

	test("an image that breaks off while it is saved is fetched again", async () => {
		await using link = await droppableLink(box);
		const { root, content } = context(["COPY large /large"]);
		const file = join(directory, "image.tar");
		link.dropAfter(4 * MIB, "down");
		const args = [root, "-t", "saved", "--save", file, ...link.flags, ...flags()];
		const { code, stderr, events } = await built(args);
		assert.equal(code, 0, stderr);
		assert.equal(reportOf(events).retries, 1);
		assert.ok(lastLayerFile(file, "large") === content);
		const tags = (await listImages(box.engine, signal)).flatMap((image) => image.tags);
		assert.deepEqual(
			tags.filter((tag) => tag.includes("/rbuild/")),
			[],
		);
	});

	/** A file in the last layer of a docker archive. */
	function lastLayerFile(archive: string, path: string): string {
		const folder = mkdtempSync(join(directory, "saved-"));
		const untar = (file: string) => execFileSync("tar", ["-xf", file, "-C", folder]);
		untar(archive);
		const [{ Layers }] = JSON.parse(readFileSync(join(folder, "manifest.json"), "utf8"));
		untar(join(folder, Layers.at(-1)));
		return readFileSync(join(folder, path), "utf8");
	}

	test("files that break off while they come are made and sent again", async () => {
		await using link = await droppableLink(box);
		const { root, content } = context(["COPY large /large"]);
		const out = join(directory, "out");
		link.dropAfter(4 * MIB, "down");
		const args = [root, "-o", out, ...link.flags, ...flags()];
		const { code, stderr, events } = await built(args);
		assert.equal(code, 0, stderr);
		assert.equal(reportOf(events).retries, 1);
		assert.ok(readFileSync(join(out, "large"), "utf8") === content);
		assert.deepEqual(
			readdirSync(out).filter((name) => name.startsWith(".")),
			[],
		);
	});

	test("a link that breaks between the login and the first answer is made anew", async () => {
		await using link = await droppableLink(box, { delayMs: 50 });
		const { root } = context(["COPY large /large"]);
		const child = startRbuild([root, "-t", "early", ...link.flags, ...flags()]);
		assert.ok(child.stderr);
		for await (const line of createInterface({ input: child.stderr })) {
			const event = parsed(line);
			if (event.type === "reach" && event.step === "login") break;
		}
		link.drop();
		const { code, stderr } = await finished(child);
		assert.equal(code, 0, stderr);
		assert.equal(link.connections, 2);
		assert.match(stderr, /"type":"retry"[^\n]*"reason":"lost the connection to /);
	});

	test("with --retries 0 the loss is the end", async () => {
		await using link = await droppableLink(box);
		const { root } = context(["COPY large /large"]);
		link.dropAfter(MIB, "up");
		const { code, events } = await built([root, ...link.flags, ...flags("--retries", "0")]);
		assert.equal(code, 4);
		assert.equal(link.connections, 1);
		const error = events.at(-1) as unknown as { type: string; message: string };
		assert.equal(error.type, "error");
		assert.match(error.message, /lost the connection/);
	});
}

function parsed(line: string): BuildEvent {
	return JSON.parse(line);
}

function reportOf(events: readonly BuildEvent[]): BuildReport {
	const done = events.at(-1);
	assert.equal(done?.type, "done");
	return done.report;
}

const kinds = ["tar", "sync"] as const;
suiteWithDockerd("a lost link to docker 20.10", () => {
	for (const transfer of kinds) {
		suite(`with --transfer ${transfer}`, () => testLostLink({ open: () => startBox(), transfer }));
	}
});

const here = lab();
suite("a lost link to docker 28.5", { skip: here ? false : "there is no lab" }, () => {
	if (here === undefined) return;
	const open = () => labBox(here.host, here.localDockerSocket, here.sshConfigFile);
	for (const transfer of kinds) {
		suite(`with --transfer ${transfer}`, () => testLostLink({ open, transfer }));
	}
});

suiteWithDockerd("a lost link while an archive is passed on", () => {
	test("is the end, as the archive cannot be read again", async () => {
		await using box = await startBox();
		await using link = await droppableLink(box);
		link.dropAfter(MIB, "up");
		const input = randomBytes(8 * MIB);
		// A gzip header: what follows is the daemon's to look into.
		input.set([0x1f, 0x8b, 0x08]);
		const { code, stderr } = await rbuild(["-", ...link.flags], { input });
		assert.equal(code, 4, stderr);
		assert.match(stderr, /lost the connection/);
		assert.equal(link.connections, 1);
	});
});
