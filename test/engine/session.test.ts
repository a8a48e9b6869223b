import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, it, suite } from "node:test";
import { readBuildOutput } from "../../src/build/output/build-output.js";
import { authService, type FindLogin } from "../../src/buildkit/auth.js";
import { newSessionId, openSession } from "../../src/buildkit/session.js";
import { connectEngine } from "../../src/engine/connect-engine.js";
import type { Engine } from "../../src/engine/engine.js";
import { removeImage } from "../../src/engine/images.js";
import { readJsonLines } from "../../src/engine/json-lines.js";
import { BuildFailedError } from "../../src/errors.js";
import type { BuildEvent } from "../../src/events.js";
import { BASE_IMAGE, createBaseImage, pushBaseImage } from "../support/base-image.js";
import { type Dockerd, startDockerd } from "../support/dockerd.js";
import { lab } from "../support/lab.js";
import { type Registry, startRegistry, whyNoRegistry } from "../support/registry.js";
import { suiteWithDockerd } from "../support/requirement.js";
import { NO_TOKENS } from "../support/token-source.js";
import { unixTransport } from "../support/unix-transport.js";

const signal = new AbortController().signal;
const noLogin: FindLogin = async () => undefined;

/** A session dies after about ten seconds without a health check that was answered. */
const LONGER_THAN_A_DEAD_SESSION = `FROM ${BASE_IMAGE}\nRUN sleep 13\n`;

/** Builds a Dockerfile without other files by BuildKit, beside a session. */
async function build(engine: Engine, dockerfile: string, findLogin: FindLogin = noLogin) {
	const events: BuildEvent[] = [];
	const run = { signal, emit: (event: BuildEvent) => void events.push(event) };
	const id = newSessionId();
	const services = [authService(findLogin, NO_TOKENS)];
	await using session = await openSession(engine, { id, services }, run);
	let sessionEnded = false;
	session.closed.then(() => {
		sessionEnded = true;
	});
	const { body } = await engine.request({
		method: "POST",
		path: "/build",
		query: { version: "2", session: id, networkmode: "none", nocache: "1" },
		headers: { "Content-Type": "application/x-tar" },
		body: contextWith(dockerfile),
		signal,
	});
	const text = { displayName: "Dockerfile", content: Buffer.from(dockerfile) };
	const { imageId = "" } = await readBuildOutput(readJsonLines(body), text, run);
	return { imageId, events, sessionEnded };
}

function contextWith(dockerfile: string): Buffer {
	const directory = mkdtempSync(join(tmpdir(), "rbuild-session-"));
	try {
		writeFileSync(join(directory, "Dockerfile"), dockerfile);
		return execFileSync("tar", ["-C", directory, "-c", "Dockerfile"]);
	} finally {
		rmSync(directory, { recursive: true });
	}
}

suiteWithDockerd("a session with dockerd", () => {
	let dockerd: Dockerd;
	let engine: Engine;

	before(async () => {
		dockerd = await startDockerd();
		engine = await connectEngine(unixTransport(dockerd.socketPath), signal);
		await createBaseImage(engine);
	});

	after(async () => {
		await engine?.[Symbol.asyncDispose]();
		await dockerd?.stop();
	});

	it("stays up through a long step", async () => {
		const { imageId, sessionEnded } = await build(engine, LONGER_THAN_A_DEAD_SESSION);
		assert.match(imageId, /^sha256:[0-9a-f]{64}$/);
		assert.equal(sessionEnded, false);
	});

	suite("and a registry with a password", { skip: whyNoRegistry() ?? false }, () => {
		const login = { username: "me", password: "s3cret pa55:word" };
		let registry: Registry;
		let privateImage: string;

		before(async () => {
			registry = await startRegistry({ login });
			privateImage = await pushBaseImage(engine, registry.host, {
				...login,
				serveraddress: registry.host,
			});
		});

		after(() => registry?.stop());

		it("gets a private base image with the login that the session gives", async () => {
			const hosts: string[] = [];
			const { imageId } = await build(engine, `FROM ${privateImage}\nRUN true\n`, async (host) => {
				hosts.push(host);
				return { username: login.username, secret: login.password };
			});
			assert.match(imageId, /^sha256:/);
			assert.deepEqual(new Set(hosts), new Set([registry.host]));
		});

		it("fails at the FROM line without a login", async () => {
			// Another repository: BuildKit may remember the first one's manifest and login.
			const other = privateImage.replace("busybox:local", "busybox:other");
			await assert.rejects(build(engine, `FROM ${other}\n`), (error) => {
				assert.ok(error instanceof BuildFailedError);
				assert.match(error.message, /busybox:other/);
				assert.equal(error.position?.line, 1);
				return true;
			});
		});
	});
});

const modern = lab();

suite("a session with dockerd 28.5", { skip: modern ? false : "there is no lab" }, () => {
	let engine: Engine;

	before(async () => {
		engine = await connectEngine(unixTransport(modern?.localDockerSocket ?? ""), signal);
	});

	after(() => engine?.[Symbol.asyncDispose]());

	it("stays up through a long step", async () => {
		const { imageId, sessionEnded } = await build(engine, LONGER_THAN_A_DEAD_SESSION);
		assert.match(imageId, /^sha256:[0-9a-f]{64}$/);
		assert.equal(sessionEnded, false);
		await removeImage(engine, imageId, signal);
	});
});
