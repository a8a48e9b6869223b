import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { Readable } from "node:stream";
import { after, before, describe, test } from "node:test";
import { buildImage, cancelBuild } from "../../src/engine/build-request.js";
import { connectEngine } from "../../src/engine/connect-engine.js";
import type { Engine } from "../../src/engine/engine.js";
import {
	exportImage,
	inspectImage,
	loadImage,
	pushImage,
	removeImage,
	tagImage,
} from "../../src/engine/images.js";
import { InterruptedError } from "../../src/errors.js";
import { BASE_IMAGE, createBaseImage, pushBaseImage } from "../support/base-image.js";
import { type Dockerd, startDockerd } from "../support/dockerd.js";
import { type Lab, lab } from "../support/lab.js";
import { type Registry, startRegistry, whyNoRegistry } from "../support/registry.js";
import { suiteWithDockerd } from "../support/requirement.js";
import { unixTransport } from "../support/unix-transport.js";

const { signal } = new AbortController();

interface Line {
	readonly stream?: string;
	readonly aux?: { readonly ID?: string };
	readonly errorDetail?: { readonly message: string };
}

async function collect(lines: AsyncIterable<unknown>): Promise<Line[]> {
	const all: Line[] = [];
	for await (const line of lines) all.push(line as Line);
	return all;
}

/** A context of nothing but a Dockerfile. */
function context(dockerfile: string) {
	const script = 'cd "$(mktemp -d)" && cat >Dockerfile && tar -c Dockerfile && rm -r "$PWD"';
	const tar = execFileSync("sh", ["-c", script], { input: dockerfile });
	return { kind: "tar", tar: Readable.from([tar]) } as const;
}

/** The processes whose command line holds a word, so also those in a container. */
function processes(word: string): string[] {
	return readdirSync("/proc").filter((pid) => {
		try {
			return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(word);
		} catch {
			return false;
		}
	});
}

async function until(condition: () => boolean): Promise<void> {
	while (!condition()) await new Promise((resolve) => setTimeout(resolve, 20));
}

/** What every engine must do, whichever it is. */
function behavesAsAnEngine(engine: () => Engine) {
	const name = `rbuild-engine-test-${randomUUID().slice(0, 8)}`;

	test("it builds a tar, and the image has the tags, the labels and what RUN made", async () => {
		const tag = `${name}:built`;
		const lines = await collect(
			buildImage(
				engine(),
				{
					tags: [tag, `${name}:again`],
					buildArgs: { WORD: "an & and a + sign" },
					labels: { "org.example.test": "yes" },
					context: context(`FROM ${BASE_IMAGE}\nARG WORD\nRUN echo "$WORD" >/word\n`),
				},
				signal,
			),
		);
		assert.equal(lines.find((line) => line.errorDetail)?.errorDetail, undefined);
		const id = lines.findLast((line) => line.aux?.ID !== undefined)?.aux?.ID;
		const image = await inspectImage(engine(), tag, signal);
		assert.equal(image.id, id);
		assert.equal(image.platform, engine().facts.platform);
		assert.ok(image.size > 100_000, `${image.size} bytes`);
		assert.ok(image.tags.some((one) => one.endsWith(`${name}:again`)));
		await removeImage(engine(), `${name}:again`, signal);
	});

	test("extra hosts and limits reach the steps", async () => {
		// BuildKit takes limits since 23.0 only.
		const limited = engine().facts.builder === "classic";
		const check = `RUN grep -q "^10.1.2.3.*db.example" /etc/hosts${limited ? ' && [ "$(ulimit -Hn)" = 4321 ]' : ""}`;
		const build = {
			extraHosts: ["db.example:10.1.2.3", "cache.example:10.1.2.4"],
			ulimits: limited ? [{ name: "nofile", soft: 1234, hard: 4321 }] : [],
			noCache: true,
			context: context(`FROM ${BASE_IMAGE}\n${check}\n`),
		};
		const lines = await collect(buildImage(engine(), build, signal));
		assert.equal(lines.find((line) => line.errorDetail)?.errorDetail, undefined);
	});

	test("an image goes out as a tar and comes back in as the same image", async () => {
		const tag = `${name}:built`;
		const { id } = await inspectImage(engine(), tag, signal);
		const tar = await (await exportImage(engine(), [tag], signal)).toArray();
		await removeImage(engine(), tag, signal);
		await assert.rejects(inspectImage(engine(), tag, signal), { status: 404 });
		const lines = await collect(loadImage(engine(), Readable.from(tar), signal));
		assert.match(JSON.stringify(lines), /Loaded image/);
		assert.equal((await inspectImage(engine(), tag, signal)).id, id);
		await tagImage(engine(), tag, `${name}:other`, signal);
		assert.equal((await inspectImage(engine(), `${name}:other`, signal)).id, id);
		await removeImage(engine(), `${name}:other`, signal);
		await removeImage(engine(), tag, signal);
	});

	test("a step that fails is a line with errorDetail in an answer that is otherwise fine", async () => {
		const build = { context: context(`FROM ${BASE_IMAGE}\nRUN exit 42\n`) };
		const lines = await collect(buildImage(engine(), build, signal));
		assert.match(lines.at(-1)?.errorDetail?.message ?? "", /42/);
	});

	test("what is not there is refused in the daemon's words", async () => {
		await assert.rejects(inspectImage(engine(), "no/such:image", signal), {
			name: "EngineError",
			status: 404,
			message: /refused GET \/images\/no\/such:image\/json: .*no such image.* \(HTTP 404\)$/i,
		});
	});
}

