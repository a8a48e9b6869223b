import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
	existsSync,
	lstatSync,
	mkdirSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	rmSync,
	writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { buffer, text } from "node:stream/consumers";
import { after, before, test } from "node:test";
import { inspectImage, removeImage } from "../../src/engine/images.js";
import type { BuildEvent, BuildReport } from "../../src/events.js";
import { BASE_IMAGE } from "../support/base-image.js";
import type { Box } from "../support/box.js";
import { finished, rbuild, startRbuild } from "../support/cli.js";

const signal = new AbortController().signal;

export interface OutputPeer {
	readonly transfer: "sync" | "tar";
	/** Whether the daemon makes several things of one build. */
	readonly several: boolean;
	open(): Promise<Box>;
}

/** Files of every kind, odd names, modes and times. */
const FILES = `
mkdir -p /o/empty /o/read-only/below '/o/a b' /o/sticky
cd /o
echo one > file; chmod 640 file; ln file hard; ln -s /etc/passwd absolute; ln -s file relative
echo two > read-only/below/file; chmod 444 read-only/below/file; chmod 555 read-only; chmod 1777 sticky
echo odd > 'a b/é "quoted"'; printf x > "$(printf 'new\\nline')"; echo > -dash
touch -d '2001-02-03 04:05:06' file empty; touch -h -d '2001-02-03 04:05:06' relative
`;

const LISTING = [
	"-rw-r--r-- ./-dash",
	"-rw-r----- ./file",
	'-rw-r--r-- ./a b/é "quoted"',
	"-rw-r--r-- ./new\\nline",
	"-r--r--r-- ./read-only/below/file",
	"dr-xr-xr-x ./read-only/",
	"drwxr-xr-x ./",
	"drwxr-xr-x ./a b/",
	"drwxr-xr-x ./empty/",
	"drwxr-xr-x ./read-only/below/",
	"drwxrwxrwx ./sticky/",
	"hrw-r----- ./hard link to ./file",
	"lrwxrwxrwx ./absolute -> /etc/passwd",
	"lrwxrwxrwx ./relative -> file",
].sort();

