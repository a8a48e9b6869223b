import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { connectEngine } from "../../src/engine/connect-engine.js";
import type { Engine } from "../../src/engine/engine.js";
import { inspectImage, listImages, removeImage } from "../../src/engine/images.js";
import type { BuildReport } from "../../src/events.js";
import { BASE_IMAGE, createBaseImage } from "../support/base-image.js";
import { type Box, startBox } from "../support/box.js";
import { type CliOptions, finished, rbuild, startRbuild } from "../support/cli.js";
import { type Dockerd, startDockerd } from "../support/dockerd.js";
import { startRegistry, whyNoRegistry } from "../support/registry.js";
import { suiteWithDockerd } from "../support/requirement.js";
import { unixTransport } from "../support/unix-transport.js";

const { signal } = new AbortController();
const NAME = "platforms:test";
const ARCHITECTURES = ["amd64", "arm64"];
const PLATFORMS = "linux/amd64,linux/arm64";
const ANY = "FROM scratch\nARG TARGETARCH\nCOPY file /file\nENV ARCH=$TARGETARCH\n";
/** For amd64 it takes long. */
const slow = (step: string) =>
	`FROM scratch AS arm64\nCOPY file /file\nFROM ${BASE_IMAGE} AS amd64\nRUN ${step}\nFROM $TARGETARCH\n`;

