import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
	existsSync,
	mkdirSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	rmSync,
	writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { connectEngine } from "../../src/engine/connect-engine.js";
import { inspectImage, listImages, removeImage } from "../../src/engine/images.js";
import type { BuildReport } from "../../src/events.js";
import { BASE_IMAGE } from "../support/base-image.js";
import type { Box } from "../support/box.js";
import { type Finished, rbuild } from "../support/cli.js";
import { type Dockerd, startDockerd } from "../support/dockerd.js";
import { unixTransport } from "../support/unix-transport.js";

export interface Returns {
	/** A daemon that finds what sshd forwards on its own loopback address. */
	readonly open: () => Promise<Box>;
	/** The name that images get there. */
	readonly name: string;
}

const { signal } = new AbortController();
const BASE_BYTES = 3_000_000;
const TOP_BYTES = 200_000;
/** Manifest, configuration and whatever else belongs to an image. */
const REST_BYTES = 64 * 1024;

/** How images come back from a box to which sshd forwards. */
export function testReturns({ open, name }: Returns): void {
	let box: Box;
	let local: Dockerd;
	let directory: string;
	let context: string;

	before(async () => {
		[box, local] = await Promise.all([open(), startDockerd()]);
		directory = mkdtempSync(join(tmpdir(), "rbuild-returns-"));
		context = join(directory, "context");
		mkdirSync(context);
		writeFileSync(
			join(context, "Dockerfile"),
			`FROM ${BASE_IMAGE}\nCOPY below /below\nCOPY top /top\n`,
		);
		writeFileSync(join(context, "below"), randomBytes(BASE_BYTES));
		changeTop();
	});
	after(async () => {
		await removeImage(box.engine, name, signal).catch(() => {});
		await Promise.all([box[Symbol.asyncDispose](), local.stop()]);
		rmSync(directory, { recursive: true, force: true });
	});

	const changeTop = () => writeFileSync(join(context, "top"), randomBytes(TOP_BYTES));
	const freshCache = () => mkdtempSync(join(directory, "cache-"));
	const place = (file: string) => join(mkdtempSync(join(directory, "out-")), file);

	/** Builds, and says what came for the one delivery. */
	async function build(cache: string, ...args: readonly string[]) {
		const metadata = place("report.json");
		const finished = await rbuild(
			[context, "-t", name, ...args, "--metadata-file", metadata, ...box.flags],
			{ env: { XDG_CACHE_HOME: cache, DOCKER_HOST: `unix://${local.socketPath}` } },
		);
		assert.equal(finished.code, 0, finished.stderr);
		const { imageId, deliveries } = JSON.parse(readFileSync(metadata, "utf8")) as BuildReport;
		const delivery = deliveries[0] ?? assert.fail("nothing was delivered");
		return { imageId, delivery, stderr: finished.stderr };
	}

	async function localImage(): Promise<string> {
		await using engine = await connectEngine(unixTransport(local.socketPath), signal);
		return (await inspectImage(engine, name, signal)).id;
	}

	async function forgetLocally(): Promise<void> {
		await using engine = await connectEngine(unixTransport(local.socketPath), signal);
		for (const { id } of await listImages(engine, signal)) await removeImage(engine, id, signal);
	}

	test("a saved image comes by its layers, and loads", async () => {
		const path = place("app.tar");
		const { imageId, delivery } = await build(freshCache(), "--save", path);
		assert.equal(delivery.whole, undefined);
		assert.ok(delivery.bytes > BASE_BYTES);
		execFileSync("docker", ["-H", `unix://${local.socketPath}`, "load", "-i", path]);
		assert.equal(await localImage(), imageId);
		await forgetLocally();
	});

	test("only a changed layer comes the next time, and nothing where nothing has changed", async () => {
		const cache = freshCache();
		await build(cache, "--save", place("app.tar"));
		changeTop();
		const [one, other] = [place("app.tar"), place("app.tar")];
		const second = await build(cache, "--save", one);
		assert.ok(second.delivery.bytes >= TOP_BYTES);
		assert.ok(second.delivery.bytes < TOP_BYTES + REST_BYTES, `${second.delivery.bytes} bytes`);
		assert.ok((second.delivery.reusedBytes ?? 0) > BASE_BYTES);
		const third = await build(cache, "--save", other);
		assert.equal(third.delivery.bytes, 0);
		assert.ok(readFileSync(one).equals(readFileSync(other)));
	});

	test("an OCI layout is a tar or a folder that other tools read", async () => {
		const cache = freshCache();
		const [tar, folder] = [place("app.tar"), place("layout")];
		await build(cache, "--save", `type=oci,dest=${tar}`);
		await build(cache, "--save", `type=oci,dest=${folder}`);
		const { layers } = await inspectImage(box.engine, name, signal);
		for (const source of [`oci-archive:${tar}`, `oci:${folder}`]) {
			const shown = execFileSync("skopeo", ["inspect", source], { encoding: "utf8" });
			assert.equal(JSON.parse(shown).Layers.length, layers.length);
			const copy = place("copy");
			execFileSync("skopeo", ["copy", "--quiet", source, `dir:${copy}`]);
			assert.ok(existsSync(join(copy, "manifest.json")));
		}
	});

	test("a loaded image is the same there, and only what is missing came for it", async () => {
		const cache = freshCache();
		const first = await build(cache, "--load");
		assert.equal(await localImage(), first.imageId);
		changeTop();
		const second = await build(cache, "--load");
		assert.equal(await localImage(), second.imageId);
		assert.ok(second.delivery.bytes < TOP_BYTES + REST_BYTES, `${second.delivery.bytes} bytes`);
		const third = await build(cache, "--load");
		assert.equal(third.delivery.bytes, 0);
	});

	test("layers that the local daemon has never come, even with an empty cache", async () => {
		// Which the box tells by the digest under which it has pushed or pulled them.
		await build(freshCache(), "--load");
		changeTop();
		const { imageId, delivery } = await build(freshCache(), "--load");
		assert.equal(await localImage(), imageId);
		assert.ok(delivery.bytes < TOP_BYTES + REST_BYTES, `${delivery.bytes} bytes`);
	});

	test("what the local daemon has is sent when something else needs it", async () => {
		const cache = freshCache();
		await build(freshCache(), "--load");
		changeTop();
		await build(cache, "--load");
		const path = place("app.tar");
		const { delivery } = await build(cache, "--save", path);
		assert.ok(delivery.bytes > BASE_BYTES);
		await forgetLocally();
		execFileSync("docker", ["-H", `unix://${local.socketPath}`, "load", "-i", path]);
	});

	test("a damaged layer in the cache comes again", async () => {
		const cache = freshCache();
		const first = place("app.tar");
		await build(cache, "--save", first);
		const blobs = join(cache, "rbuild/images/blobs");
		const files = readdirSync(blobs, { recursive: true, encoding: "utf8" });
		const damaged = files
			.map((file) => join(blobs, file))
			.find((file) => /[0-9a-f]{64}$/.test(file) && readFileSync(file).length > BASE_BYTES);
		writeFileSync(damaged ?? "", randomBytes(BASE_BYTES));
		const second = place("app.tar");
		const { delivery } = await build(cache, "--save", second);
		assert.ok(delivery.bytes > BASE_BYTES && delivery.bytes < BASE_BYTES + TOP_BYTES);
		assert.ok(readFileSync(first).equals(readFileSync(second)));
	});

	test("nothing of it is left on the box", async () => {
		await build(freshCache(), "--save", place("app.tar"));
		const { tags, digests } = await inspectImage(box.engine, name, signal);
		assert.deepEqual(tags, [name.includes(":") ? name : `${name}:latest`]);
		assert.deepEqual(digests, []);
	});

	test("an image without a name comes as a whole, and stays where it is", async () => {
		const metadata = place("report.json");
		const path = place("app.tar");
		const { code, stderr } = await rbuild(
			[context, "--save", path, "--metadata-file", metadata, "--label", "a=b", ...box.flags],
			{ env: { XDG_CACHE_HOME: freshCache() } },
		);
		assert.equal(code, 0, stderr);
		const { imageId, deliveries } = JSON.parse(readFileSync(metadata, "utf8")) as BuildReport;
		assert.match(deliveries[0]?.whole ?? "", /no image without a name/);
		assert.match(stderr, /the whole image: a daemon pushes no image without a name/);
		await inspectImage(box.engine, imageId ?? "", signal);
		await removeImage(box.engine, imageId ?? "", signal);
	});

	test("a cache without room makes it come as a whole, and is left clean", async () => {
		const cache = freshCache();
		execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", cache]);
		try {
			const { delivery } = await build(cache, "--save", place("app.tar"));
			assert.match(delivery.whole ?? "", /no space left on the disk/);
			const left = readdirSync(join(cache, "rbuild/images/incoming"));
			assert.deepEqual(left, []);
		} finally {
			execFileSync("umount", [cache]);
		}
	});

	test("any image of the box can be pulled, and is in the list of them", async () => {
		const env = { XDG_CACHE_HOME: freshCache(), DOCKER_HOST: `unix://${local.socketPath}` };
		const { imageId } = await build(env.XDG_CACHE_HOME, "--save", place("app.tar"));
		await forgetLocally();
		const succeed = ({ code, stdout, stderr }: Finished) => {
			assert.equal(code, 0, stderr);
			return stdout;
		};
		const list = JSON.parse(
			succeed(await rbuild(["images", "--format", "json", ...box.flags], { env })),
		) as { id: string }[];
		assert.ok(list.some(({ id }) => id === imageId));
		assert.equal(
			succeed(await rbuild(["pull", name, "-q", ...box.flags], { env })),
			`${imageId}\n`,
		);
		assert.equal(await localImage(), imageId);
		const missing = await rbuild(["pull", "not-there", ...box.flags], { env });
		assert.equal(missing.code, 5);
		assert.match(missing.stderr, /^error: there is no image not-there on /m);
	});
}