/** What rbuild makes of a build other than an image; to be called within a suite. */
export function testOutputs(peer: OutputPeer): void {
	let box: Box;
	let directory: string;
	let root: string;
	let flags: readonly string[];

	before(async () => {
		box = await peer.open();
		flags = [...box.flags, "--transfer", peer.transfer];
		directory = mkdtempSync(join(tmpdir(), "rbuild-outputs-"));
		root = context(`FROM ${BASE_IMAGE} AS made\nCOPY make /\nRUN sh -e /make\n`, "made", FILES);
	});
	after(async () => {
		rmSync(directory, { recursive: true, force: true });
		await box[Symbol.asyncDispose]();
	});

	function context(dockerfile: string, stage: string, script = ""): string {
		const folder = mkdtempSync(join(directory, "context-"));
		writeFileSync(
			join(folder, "Dockerfile"),
			`${dockerfile}FROM scratch\nCOPY --from=${stage} /o /\n`,
		);
		writeFileSync(join(folder, "make"), script);
		return folder;
	}

	function listing(folder: string): string[] {
		const tar = execFileSync("tar", ["-C", folder, "-c", "."]);
		const lines = execFileSync("tar", ["-tv"], { input: tar, encoding: "utf8" });
		return withoutTimes(lines);
	}

	async function build(...args: string[]) {
		const result = await rbuild([root, ...args, ...flags]);
		assert.equal(result.code, 0, result.stderr);
		return result;
	}

	test("puts the files into a folder, and says where and how much came back", async () => {
		const out = join(directory, "new/out");
		const metadata = join(directory, "metadata.json");
		const { stderr } = await build("-o", out, "-t", "not-used", "--metadata-file", metadata);
		assert.deepEqual(listing(out), LISTING);
		assert.equal(lstatSync(join(out, "file")).mtimeMs, Date.UTC(2001, 1, 3, 4, 5, 6));
		assert.equal(lstatSync(join(out, "empty")).mtimeMs, Date.UTC(2001, 1, 3, 4, 5, 6));
		assert.equal(lstatSync(join(out, "relative")).mtimeMs, Date.UTC(2001, 1, 3, 4, 5, 6));
		assert.equal(lstatSync(join(out, "file")).uid, process.getuid?.() ?? 0);
		assert.match(stderr, /exported to \S+new\/out \([0-9.]+ kB\)$/m);
		const report = JSON.parse(readFileSync(metadata, "utf8")) as BuildReport;
		assert.equal(report.imageId, undefined);
		assert.deepEqual(report.tags, []);
		const [delivery] = report.deliveries;
		assert.deepEqual([delivery?.method, delivery?.destination], ["export", out]);
		assert.ok(delivery && delivery.bytes > 10_000, JSON.stringify(delivery));
		await assert.rejects(inspectImage(box.engine, "not-used", signal));

		// Once more over what is there, which is read-only in places.
		writeFileSync(join(out, "mine"), "kept");
		writeFileSync(join(out, "file"), "edited");
		await build("--output", `type=local,dest=${out}`);
		assert.equal(readFileSync(join(out, "file"), "utf8"), "one\n");
		assert.equal(readFileSync(join(out, "mine"), "utf8"), "kept");
		assert.equal(listing(out).length, LISTING.length + 1);
	});

	test("writes a tar with everything, to a file or the standard output", async () => {
		const child = startRbuild([root, "-o", "-", "-q", ...flags]);
		const [stdout, stderr] = await Promise.all([
			buffer(child.stdout ?? assert.fail()),
			text(child.stderr ?? assert.fail()),
		]);
		assert.equal(stderr, "");
		const lines = withoutTimes(execFileSync("tar", ["-tv"], { input: stdout, encoding: "utf8" }));
		// One is the folder itself.
		assert.equal(lines.length, LISTING.length - 1);
		assert.ok(lines.includes("drwxrwxrwt sticky/"), lines.join("\n"));

		for (const output of ["type=tar,dest=a.tar", "b.tar"]) {
			const { stderr } = await rbuild([root, "-o", output, ...flags], { cwd: directory });
			const file = join(directory, output.replace(/.*=/, ""));
			assert.deepEqual(readFileSync(file), stdout, stderr);
		}
	});

	test("leaves devices and pipes out of a folder, and says so", async () => {
		const devices = context("", BASE_IMAGE);
		writeFileSync(
			join(devices, "Dockerfile"),
			`FROM ${BASE_IMAGE}\nRUN mkdir /o && mknod /o/null c 1 3 && mkfifo /o/pipe && echo > /o/file\n`,
		);
		const out = join(directory, "devices");
		const { code, stderr } = await rbuild([devices, "-o", out, ...flags]);
		assert.equal(code, 0, stderr);
		assert.match(stderr, /^warning: skipped "o\/null" and 1 more/m);
		assert.deepEqual(readdirSync(join(out, "o")), ["file"]);
	});

	test("prints nothing with -q where there is no image", async () => {
		const { stdout, stderr } = await build("-q", "-o", join(directory, "quiet"));
		assert.deepEqual([stdout, stderr], ["", ""]);
	});

	test("fills the build cache alone with type=cacheonly", async () => {
		const args = [root, "-o", "type=cacheonly", "-t", "outputs:none", ...box.flags];
		const { code, stdout, stderr } = await rbuild([...args, "-q"]);
		assert.deepEqual([code, stdout], [0, ""], stderr);
		await assert.rejects(inspectImage(box.engine, "outputs:none", signal), /outputs:none/);
	});

	test("saves and names an image as --save and -t do", async () => {
		const file = join(directory, "docker.tar");
		await build("-o", `type=docker,dest=${file},name=outputs:saved`);
		assert.match(
			execFileSync("tar", ["-xOf", file, "manifest.json"], { encoding: "utf8" }),
			/outputs:saved/,
		);
		await build("-o", "type=image,name=outputs:kept");
		const { id } = await inspectImage(box.engine, "outputs:kept", signal);
		assert.equal((await inspectImage(box.engine, "outputs:saved", signal)).id, id);
		await removeImage(box.engine, "outputs:saved", signal);
		await removeImage(box.engine, "outputs:kept", signal);
	});

	test("makes several things of one build, or says beforehand that it cannot", async () => {
		const places = [join(directory, "several"), join(directory, "several.tar")];
		const outputs = places.flatMap((place) => ["-o", place]);
		const { code, stderr } = await rbuild(
			[root, ...outputs, "-t", "outputs:several", "--load", ...flags],
			{ env: { DOCKER_HOST: `unix://${box.socketPath}` } },
		);
		if (peer.several && peer.transfer === "sync") {
			assert.equal(code, 0, stderr);
			assert.deepEqual(listing(places[0] ?? ""), LISTING);
			assert.ok(existsSync(places[1] ?? ""));
			await removeImage(box.engine, "outputs:several", signal);
		} else {
			assert.match(stderr, /^error: .*more than one output (came with 26.0|cannot be used)/m);
			assert.doesNotMatch(stderr, /upload/);
			assert.ok(!places.some((place) => existsSync(place)));
		}
	});

	test("refuses an OCI archive before anything is sent, and names --save", async () => {
		const { code, stderr } = await rbuild([root, "-o", "type=oci,dest=x.tar", ...flags]);
		assert.equal(code, 5);
		assert.match(
			stderr,
			/^error: .* lacks the containerd image store, which --output type=oci needs$/m,
		);
		assert.match(stderr, /^hint: --save FILE/m);
		assert.doesNotMatch(stderr, /upload/);
	});

	test("refuses a folder it cannot write to before anything is sent", async () => {
		const closed = join(directory, "closed");
		mkdirSync(closed, { mode: 0o555 });
		const { code, stderr } = await rbuild([root, "-o", join(closed, "out"), ...box.flags], {
			obeysModes: true,
		});
		assert.equal(code, 6, stderr);
		assert.match(stderr, /^error: cannot save to \S+closed\/out: permission denied$/m);
		assert.doesNotMatch(stderr, /upload|connected/);
	});

	test("leaves what is there when the build fails", async () => {
		const out = join(directory, "failed");
		const failing = context(`FROM ${BASE_IMAGE} AS made\nRUN exit 3\n`, "made");
		const { code } = await rbuild([failing, "-o", out, ...flags]);
		assert.equal(code, 1);
		assert.ok(!existsSync(out));
	});

	test("leaves no half of it at Ctrl-C", async () => {
		const large = context(`FROM ${BASE_IMAGE} AS made\nRUN mkdir /o\n`, "made");
		writeFileSync(
			join(large, "Dockerfile"),
			`FROM ${BASE_IMAGE}\nRUN echo first > /a; truncate -s 8G /large\n`,
		);
		for (const name of ["half", "half.tar"]) {
			const place = mkdtempSync(join(directory, "interrupted-"));
			const child = startRbuild([large, "-o", join(place, name), "--progress", "json", ...flags]);
			const result = finished(child);
			for await (const line of createInterface({ input: child.stderr ?? assert.fail() })) {
				const event = JSON.parse(line) as BuildEvent;
				if (event.type === "deliver" && event.bytes > 8 * 2 ** 20) break;
			}
			child.kill("SIGINT");
			assert.equal((await result).code, 130);
			assert.deepEqual(readdirSync(place), []);
		}
	});

	test("says why where the disk is full, and leaves nothing", async () => {
		const { code, stderr } = await rbuild([root, "-o", "type=tar,dest=/dev/full", ...flags]);
		assert.equal(code, 6, stderr);
		assert.match(stderr, /^error: cannot save to \/dev\/full: no space left on the disk$/m);
		assert.doesNotMatch(stderr, /^warning: the daemon asked/m);
	});

	test("refuses what does not go together", async () => {
		for (const [args, message] of [
			[["-o", "out", "--iidfile", "id"], /--iidfile needs an image/],
			[["-o", "type=docker,dest=-", "-q"], /--output - and -q both write/],
			[["-o", "type=zip"], /--output type=zip is not supported/],
		] as const) {
			const { code, stderr } = await rbuild([root, ...args, ...flags], { cwd: directory });
			assert.equal(code, 2);
			assert.match(stderr, message);
		}
	});
}

/** As `tar -tv` shows it, without owners, sizes and times; sorted. */
function withoutTimes(lines: string): string[] {
	return lines
		.trimEnd()
		.split("\n")
		.map((line) => line.replace(/^(\S+) \S+ +\S+ \S+ \S+ /, "$1 "))
		.map((line) =>
			line.replace(/\\(\d{3})\\(\d{3})/g, (_, a, b) => bytes(a, b)).replaceAll('\\"', '"'),
		)
		.sort();
}

/** GNU tar writes what is not ASCII in octal, where the locale is C. */
function bytes(...octal: string[]): string {
	return Buffer.from(octal.map((digits) => Number.parseInt(digits, 8))).toString("utf8");
}
