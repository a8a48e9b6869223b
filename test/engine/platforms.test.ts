import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { connectEngine } from "../../src/engine/connect-engine.js";
import type { Engine } from "../../src/engine/engine.js";
import { listImages } from "../../src/engine/images.js";
import type { BuildReport } from "../../src/events.js";
import { BASE_IMAGE } from "../support/base-image.js";
import { type Box, startBox } from "../support/box.js";
import { type CliOptions, rbuild } from "../support/cli.js";
import { type Dockerd, startDockerd } from "../support/dockerd.js";
import { suiteWithDockerd } from "../support/requirement.js";
import { unixTransport } from "../support/unix-transport.js";

const { signal } = new AbortController();
const NAME = "platforms:test";
const PLATFORMS = "linux/amd64,linux/arm64";

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
		const other = box.on.replace(box.socketPath, second.socketPath);
		flags = [...box.flags, "--on", other, "--platform", PLATFORMS, "--allow-emulation"];
		dockerfile("FROM scratch", "ARG TARGETARCH", "COPY file /file", `ENV ARCH=$TARGETARCH`);
	});
	after(async () => {
		await Promise.all([box[Symbol.asyncDispose](), second.stop()]);
		rmSync(directory, { recursive: true, force: true });
	});

	const dockerfile = (...lines: readonly string[]) =>
		writeFileSync(join(context, "Dockerfile"), `${lines.join("\n")}\n`);
	const place = (file: string) => join(mkdtempSync(join(directory, "out-")), file);

	async function build(args: readonly string[], options: CliOptions = {}) {
		const metadata = place("report.json");
		const all = [context, "-t", NAME, ...flags, "--metadata-file", metadata, ...args];
		const { code, stderr } = await rbuild(all, options);
		assert.equal(code, 0, stderr);
		return { report: JSON.parse(readFileSync(metadata, "utf8")) as BuildReport, stderr };
	}

	const skopeo = (...args: readonly string[]) =>
		JSON.parse(execFileSync("skopeo", args, { encoding: "utf8" }));

	async function withSecond<Result>(work: (engine: Engine) => Promise<Result>): Promise<Result> {
		await using engine = await connectEngine(unixTransport(second.socketPath), signal);
		return work(engine);
	}

	async function namesOnBoxes(): Promise<readonly string[]> {
		const there = await Promise.all([
			listImages(box.engine, signal),
			withSecond((engine) => listImages(engine, signal)),
		]);
		return there.flat().flatMap(({ tags }) => tags.filter((tag) => tag !== BASE_IMAGE));
	}

	test("is built on several boxes and saved as one layout", async () => {
		const layout = place("layout");
		const { report, stderr } = await build(["--save", `type=oci,dest=${layout}`]);
		const index = skopeo("inspect", "--raw", `oci:${layout}:test`);
		assert.deepEqual(
			index.manifests.map(({ platform }: { platform: unknown }) => platform),
			[
				{ architecture: "amd64", os: "linux" },
				{ architecture: "arm64", os: "linux" },
			],
			stderr,
		);
		for (const architecture of ["amd64", "arm64"]) {
			const image = skopeo(
				...["inspect", "--config", "--override-arch", architecture],
				`oci:${layout}:test`,
			);
			assert.equal(image.architecture, architecture);
			assert.ok(image.config.Env.includes(`ARCH=${architecture}`));
		}
		assert.equal(new Set(report.platforms?.map(({ target }) => target)).size, 2);
		console.error(stderr);
	});
	void existsSync;
	void namesOnBoxes;
});
