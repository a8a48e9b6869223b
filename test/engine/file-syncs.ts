import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
	chmodSync,
	mkdirSync,
	mkdtempSync,
	rmSync,
	truncateSync,
	utimesSync,
	writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { readBuildOutput } from "../../src/build/output/build-output.js";
import type { CopyProgress } from "../../src/buildkit/file-sync/diff-copy.js";
import { fileSyncService } from "../../src/buildkit/file-sync/file-sync.js";
import { newSessionId, openSession } from "../../src/buildkit/session.js";
import { processEnvironment } from "../../src/cli/process/process-environment.js";
import { openDirectoryContext } from "../../src/context/thread/directory-context.js";
import { buildImage } from "../../src/engine/build-request.js";
import { connectEngine } from "../../src/engine/connect-engine.js";
import type { Engine } from "../../src/engine/engine.js";
import { inspectImage, removeImage } from "../../src/engine/images.js";
import type { BuildEvent, UploadEvent } from "../../src/events.js";
import { parseTarget } from "../../src/target/parse-target.js";
import { openTransport, readTransportSettings } from "../../src/transport/open-transport.js";
import { noCompression, type StreamCompression } from "../../src/transport/stream-compression.js";
import { BASE_IMAGE } from "../support/base-image.js";
import type { Box } from "../support/box.js";
import { finished, rbuild, startRbuild } from "../support/cli.js";
import { droppableLink } from "../support/droppable-link.js";
import { imageFile, imageListing } from "../support/image-contents.js";

const signal = new AbortController().signal;

