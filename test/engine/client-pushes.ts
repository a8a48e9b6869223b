import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { inspectImage, removeImage } from "../../src/engine/images.js";
import type { BuildReport, DeliveryReport } from "../../src/events.js";
import { BlobCache } from "../../src/image/cache/blob-cache.js";
import { bringWhole } from "../../src/image/return/whole-image.js";
import { BASE_IMAGE } from "../support/base-image.js";
import type { Box } from "../support/box.js";
import { rbuild } from "../support/cli.js";
import { type Registry, startRegistry } from "../support/registry.js";

const LOGIN = { username: "me", password: "s3cret-Pa55/word:+" };
const { signal } = new AbortController();
const TOP_BYTES = 200_000;
const BASE_BYTES = 3_000_000;
/** Manifest and configuration, and what the compression of random bytes costs. */
const REST_BYTES = 64 * 1024;

export interface ClientPushes {
	readonly open: () => Promise<Box>;
	/** Whether that box can reach a registry on this side's loopback address. */
	readonly pullsBack: boolean;
}

/** How this side pushes what a box has built, to a registry that only this side has a login for. */
export function testClientPushes({ open, pullsBack }: ClientPushes): void {
	let box: Box;
	let registry: Registry;
	let directory: string;
	let context: string;
	const names = new Set<string>();

	before(async () => {
		[box, registry] = await Promise.all([open(), startRegistry({ login: LOGIN })]);
		directory = mkdtempSync(join(tmpdir(), "rbuild-client-pushes-"));
		context = join(directory, "context");
		mkdirSync(context);
		const dockerfile = `FROM ${BASE_IMAGE}\nCOPY below /below\nCOPY top /top\n`;
		writeFileSync(join(context, "Dockerfile"), dockerfile);
		writeFileSync(join(context, "below"), randomBytes(BASE_BYTES));
		changeTop();
	});
	after(async () => {
		for (const name of names) await removeImage(box.engine, name, signal).catch(() => {});
		await Promise.all([box[Symbol.asyncDispose](), registry.stop()]);
		rmSync(directory, { recursive: true, force: true });
	});

	const changeTop = () => writeFileSync(join(context, "top"), randomBytes(TOP_BYTES));
	const freshCache = () => mkdtempSync(join(directory, "cache-"));

	/** A config.json with the login, which the box has not got. */
	function dockerConfig(password: string): string {
		const folder = mkdtempSync(join(directory, "config-"));
		const auth = Buffer.from(`${LOGIN.username}:${password}`).toString("base64");
		const auths = { [registry.host]: { auth } };
		writeFileSync(join(folder, "config.json"), JSON.stringify({ auths }));
		return folder;
	}

	async function run(tags: readonly string[], cache: string, config: string) {
		const metadata = join(directory, "report.json");
		const named = tags.map((tag) => `${registry.host}/${tag}`);
		for (const name of named) names.add(name);
		const finished = await rbuild(
			[
				...[context, ...named.flatMap((name) => ["-t", name]), "--push", "--via", "client"],
				...["--metadata-file", metadata, "--progress", "plain", "-v", ...box.flags],
			],
			{ env: { XDG_CACHE_HOME: cache, DOCKER_CONFIG: config } },
		);
		const report = (): BuildReport => JSON.parse(readFileSync(metadata, "utf8"));
		return { ...finished, report };
	}

	async function push(tags: readonly string[], cache: string): Promise<readonly DeliveryReport[]> {
		const { code, stderr, report } = await run(tags, cache, dockerConfig(LOGIN.password));
		assert.equal(code, 0, stderr);
		return report().deliveries;
	}

	const skopeo = (command: string, reference: string, ...args: readonly string[]) =>
		execFileSync(
			"skopeo",
			[
				...[command, "--tls-verify=false", "--creds", `${LOGIN.username}:${LOGIN.password}`],
				...[...args, `docker://${registry.host}/${reference}`],
			],
			{ encoding: "utf8" },
		);

	test("the blobs go once, and every tag stands for the digest that is reported", async () => {
		const [first, second] = await push(["team/app:1", "team/app:2"], freshCache());
		assert.ok((first?.sentBytes ?? 0) > BASE_BYTES);
		assert.equal(second?.sentBytes, 0);
		assert.deepEqual(
			[first?.destination, second?.destination],
			[`${registry.host}/team/app:1`, `${registry.host}/team/app:2`],
		);
		for (const tag of ["team/app:1", "team/app:2"]) {
			assert.equal(JSON.parse(skopeo("inspect", tag)).Digest, first?.digest);
		}
	});

	test("after a change to the top layer, only that comes here and goes there", async () => {
		const cache = freshCache();
		await push(["team/changed:1"], cache);
		changeTop();
		const [delivery] = await push(["team/changed:1"], cache);
		const most = TOP_BYTES + REST_BYTES;
		const { bytes = 0, sentBytes = 0, reusedBytes = 0 } = delivery ?? {};
		assert.ok(bytes >= TOP_BYTES && bytes < most, `${bytes} bytes came`);
		assert.ok(sentBytes >= TOP_BYTES && sentBytes < most, `${sentBytes} bytes went`);
		assert.ok(reusedBytes > BASE_BYTES);
	});

	test("another repository takes over what was pushed before", async () => {
		const cache = freshCache();
		await push(["team/first:1"], cache);
		changeTop();
		const { code, stderr, report } = await run(
			["team/second:1"],
			cache,
			dockerConfig(LOGIN.password),
		);
		assert.equal(code, 0, stderr);
		assert.match(stderr, /: layer [0-9a-f]{12}: mounted from team\/first$/m);
		const { sentBytes = 0 } = report().deliveries[0] ?? {};
		assert.ok(sentBytes < TOP_BYTES + REST_BYTES, `${sentBytes} bytes went`);
		skopeo("inspect", "team/second:1");
	});

	test("layers of a base image are taken over from where the box has it", {
		skip: !pullsBack,
	}, async () => {
		const base = `${registry.host}/team/base:1`;
		const config = dockerConfig(LOGIN.password);
		const docker = (...args: readonly string[]) =>
			execFileSync("docker", ["--config", config, "-H", `unix://${box.socketPath}`, ...args]);
		docker("tag", BASE_IMAGE, base);
		docker("push", "-q", base);
		const { code, stderr } = await run(["team/based:1"], freshCache(), config);
		assert.equal(code, 0, stderr);
		assert.match(stderr, /: layer [0-9a-f]{12}: mounted from team\/base$/m);
	});

	test("what it pushed is what the box has built, for who pulls it by that digest", async () => {
		const { code, stderr, report } = await run(
			["team/back:1"],
			freshCache(),
			dockerConfig(LOGIN.password),
		);
		assert.equal(code, 0, stderr);
		const { imageId, deliveries } = report();
		const manifest: { config: { digest: string } } = JSON.parse(
			skopeo("inspect", `team/back@${deliveries[0]?.digest}`, "--raw"),
		);
		assert.equal(manifest.config.digest, imageId);
		if (!pullsBack) return;
		const docker = (...args: readonly string[]) =>
			execFileSync("docker", ["-H", `unix://${box.socketPath}`, ...args], { encoding: "utf8" });
		const name = `${registry.host}/team/back`;
		await removeImage(box.engine, `${name}:1`, signal);
		docker(
			"--config",
			dockerConfig(LOGIN.password),
			"pull",
			"-q",
			`${name}@${deliveries[0]?.digest}`,
		);
		const pulled = docker("inspect", "-f", "{{.Id}}", `${name}@${deliveries[0]?.digest}`);
		assert.equal(pulled.trim(), imageId);
	});

	test("what only comes as a whole is the same image, and comes once", async () => {
		const { report, code, stderr } = await run(
			["team/whole:1"],
			freshCache(),
			dockerConfig(LOGIN.password),
		);
		assert.equal(code, 0, stderr);
		const { imageId = "", tags } = report();
		const image = { id: imageId, tags };
		const cache = new BlobCache(freshCache());
		const news = { signal, emit: () => {} };
		const first = await bringWhole(box.engine, image, cache, () => {}, news);
		const { layers } = await inspectImage(box.engine, imageId, signal);
		assert.equal(first.image.config.digest, imageId);
		assert.deepEqual(
			first.image.layers.map(({ diffId }) => diffId),
			layers,
		);
		assert.ok(first.received > BASE_BYTES + TOP_BYTES);
		const second = await bringWhole(box.engine, image, cache, assert.fail, news);
		assert.deepEqual([second.received, second.image.root], [0, first.image.root]);
	});

	test("without a login, or with a wrong one, it says what to do, and shows no password", async () => {
		const none = mkdtempSync(join(directory, "config-"));
		const refused = await run(["team/refused:1"], freshCache(), none);
		assert.equal(refused.code, 6);
		assert.match(
			refused.stderr,
			new RegExp(`^error: cannot push ${registry.host}/team/refused:1 to ${registry.host}: `, "m"),
		);
		assert.match(refused.stderr, new RegExp(`run "docker login ${registry.host}"`));
		const wrong = await run(["team/refused:1"], freshCache(), dockerConfig("wr0ng-word"));
		assert.equal(wrong.code, 6);
		assert.match(wrong.stderr, /does not accept the login for it/);
		assert.doesNotMatch(wrong.stderr, /wr0ng-word/);
	});
}
