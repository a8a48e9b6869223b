import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { BuildReport } from "../../src/events.js";
import { BASE_IMAGE } from "../support/base-image.js";
import { type Box, startBox } from "../support/box.js";
import { finished, rbuild, startRbuild } from "../support/cli.js";
import { startDockerd } from "../support/dockerd.js";
import { suiteWithDockerd } from "../support/requirement.js";

const MIB = 1024 * 1024;
const LAYER_BYTES = 4 * MIB;

suiteWithDockerd("an image that does not get to where it is wanted", () => {
	let box: Box;
	let directory: string;
	let context: string;
	let cache: string;

	before(async () => {
		box = await startBox();
		directory = mkdtempSync(join(tmpdir(), "rbuild-faults-"));
		context = join(directory, "context");
		cache = join(directory, "cache");
		mkdirSync(context);
		writeFileSync(join(context, "Dockerfile"), `FROM ${BASE_IMAGE}\nCOPY layer /\n`);
		writeFileSync(join(context, "layer"), randomBytes(LAYER_BYTES));
	});
	after(async () => {
		await box?.[Symbol.asyncDispose]();
		rmSync(directory, { recursive: true, force: true });
	});

	const build = (args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
		rbuild([context, "-t", "faulty", ...args, ...box.flags], {
			env: { XDG_CACHE_HOME: cache, ...env },
		});

	async function cacheIsUnharmed(): Promise<void> {
		assert.deepEqual(readdirSync(join(cache, "rbuild/images/incoming")), []);
		const { code, stdout } = await rbuild(["cache", "verify"], { env: { XDG_CACHE_HOME: cache } });
		assert.equal(code, 0);
		assert.match(stdout, /^\d+ blobs are intact\n$/);
	}

	/** What is left when the file system of a folder takes only one MiB. */
	async function withSmallDisk<Result>(work: (folder: string) => Promise<Result>) {
		const folder = mkdtempSync(join(directory, "small-"));
		execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", folder]);
		try {
			return { result: await work(folder), left: readdirSync(folder) };
		} finally {
			execFileSync("umount", [folder]);
		}
	}

	for (const [what, place] of [
		["a tar", (folder: string) => join(folder, "app.tar")],
		["a tar that is compressed", (folder: string) => join(folder, "app.tar.gz")],
		["an OCI tar", (folder: string) => `type=oci,dest=${join(folder, "app.tar")}`],
		["an OCI folder", (folder: string) => `type=oci,dest=${join(folder, "layout")}`],
	] as const) {
		test(`leaves nothing of ${what} on a disk that is full, and the cache as it was`, async () => {
			const { result, left } = await withSmallDisk((folder) => build(["--save", place(folder)]));
			assert.equal(result.code, 6);
			assert.match(result.stderr, /^error: cannot save to \/.*: no space left on the disk$/m);
			assert.deepEqual(left, []);
			await cacheIsUnharmed();
		});
	}

	test("leaves the file that was there where the disk is full", async () => {
		const { left } = await withSmallDisk(async (folder) => {
			const path = join(folder, "app.tar");
			writeFileSync(path, "what was there");
			assert.equal((await build(["--save", path])).code, 6);
			assert.equal(readFileSync(path, "utf8"), "what was there");
		});
		assert.deepEqual(left, ["app.tar"]);
	});

	test("is not in a cache whose disk is full, and that is said where it must be there", async () => {
		const { result, left } = await withSmallDisk(async (folder) => {
			const layout = join(directory, "layout");
			const save = ["--save", `type=oci,dest=${layout}`];
			const finished = await build(save, { XDG_CACHE_HOME: folder });
			assert.throws(() => readdirSync(layout), { code: "ENOENT" });
			assert.deepEqual(readdirSync(join(folder, "rbuild/images/incoming")), []);
			return finished;
		});
		assert.equal(result.code, 6);
		assert.match(
			result.stderr,
			/^error: cannot write to the image cache at .*: no space left on the disk\nhint: free up space/m,
		);
		assert.deepEqual(left, ["rbuild"]);
	});

	const cached = async () => {
		const list = ["cache", "ls", "--format", "json"];
		const { stdout } = await rbuild(list, { env: { XDG_CACHE_HOME: cache } });
		return JSON.parse(stdout) as { bytes: number; blobs: readonly { size: number }[] };
	};

	test("goes on from the blobs that had come, when rbuild was killed", async () => {
		cache = join(directory, "killed-cache");
		const args = [context, "-t", "faulty", "--save", join(directory, "killed.tar"), ...box.flags];
		const env = { XDG_CACHE_HOME: cache };
		const killed = startRbuild(args, { env });
		const ended = finished(killed);
		while (killed.exitCode === null && (await cached()).blobs.length === 0);
		killed.kill("SIGKILL");
		await ended;
		const { bytes: kept } = await cached();
		assert.ok(kept > 0);
		const report = join(directory, "killed.json");
		const { code, stderr } = await rbuild([...args, "--metadata-file", report], { env });
		assert.equal(code, 0, stderr);
		const { deliveries } = JSON.parse(readFileSync(report, "utf8")) as BuildReport;
		const all = (await cached()).bytes;
		assert.ok((deliveries[0]?.bytes ?? all) <= all - kept);
	});

	test("leaves a cache that can be emptied", async () => {
		const { blobs, bytes } = await cached();
		assert.equal(
			blobs.reduce((sum, { size }) => sum + size, 0),
			bytes,
		);
		const env = { XDG_CACHE_HOME: cache };
		const recent = await rbuild(["cache", "prune"], { env });
		assert.match(recent.stdout, /^removed 0 blobs, /);
		const { stdout } = await rbuild(["cache", "prune", "--all"], { env });
		assert.match(stdout, new RegExp(`^removed ${blobs.length} blobs, .*; 0 B left\n$`));
		assert.deepEqual((await cached()).blobs, []);
	});

	test("is an error when the local daemon is killed while it loads, and comes from the cache then", async () => {
		cache = join(directory, "fresh-cache");
		await using doomed = await startDockerd();
		const socket = join(directory, "doomed.sock");
		const relay = killedOnLoad(doomed.socketPath, doomed.pid).listen(socket);
		await once(relay, "listening");
		const { code, stderr } = await build(["--load"], { DOCKER_HOST: `unix://${socket}` });
		relay.close();
		assert.equal(code, 6, stderr);
		assert.match(stderr, /^error: cannot load the image into the local daemon: /m);
		assert.match(stderr, /^hint: /m);
		assert.doesNotMatch(stderr, /connecting in|lost the connection to testbox/);
		await cacheIsUnharmed();

		await using local = await startDockerd();
		const report = join(directory, "report.json");
		const again = await build(["--load", "--metadata-file", report], {
			DOCKER_HOST: `unix://${local.socketPath}`,
		});
		assert.equal(again.code, 0, again.stderr);
		const { deliveries } = JSON.parse(readFileSync(report, "utf8")) as BuildReport;
		assert.equal(deliveries[0]?.bytes, 0);
	});
});

/** Passes everything on to a daemon, until it has got the first MiB of an image. */
function killedOnLoad(socketPath: string, pid: number): Server {
	return createServer((client) => {
		const daemon = connect(socketPath);
		client.on("error", () => {}).on("close", () => daemon.destroy());
		daemon.on("error", () => {}).on("close", () => client.destroy());
		daemon.pipe(client);
		client.pipe(daemon);
		let isLoad = false;
		let bytes = 0;
		client.on("data", (chunk: Buffer) => {
			isLoad ||= chunk.includes("/images/load");
			if (isLoad) bytes += chunk.length;
			if (bytes >= MIB) process.kill(pid, "SIGKILL");
		});
	});
}