/** Docker only: Podman goes on with the step that runs, and stops behind it. */
function stopsWithItsConnection(engine: () => Engine) {
	test("aborting a build ends the process of its step", async () => {
		// A number that no other process on this machine sleeps for.
		const seconds = String(100_000 + Math.floor(Math.random() * 900_000));
		const abort = new AbortController();
		const build = { context: context(`FROM ${BASE_IMAGE}\nRUN sleep ${seconds}\n`) };
		const building = collect(buildImage(engine(), build, abort.signal));
		const outcome = assert.rejects(building, InterruptedError);
		await until(() => processes(seconds).length > 0);
		abort.abort();
		await outcome;
		await until(() => processes(seconds).length === 0);
	});
}

/** What needs BuildKit. */
function behavesAsBuildKit(engine: () => Engine) {
	test("its session is HTTP/2 on the connection that is taken over", async () => {
		const stream = await engine().hijack({
			method: "POST",
			path: "/session",
			protocol: "h2c",
			headers: {
				"X-Docker-Expose-Session-Uuid": randomUUID(),
				"X-Docker-Expose-Session-Name": "test",
			},
			signal,
		});
		const [preface] = (await once(stream, "data")) as [Buffer];
		assert.match(preface.toString("latin1"), /^PRI \* HTTP\/2\.0\r\n\r\nSM\r\n\r\n/);
		stream.destroy();
	});

	test("a build is cancelled by its id, and its step with it", async () => {
		const seconds = String(100_000 + Math.floor(Math.random() * 900_000));
		const buildId = randomUUID();
		const dockerfile = `FROM ${BASE_IMAGE}\nRUN sleep ${seconds}\n`;
		const building = collect(
			buildImage(engine(), { buildId, context: context(dockerfile) }, signal),
		);
		await until(() => processes(seconds).length > 0);
		await cancelBuild(engine(), buildId, signal);
		assert.match((await building).at(-1)?.errorDetail?.message ?? "", /cancel/);
		await until(() => processes(seconds).length === 0);
	});
}

for (const builder of ["buildkit", "classic"] as const) {
	suiteWithDockerd(`the Docker on this machine, with ${builder}`, () => {
		let dockerd: Dockerd;
		let engine: Engine;

		before(async () => {
			dockerd = await startDockerd({ builder });
			engine = await connectEngine(unixTransport(dockerd.socketPath), signal);
			await createBaseImage(engine);
		});
		after(async () => {
			await engine?.[Symbol.asyncDispose]();
			await dockerd?.stop();
			assert.equal(existsSync(dockerd.directory), false);
			assert.deepEqual(processes(dockerd.directory), []);
		});

		test("it says what it is", () => {
			assert.equal(engine.facts.product, "docker");
			assert.equal(engine.facts.builder, builder);
			assert.match(engine.facts.apiVersion, /^1\.\d+$/);
			assert.match(engine.facts.platform, /^linux\//);
		});

		behavesAsAnEngine(() => engine);
		stopsWithItsConnection(() => engine);
		if (builder === "buildkit") behavesAsBuildKit(() => engine);

		describe("with a registry", { skip: whyNoRegistry() ?? false }, () => {
			const login = { username: "me", password: 'p"ä?>~:s' };
			let open: Registry;
			let locked: Registry;

			before(async () => {
				[open, locked] = await Promise.all([startRegistry(), startRegistry({ login })]);
			});
			after(async () => {
				await Promise.all([open?.stop(), locked?.stop()]);
			});

			test("it pushes to one that is open to all", async () => {
				assert.equal(await pushBaseImage(engine, open.host), `${open.host}/busybox:local`);
			});

			test("it pushes to one with a password, by the credentials of the request alone", async () => {
				await pushBaseImage(engine, locked.host, login);
				const name = `${locked.host}/app:1`;
				await tagImage(engine, BASE_IMAGE, name, signal);
				const refused = await collect(pushImage(engine, name, undefined, signal));
				assert.match(refused.at(-1)?.errorDetail?.message ?? "", /no basic auth credentials/);
				await removeImage(engine, name, signal);
			});

			if (builder === "classic") {
				test("its base image may need a password", async () => {
					const name = await pushBaseImage(engine, locked.host, login);
					const build = { pull: true, context: context(`FROM ${name}\n`) };
					const without = await collect(buildImage(engine, build, signal));
					assert.match(without.at(-1)?.errorDetail?.message ?? "", /no basic auth credentials/);
					const registryAuths = { [locked.host]: login };
					const again = { ...build, context: context(`FROM ${name}\n`), registryAuths };
					const lines = await collect(buildImage(engine, again, signal));
					assert.match(lines.at(-1)?.stream ?? "", /Successfully built/);
					await removeImage(engine, name, signal);
				});
			}
		});
	});
}

const modern: Lab | undefined = lab();
const skipLab = modern === undefined ? "there is no ../shared/lab beside this checkout" : false;

for (const [product, builder, socketPath] of [
	["docker", "buildkit", modern?.localDockerSocket],
	["podman", "classic", modern?.localPodmanSocket],
] as const) {
	describe(`the lab's ${product}`, { skip: skipLab }, () => {
		let engine: Engine;

		before(async () => {
			engine = await connectEngine(unixTransport(socketPath ?? ""), signal);
		});
		after(() => engine?.[Symbol.asyncDispose]());

		test("it says what it is", () => {
			assert.equal(engine.facts.product, product);
			assert.equal(engine.facts.builder, builder);
			assert.equal(engine.facts.platform, "linux/amd64");
		});

		behavesAsAnEngine(() => engine);
		if (product === "docker") stopsWithItsConnection(() => engine);
		if (builder === "buildkit") behavesAsBuildKit(() => engine);
	});
}