/** What a transfer that sends only what changed has to do beside what any transfer does. */
export function testFileSync(open: () => Promise<Box>): void {
	let box: Box;
	let directory: string;
	let flags: readonly string[];

	before(async () => {
		box = await open();
		directory = mkdtempSync(join(tmpdir(), "rbuild-sync-"));
		flags = [...box.flags, "--transfer", "sync"];
	});
	after(async () => {
		rmSync(directory, { recursive: true, force: true });
		await box[Symbol.asyncDispose]();
	});

	function context(files: Readonly<Record<string, string>>): string {
		const root = mkdtempSync(join(directory, "context-"));
		for (const [name, content] of Object.entries(files)) write(root, name, content);
		return root;
	}

	/** Builds and tells what was sent of the context. */
	async function upload(...args: string[]): Promise<UploadEvent> {
		return (await build(...args)).upload;
	}

	const build = (...args: string[]) => buildBy(...args, ...flags);

	async function buildBy(...args: string[]) {
		const { code, stderr } = await rbuild([...args, "--progress", "json"]);
		assert.equal(code, 0, stderr);
		const events = stderr
			.trimEnd()
			.split("\n")
			.map((line) => JSON.parse(line) as BuildEvent);
		const done = events.filter((event) => event.type === "upload" && event.status === "done");
		assert.equal(done.length, 1, stderr);
		return {
			upload: done[0] as UploadEvent,
			sentFiles: events.filter((event) => event.type === "sent-file").map(({ path }) => path),
			report: events.find((event) => event.type === "done")?.report.upload ?? assert.fail(stderr),
		};
	}

	/** The daemon's copies of directories, which what is synced next is compared with; by their ids. */
	async function copies(): Promise<string[]> {
		const usage = await box.engine.json({ method: "GET", path: "/system/df", signal });
		const { BuildCache: records } = usage as { BuildCache: { ID: string; Type: string }[] };
		return records.filter(({ Type: type }) => type === "source.local").map(({ ID: id }) => id);
	}

	async function arePruned(ids: readonly string[]): Promise<boolean> {
		const left = new Set(await copies());
		return !ids.every((id) => left.has(id));
	}

	test("makes the image that the tar makes, layer for layer", async () => {
		const root = context({
			Dockerfile: `FROM ${BASE_IMAGE}\nCOPY . /c\n`,
			".dockerignore": "**/*.log\n!d/keep.log\nDockerfile\nle\u{301}gume\n",
			"a/b": "1",
			"a-b": "2",
			"a.b": "3",
			"a/c/d": "4",
			"d/drop.log": "5",
			"d/keep.log": "6",
			"only/ignored.log": "7",
			"le\u{301}gume/file": "8",
			"é/file": "9",
		});
		execFileSync(
			"sh",
			[
				"-ec",
				`mkdir empty sticky; chmod 1777 sticky; chmod 4755 a/b; chmod 2711 a-b; chmod 0 a.b
				ln a/c/d hard; ln a/c/d z-hard; ln d/drop.log first; ln -s ../hard a/link; ln -s /none dangling
				mkfifo fifo; find . -exec touch -h -d @1700000000.5 {} +`,
			],
			{ cwd: root },
		);
		await upload(root, "-t", "synced");
		const { code, stderr } = await rbuild([
			root,
			...box.flags,
			"--transfer",
			"tar",
			"-t",
			"packed",
		]);
		assert.equal(code, 0, stderr);
		const synced = await imageListing(box.engine, "synced", "/c");
		// BuildKit takes nothing out of a tar, where the Dockerfile has to be.
		const packed = await imageListing(box.engine, "packed", "/c");
		const withoutDockerfile = packed.filter((line) => !line.endsWith(" c/Dockerfile"));
		assert.deepEqual(synced, withoutDockerfile);
		assert.ok(
			synced.some((line) => line.endsWith("c/z-hard link to c/a/c/d")),
			synced.join("\n"),
		);
		// BuildKit of 20.10 copies no fifo.
		assert.equal(synced.filter((line) => !line.startsWith("p")).length, 20);
	});

	test("sends nothing of what the daemon has, and what changed since", async () => {
		const root = context({
			Dockerfile: `FROM ${BASE_IMAGE}\nCOPY src /c\n`,
			"src/same": "s".repeat(1000),
			"src/edited": "before",
			"src/gone": "x",
			"src/directory/file": "x",
			"other/never-wanted": "n".repeat(1000),
		});
		const others = new Set(await copies());
		const first = await upload(root, "-t", "changes");
		assert.deepEqual([first.files, first.bytes], [4, 1000 + 6 + 1 + 1]);
		const made = (await copies()).filter((id) => !others.has(id));

		let second = await upload(root, "-t", "changes");
		// Others use the lab, too, and prune its cache: then, and only then, all of it is sent again.
		while (second.bytes > 0 && (await arePruned(made))) {
			second = await upload(root, "-t", "changes");
		}
		assert.deepEqual([second.files, second.bytes], [0, 0]);

		write(root, "src/edited", "after!");
		rmSync(join(root, "src/gone"));
		rmSync(join(root, "src/directory"), { recursive: true });
		write(root, "src/directory", "a file now");
		write(root, "src/new/file", "new");
		const third = await upload(root, "-t", "changes");
		assert.deepEqual([third.files, third.bytes], [3, 6 + 10 + 3]);
		assert.deepEqual(await imageListing(box.engine, "changes", "/c"), [
			"-rw-r--r-- c/directory",
			"-rw-r--r-- c/edited",
			"-rw-r--r-- c/new/file",
			"-rw-r--r-- c/same",
			"drwxr-xr-x c/",
			"drwxr-xr-x c/new/",
		]);
		assert.equal(await imageFile(box.engine, "changes", "/c/edited"), "after!");
	});

	test("names the one file that changed, and counts the others as already there", async () => {
		const root = context({
			Dockerfile: `FROM ${BASE_IMAGE}\nCOPY src /c\n`,
			"src/same": "s".repeat(1000),
			"src/deep/same": "t".repeat(500),
			"src/edited": "before",
			"other/never-wanted": "n".repeat(1000),
		});
		execFileSync("ln", [join(root, "src/same"), join(root, "src/z-linked")]);
		const first = await build(root, "-t", "one-change");
		assert.deepEqual(first.sentFiles.toSorted(), ["src/deep/same", "src/edited", "src/same"]);
		assert.deepEqual([first.report.files, first.report.bytes], [3, 1506]);
		assert.deepEqual(first.report.alreadyThere, { files: 0, bytes: 0 });

		// Others use the lab, too: a daemon that has just thrown its copy away gets all of it again.
		let changed = first;
		for (let edit = 0; edit < 3 && changed.sentFiles.length > 1; edit++) {
			write(root, "src/edited", `edited ${edit}`);
			changed = await build(root, "-t", "one-change");
		}
		assert.deepEqual(changed.sentFiles, ["src/edited"]);
		const { transfer, files, bytes, alreadyThere, sentBytes } = changed.report;
		assert.deepEqual([transfer, files, bytes], ["sync", 1, 8]);
		assert.deepEqual(alreadyThere, { files: 2, bytes: 1500 });
		assert.equal(sentBytes, changed.upload.sentBytes);
	});

	/** Syncs what shrinks and what does not, and looks whether it came. */
	async function sendCompressible(
		engine: Engine,
		compressStream: () => StreamCompression,
	): Promise<{ readonly text: string; readonly sent: CopyProgress }> {
		const text = "It was the best of times, it was the worst of times. ".repeat(10_000);
		const noise = randomBytes(200_000).toString("base64url").slice(0, 200_000);
		const root = context({
			Dockerfile: `FROM ${BASE_IMAGE}\nCOPY . /c\n`,
			text,
			noise,
			...Object.fromEntries(
				Array.from({ length: 50 }, (_, at) => [`small/${at}`, text.slice(at, 2 * at * at)]),
			),
		});
		const options = { root, keep: [], platform: "linux" } as const;
		await using directory = openDirectoryContext(options, signal);
		let last: CopyProgress | undefined;
		const run = { signal, emit: () => {} };
		const files = fileSyncService({
			directories: new Map(["context", "dockerfile"].map((name) => [name, directory])),
			isFar: true,
			compressStream,
			onTransfer: () => ({
				progress: (progress) => {
					last = progress;
				},
				done: () => {},
				failed: (error) => assert.fail(error),
			}),
		});
		const names = { name: "compressed", sharedKey: randomBytes(8).toString("hex") };
		const sessionId = newSessionId();
		await using _session = await openSession(
			engine,
			{ id: sessionId, services: [files], ...names },
			run,
		);
		// BuildKit's word for what the session gives the daemon when it asks.
		const request = { sessionId, context: { kind: "remote", url: "client-session" } } as const;
		const output = buildImage(engine, request, signal);
		const { imageId = assert.fail() } = await readBuildOutput(output, undefined, run);
		assert.equal(await imageFile(box.engine, imageId, "/c/text"), text);
		assert.equal(await imageFile(box.engine, imageId, "/c/noise"), noise);
		assert.equal(await imageFile(box.engine, imageId, "/c/small/30"), text.slice(30, 1800));
		await removeImage(box.engine, imageId, signal);
		return { text, sent: last ?? assert.fail() };
	}

	test("compresses on the way to a daemon that takes gzip, and to no other", async () => {
		const { text, sent } = await sendCompressible(box.engine, noCompression);
		const { savedBytes, sentBytes, bytes } = sent;
		if (box.engine.facts.version.startsWith("20.")) {
			assert.equal(savedBytes, 0);
		} else {
			assert.ok(savedBytes > 0.9 * text.length, String(savedBytes));
			assert.ok(sentBytes < bytes / 2, String(sentBytes));
		}
	});

	test("has ssh compress on the way to any daemon", async () => {
		const chosen = { target: parseTarget(box.on), chosenBy: "--on" };
		const { sshConfigFile } = box;
		const environment = { ...processEnvironment(sshConfigFile), sshClient: "builtin" } as const;
		const settings = readTransportSettings(chosen, environment, signal);
		await using transport = await openTransport(chosen, settings, signal);
		await using engine = await connectEngine(transport, signal);
		const before = transport.wire.sent;
		const { text, sent } = await sendCompressible(engine, () => transport.compress());
		const { savedBytes, sentBytes, bytes } = sent;
		assert.ok(savedBytes > 0.9 * text.length, String(savedBytes));
		assert.equal(Math.abs(sentBytes + savedBytes - bytes) < 20_000, true, JSON.stringify(sent));
		assert.ok(transport.wire.sent - before < bytes / 2);
	});

	test("sends the same over a long way", async () => {
		const names = Array.from({ length: 200 }, (_, at) => `src/${at % 7}/${at}`);
		const root = context({ Dockerfile: `FROM ${BASE_IMAGE}\nCOPY src /c\n` });
		for (const [at, name] of names.entries()) write(root, name, randomBytes(200 * at));
		await using link = await droppableLink(box, { delayMs: 15 });
		const { report } = await buildBy(root, "-t", "afar", "--transfer", "sync", ...link.flags);
		assert.deepEqual([report.transfer, report.files], ["sync", names.length]);
		await buildBy(root, "-t", "near", "--transfer", "tar", ...box.flags);
		const [afar, near] = await Promise.all(
			["afar", "near"].map((image) => inspectImage(box.engine, image, signal)),
		);
		assert.deepEqual(afar?.layers, near?.layers);
	});

	test("leaves hard links alone that are there already", async () => {
		const dockerfile = `FROM ${BASE_IMAGE}\nCOPY . /c\n`;
		const root = context({
			Dockerfile: dockerfile,
			".dockerignore": "Dockerfile\n.dockerignore\n",
			"a/file": "x",
		});
		execFileSync("sh", ["-c", "mkdir b; ln a/file b/link"], { cwd: root });
		for (let build = 0; build < 2; build++) {
			await upload(root, "-t", "links", "--no-cache");
			assert.deepEqual(await imageListing(box.engine, "links", "/c"), [
				"-rw-r--r-- c/a/file",
				"drwxr-xr-x c/",
				"drwxr-xr-x c/a/",
				"drwxr-xr-x c/b/",
				"hrw-r--r-- c/b/link link to c/a/file",
			]);
		}
	});

	test("takes another Dockerfile of the same size and time for another", async () => {
		const root = context({ Dockerfile: `FROM ${BASE_IMAGE}\nRUN echo 1 > /made\n` });
		await upload(root, "-t", "dockerfiles");
		assert.equal(await imageFile(box.engine, "dockerfiles", "/made"), "1\n");
		write(root, "Dockerfile", `FROM ${BASE_IMAGE}\nRUN echo 2 > /made\n`);
		utimesSync(join(root, "Dockerfile"), 1, 1);
		await upload(root, "-t", "dockerfiles");
		assert.equal(await imageFile(box.engine, "dockerfiles", "/made"), "2\n");
	});

	test("takes a Dockerfile that is too long to come with the request", async () => {
		const comment = `# ${randomBytes(15_000).toString("hex")}\n`;
		const dockerfile = `FROM ${BASE_IMAGE}\n${comment}COPY a /\n`;
		const root = context({ Dockerfile: dockerfile, ".dockerignore": "b", a: "1", b: "2" });
		assert.equal((await upload(root, "-t", "long-dockerfile")).files, 1);
		assert.equal(await imageFile(box.engine, "long-dockerfile", "a"), "1");
	});

	test("goes by the .dockerignore that belongs to the Dockerfile, in the context or not", async () => {
		const files = { ".dockerignore": "b\n", a: "", b: "" };
		for (const place of ["docker", ".."]) {
			const root = context({ "root/.keep": "", ...prefixed("root/", files) });
			const name = join(root, "root", place, "Prod");
			write(dirname(name), "Prod", `FROM ${BASE_IMAGE}\nCOPY . /c\n`);
			write(dirname(name), "Prod.dockerignore", "a\ndocker\n.*\n");
			await upload(join(root, "root"), "-f", name, "-t", "prod");
			assert.deepEqual(await imageListing(box.engine, "prod", "/c"), [
				"-rw-r--r-- c/b",
				"drwxr-xr-x c/",
			]);
		}
	});

	test("follows symlinks within the context, and never out of it", async () => {
		const root = context({
			Dockerfile: `FROM ${BASE_IMAGE}\nCOPY current/file /c/\n`,
			"versions/2/file": "followed",
			"versions/1/file": "not wanted",
		});
		execFileSync("ln", ["-s", "/versions/2", join(root, "current")]);
		const { files } = await upload(root, "-t", "followed");
		assert.equal(files, 1);
		assert.equal(await imageFile(box.engine, "followed", "/c/file"), "followed");

		for (const target of ["/etc/passwd", "../../../../../../etc/passwd"]) {
			const escaping = context({ Dockerfile: `FROM ${BASE_IMAGE}\nCOPY out /c\n` });
			execFileSync("ln", ["-s", target, join(escaping, "out")]);
			const { code, stderr } = await rbuild([escaping, ...flags]);
			assert.equal(code, 1, stderr);
			assert.match(stderr, /^error: .*not found|no such file/m);
		}
	});

	test("takes more rules of a .dockerignore than nghttp2 takes of headers", async () => {
		const others = Array.from(
			{ length: 10_000 },
			(_, at) => `a/folder/of/other/${at * 7919}/**/file`,
		);
		const rules = [...others, "some/folder/file-7", "some/folder/file-2999"];
		const root = context({
			Dockerfile: `FROM ${BASE_IMAGE}\nCOPY . /c\n`,
			".dockerignore": [...rules, "Dockerfile", ".dockerignore"].join("\n"),
			"some/folder/file-7": "",
			"some/folder/file-2999": "",
			"some/folder/file-3000": "",
		});
		await upload(root, "-t", "rules");
		assert.deepEqual(await imageListing(box.engine, "rules", "/c"), [
			"-rw-r--r-- c/some/folder/file-3000",
			"drwxr-xr-x c/",
			"drwxr-xr-x c/some/",
			"drwxr-xr-x c/some/folder/",
		]);
	});

	test("names a file that changes while it is sent", async () => {
		const root = context({ Dockerfile: `FROM ${BASE_IMAGE}\nCOPY . /c\n`, busy: "x" });
		let time = 1_600_000_000;
		const changes = setInterval(() => utimesSync(join(root, "busy"), time, time++), 1);
		const { code, stderr } = await rbuild([root, ...flags, "-t", "never"]);
		clearInterval(changes);
		assert.equal(code, 3, stderr);
		assert.match(stderr, /^error: busy changed while it was being read$/m);
		assert.doesNotMatch(stderr, /^warning/m);
		await assert.rejects(inspectImage(box.engine, "never", signal));
	});

	test("stops in the middle of a file at Ctrl-C", async () => {
		const root = context({ Dockerfile: `FROM ${BASE_IMAGE}\nCOPY . /c\n`, large: "" });
		truncateSync(join(root, "large"), 4 * 2 ** 30);
		const child = startRbuild([root, ...flags, "--progress", "json"]);
		const result = finished(child);
		for await (const line of createInterface({ input: child.stderr ?? assert.fail() })) {
			const event = JSON.parse(line) as BuildEvent;
			if (event.type === "upload" && event.bytes > 2 ** 20) break;
		}
		child.kill("SIGINT");
		assert.equal((await result).code, 130);
	});

	test("fails for what cannot be read only where the Dockerfile takes it", async () => {
		const root = context({ taken: "t", "pkg-a/file": "a", "pkg-b/file": "b", key: "k" });
		for (const name of ["pkg-b", "key"]) chmodSync(join(root, name), 0o000);
		const built = (copy: string, ...flags: string[]) => {
			write(root, "Dockerfile", `FROM ${BASE_IMAGE}\nCOPY ${copy} /c/\n`);
			return rbuild([root, ...flags, "-t", "rbuild-sync:locked"], { obeysModes: true });
		};
		// Small as it is, it would be a tar of all of it.
		for (const given of [flags, [...box.flags, "--no-minimal"]]) {
			const { code, stderr } = await built("taken pkg-a", ...given);
			assert.equal(code, 0, stderr);
			assert.deepEqual(await imageListing(box.engine, "rbuild-sync:locked", "/c"), [
				...["-rw-r--r-- c/file", "-rw-r--r-- c/taken", "drwxr-xr-x c/"],
			]);
			for (const [copy, named] of [
				[".", "pkg-b"],
				["pkg-b", "pkg-b"],
				["pkg*/file", "pkg-b"],
				["pkg-b/file", "pkg-b/file"],
			] as const) {
				const { code, stderr } = await built(copy, ...given);
				assert.equal(code, 3, stderr);
				const error = `error: cannot read ${named} in the build context: permission denied`;
				assert.ok(stderr.split("\n").includes(error), stderr);
				assert.match(stderr, /^hint: make it readable, or list it in \.dockerignore$/m);
			}
		}
		chmodSync(join(root, "pkg-b"), 0o755);
		await removeImage(box.engine, "rbuild-sync:locked", signal);
	});

	test("names a file whose name is not UTF-8, and what else to do", async () => {
		const root = context({ Dockerfile: `FROM ${BASE_IMAGE}\nCOPY . /c\n` });
		execFileSync("sh", ["-c", "printf x > \"$(printf 'caf\\351')\""], { cwd: root });
		const { code, stderr } = await rbuild([root, ...flags]);
		assert.equal(code, 3);
		assert.match(stderr, /^error: "caf\\udce9" has a name that is not UTF-8/m);
		assert.match(stderr, /^hint: .*--transfer tar/m);
		assert.equal((await rbuild([root, ...box.flags, "--transfer", "tar"])).code, 0);
		// So that the sync would be faster, if it could be.
		write(root, "large", randomBytes(2 ** 20));
		const { code: chosen, stderr: told } = await rbuild([root, ...box.flags]);
		assert.equal(chosen, 0, told);
	});

	test("is refused where there is only an archive to send", async () => {
		const { code, stderr } = await rbuild(["-", ...flags], { input: `FROM ${BASE_IMAGE}\n` });
		assert.equal(code, 2);
		assert.match(stderr, /^error: --transfer sync needs a directory/m);
	});
}

function write(root: string, name: string, content: string | Uint8Array): void {
	mkdirSync(dirname(join(root, name)), { recursive: true });
	writeFileSync(join(root, name), content);
}

function prefixed(prefix: string, files: Readonly<Record<string, string>>) {
	return Object.fromEntries(Object.entries(files).map(([name, text]) => [prefix + name, text]));
}