suiteWithDockerd("one image of several platforms", () => {
	let box: Box;
	let second: Dockerd;
	let directory: string;
	let context: string;
	/** Both boxes are amd64, so that one of them stands in for an arm64 box. */
	let flags: readonly string[];

	before(async () => {
		[box, second] = await Promise.all([startBox(), startDockerd()]);
		directory = mkdtempSync(join(tmpdir(), "rbuild-platforms-"));
		context = join(directory, "context");
		mkdirSync(context);
		writeFileSync(join(context, "file"), "content");
		await onBoth(createBaseImage);
		const other = box.on.replace(box.socketPath, second.socketPath);
		flags = [...box.flags, "--on", other, "--platform", PLATFORMS, "--allow-emulation"];
	});
	beforeEach(async () => {
		writeFileSync(join(context, "Dockerfile"), ANY);
		await forget();
	});
	after(async () => {
		await Promise.all([box[Symbol.asyncDispose](), second.stop()]);
		rmSync(directory, { recursive: true, force: true });
	});

	const place = (file: string) => join(mkdtempSync(join(directory, "out-")), file);

	async function build(args: readonly string[], options: CliOptions = {}) {
		const metadata = place("report.json");
		const all = [context, ...flags, "--metadata-file", metadata, ...args];
		const { code, stderr } = await rbuild(all, options);
		assert.equal(code, 0, stderr);
		return { report: JSON.parse(readFileSync(metadata, "utf8")) as BuildReport, stderr };
	}

	const skopeo = (...args: readonly string[]) =>
		JSON.parse(execFileSync("skopeo", args, { encoding: "utf8" }));

	/** That the index has both, and that each is what it says. */
	function checkIndex(image: string, ...args: readonly string[]): void {
		const index = skopeo("inspect", "--raw", ...args, image);
		const platforms = index.manifests.map(({ platform }: { platform: unknown }) => platform);
		assert.deepEqual(
			platforms,
			ARCHITECTURES.map((architecture) => ({ architecture, os: "linux" })),
		);
		for (const architecture of ARCHITECTURES) {
			const choice = ["--config", "--override-arch", architecture];
			const config = skopeo("inspect", ...choice, ...args, image);
			assert.equal(config.architecture, architecture);
			assert.ok(config.config.Env.includes(`ARCH=${architecture}`));
		}
	}

	async function onBoth<Result>(work: (engine: Engine) => Promise<Result>): Promise<Result[]> {
		await using engine = await connectEngine(unixTransport(second.socketPath), signal);
		return [await work(box.engine), await work(engine)];
	}

	async function names(): Promise<readonly string[]> {
		const there = await onBoth((engine) => listImages(engine, signal));
		return there.flat().flatMap(({ tags }) => tags.filter((tag) => tag === NAME));
	}

	async function forget(): Promise<void> {
		await onBoth((engine) => removeImage(engine, NAME, signal).catch(() => {}));
	}

	test("is built on several boxes and saved as one layout", async () => {
		const layout = place("layout");
		const { report, stderr } = await build(["-t", NAME, "--save", `type=oci,dest=${layout}`]);
		checkIndex(`oci:${layout}:test`);
		const index = readFileSync(join(layout, "index.json"), "utf8");
		assert.equal(JSON.parse(index).manifests[0].digest, report.imageId);
		const { platforms = [] } = report;
		assert.deepEqual(
			platforms.map(({ platform }) => platform),
			PLATFORMS.split(","),
		);
		assert.equal(new Set(platforms.map(({ target }) => target)).size, 2);
		assert.match(stderr, /^linux\/arm64: connected to /m);
		assert.match(stderr, /^#\d+ \[linux\/amd64 1\/1\] COPY file \/file$/m);
		assert.match(stderr, /^linux\/arm64: uploaded /m);
		assert.deepEqual(await names(), [NAME, NAME]);
	});

	test("is built of what each box lacks of one context, and tells news by platform", async () => {
		const sync = ["-t", NAME, "--transfer", "sync", "--no-cache"];
		writeFileSync(join(context, "file"), randomBytes(100_000));
		const sent = new Set<string>();
		let stderr = "";
		// Either box may be the faster one, and then has amd64: at the third time at the latest, all is there.
		for (let time = 0; time < 3; time++) {
			const built = await build([...sync, "--progress", "json"]);
			assert.equal(built.report.imageId, undefined);
			for (const { platform, target, upload } of built.report.platforms ?? []) {
				const place = `${platform} on ${target}`;
				assert.equal(upload?.bytes, sent.has(place) ? 0 : 100_000, place);
				sent.add(place);
			}
			stderr = built.stderr;
		}
		const news = stderr
			.trim()
			.split("\n")
			.map((line) => JSON.parse(line));
		const steps = news.filter(({ type }) => type === "step");
		for (const platform of PLATFORMS.split(",")) {
			const own = steps.filter((step) => step.platform === platform);
			assert.ok(own.some(({ name }) => name.includes("COPY file /file")));
			assert.ok(own.every(({ id }) => id.startsWith(`${platform} `)));
		}
		assert.equal(news.filter(({ type }) => type === "context").length, 2);
	});

	test("needs no name, and takes annotations for the index from this side", async () => {
		const layout = place("layout");
		const annotations = ["index:org.example.a=1", "manifest-descriptor[linux/arm64]:b=2"];
		await build([
			...["--save", `type=oci,dest=${layout}`],
			...annotations.flatMap((text) => ["--annotation", text]),
		]);
		const index = skopeo("inspect", "--raw", `oci:${layout}`);
		assert.deepEqual(index.annotations, { "org.example.a": "1" });
		assert.deepEqual(
			index.manifests.map(({ annotations }: { annotations?: unknown }) => annotations),
			[undefined, { b: "2" }],
		);
	});

	test("is pushed from here, with its digest in a file", { skip: whyNoRegistry() }, async () => {
		await using registry = await startRegistry();
		const name = `${registry.host}/${NAME}`;
		const iidfile = place("iid");
		const { report } = await build(["-t", name, "--push", "--iidfile", iidfile]);
		checkIndex(`docker://${name}`, "--tls-verify=false");
		assert.equal(readFileSync(iidfile, "utf8"), report.imageId);
		assert.equal(report.deliveries[0]?.digest, report.imageId);
		const [repository = ""] = name.split(":test");
		const { Tags } = skopeo("list-tags", "--tls-verify=false", `docker://${repository}`);
		assert.deepEqual(Tags, ["test"]);
		await onBoth((engine) => removeImage(engine, name, signal));
	});

	test("is loaded by its platform that the local daemon runs", async () => {
		const local = box.socketPath;
		const { report } = await build(["-t", NAME, "--load"], {
			env: { DOCKER_HOST: `unix://${local}` },
		});
		const loaded = await inspectImage(box.engine, NAME, signal);
		assert.equal(loaded.platform, "linux/amd64");
		assert.equal(loaded.id, report.imageId);
	});

	test("comes from one box, if that is to build all of it, the same each time", async () => {
		const [layout, tar] = [place("layout"), place("app.tar")];
		const platforms = ["--platform", "linux/386", "--platform", "linux/amd64"];
		const args = [context, "-t", NAME, ...box.flags, ...platforms];
		const { code, stderr } = await rbuild([...args, "--save", `type=oci,dest=${layout}`]);
		assert.equal(code, 0, stderr);
		const index = skopeo("inspect", "--raw", `oci:${layout}:test`);
		const found = index.manifests.map(
			({ platform }: { platform: { architecture: string } }) => platform.architecture,
		);
		assert.deepEqual(found, ["386", "amd64"]);
		assert.equal(stderr.match(/^linux\/386,linux\/amd64: connected to /gm)?.length, 1);
		assert.equal((await inspectImage(box.engine, NAME, signal)).platform, "linux/amd64");

		const again = await rbuild([...args, "--save", `type=oci,dest=${tar}`]);
		assert.match(again.stderr, /^saved to .* \(0 B, .* already here\)$/m);
		const tarred = execFileSync("tar", ["-xOf", tar, "index.json"], { encoding: "utf8" });
		assert.equal(tarred, readFileSync(join(layout, "index.json"), "utf8"));
	});

	test("is not there at all, and the others stop, when one platform fails", async () => {
		writeFileSync(join(context, "Dockerfile"), slow("sleep 600").replace("file", "none"));
		const layout = place("layout");
		const save = ["--save", `type=oci,dest=${layout}`];
		const { code, stderr } = await rbuild([context, "-t", NAME, ...flags, ...save]);
		assert.equal(code, 1, stderr);
		assert.match(stderr, /^error: linux\/arm64: .*none/m);
		assert.equal(existsSync(layout), false);
		assert.deepEqual(await names(), []);
	});

	test("leaves nothing behind when it is interrupted", async () => {
		writeFileSync(join(context, "Dockerfile"), slow("echo ready; sleep 600"));
		const layout = place("layout");
		const save = ["--save", `type=oci,dest=${layout}`];
		const child = startRbuild([context, "-t", NAME, ...flags, ...save]);
		let seen = "";
		child.stderr?.on("data", (text) => {
			const before = seen;
			seen += text;
			if (!before.includes(" ready\n") && seen.includes(" ready\n")) child.kill("SIGINT");
		});
		const [code] = await once(child, "close");
		assert.equal(code, 130, seen);
		assert.match(seen, /^error: interrupted$/m);
		assert.equal(existsSync(layout), false);
		assert.deepEqual(await names(), []);
	});

	test("is refused where it cannot be had, before anybody is asked", async () => {
		const tar = place("app.tar");
		const refused = async (args: readonly string[], exitCode: number, message: RegExp) => {
			const { code, stderr } = await finished(startRbuild([context, ...flags, ...args]));
			assert.match(stderr, message);
			assert.equal(code, exitCode);
			assert.doesNotMatch(stderr, /connect/);
		};
		await refused(["--save", tar], 2, /^hint: .*--save type=oci,dest=/m);
		await refused(
			["-o", place("folder")],
			2,
			/^error: --output type=local supports only one platform$/m,
		);
		await refused(["-t", NAME, "--push", "--via", "daemon"], 2, /^hint: leave --via out/m);
		await refused(
			["--iidfile", place("iid")],
			2,
			/^error: --iidfile for several platforms needs --push, --save or --load$/m,
		);
		await refused(["--dry-run"], 2, /^error: only one platform is supported here/m);
	});

	test("is refused where no box runs one of the platforms natively", async () => {
		const native = flags.filter((flag) => flag !== "--allow-emulation");
		const { code, stderr } = await rbuild([context, ...native]);
		assert.match(stderr, /^error: no box runs linux\/arm64 natively: .* is linux\/amd64; .* is/m);
		assert.equal(code, 4);
	});
});

suiteWithDockerd("an image of several platforms from a box that forwards nothing", () => {
	test("cannot be gathered, and the box is named with the reason", async () => {
		await using box = await startBox({ config: ["AllowTcpForwarding local"] });
		const directory = mkdtempSync(join(tmpdir(), "rbuild-platforms-"));
		try {
			writeFileSync(join(directory, "Dockerfile"), "FROM scratch\nCOPY Dockerfile /\n");
			const save = ["--save", `type=oci,dest=${join(directory, "layout")}`];
			const platforms = ["--platform", "linux/386,linux/amd64"];
			const { code, stderr } = await rbuild([directory, ...save, ...platforms, ...box.flags]);
			const what =
				/^error: the image for linux\/\w+ cannot be fetched from ssh:\S+: the ssh server/m;
			assert.match(stderr, what);
			assert.equal(code, 6);
			assert.equal(existsSync(join(directory, "layout")), false);
		} finally {
			rmSync(directory, { recursive: true });
		}
	});
});
