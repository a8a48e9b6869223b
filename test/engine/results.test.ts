import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { gunzipSync } from "node:zlib";
import { connectEngine } from "../../src/engine/connect-engine.js";
import { inspectImage, removeImage } from "../../src/engine/images.js";
import { BASE_IMAGE, pushBaseImage } from "../support/base-image.js";
import { type Box, startBox } from "../support/box.js";
import { rbuild } from "../support/cli.js";
import { type Dockerd, startDockerd } from "../support/dockerd.js";
import { pushForeignImage } from "../support/foreign-image.js";
import { type Registry, startRegistry } from "../support/registry.js";
import { suiteWithDockerd } from "../support/requirement.js";
import { unixTransport } from "../support/unix-transport.js";

const { signal } = new AbortController();
const login = { username: "me", password: "s3cret-pa55word" };

for (const builder of ["buildkit", "classic"] as const) {
	suiteWithDockerd(`what becomes of the image, ${builder}`, () => {
		let box: Box;
		let local: Dockerd;
		let registry: Registry;
		let directory: string;
		let root: string;

		before(async () => {
			[box, local, registry] = await Promise.all([
				startBox({ builder }),
				startDockerd({ builder }),
				startRegistry({ login }),
			]);
			directory = mkdtempSync(join(tmpdir(), "rbuild-test-"));
			root = join(directory, "context");
			mkdirSync(root);
			writeFileSync(join(root, "Dockerfile"), `FROM ${BASE_IMAGE}\nRUN echo ${builder} > /made\n`);
		});
		after(async () => {
			await Promise.all([box[Symbol.asyncDispose](), local.stop(), registry.stop()]);
			rmSync(directory, { recursive: true, force: true });
		});

		/** A DOCKER_CONFIG folder with the credentials of the registry. */
		function dockerConfig(password: string): string {
			const folder = mkdtempSync(join(directory, "docker-"));
			const auth = Buffer.from(`${login.username}:${password}`).toString("base64");
			writeFileSync(
				join(folder, "config.json"),
				JSON.stringify({ auths: { [registry.host]: { auth } } }),
			);
			return folder;
		}

		test("is saved, loaded and pushed in one go, and is the same everywhere", async () => {
			const tag = `${registry.host}/team/app:1`;
			const file = join(directory, "app.tar.gz");
			const second = join(directory, "app.tar");
			const { code, stderr } = await rbuild(
				[root, "-t", tag, "--push", "--save", file, "--save", second, "--load", ...box.flags],
				{
					env: {
						DOCKER_CONFIG: dockerConfig(login.password),
						DOCKER_HOST: `unix://${local.socketPath}`,
					},
				},
			);
			assert.equal(code, 0, stderr);
			const { id } = await inspectImage(box.engine, tag, signal);
			await using here = await connectEngine(unixTransport(local.socketPath), signal);
			assert.equal((await inspectImage(here, tag, signal)).id, id);

			await removeImage(here, tag, signal);
			execFileSync("docker", ["--host", `unix://${local.socketPath}`, "load", "-i", file]);
			assert.equal((await inspectImage(here, tag, signal)).id, id);

			assert.match(stderr, new RegExp(`pushed to ${registry.host}/team/app:1@sha256:[0-9a-f]{64}`));
			assert.match(stderr, /saved to \S+app\.tar\.gz/);
			assert.match(stderr, /saved to \S+app\.tar\b/);
			assert.deepEqual(gunzipSync(readFileSync(file)), readFileSync(second));
			assert.match(stderr, /loaded into local docker/);
			assert.doesNotMatch(stderr, new RegExp(login.password));
		});

		test("goes to the standard output, and nothing else does", async () => {
			const saved = await rbuild([
				root,
				"-t",
				"piped",
				"--save",
				"-",
				"--progress",
				"plain",
				...box.flags,
			]);
			assert.equal(saved.code, 0, saved.stderr);
			// As text some bytes were replaced, but not those of the names in a tar.
			assert.match(saved.stdout, /manifest\.json/);
			assert.doesNotMatch(saved.stdout, /uploaded|saved to/);
		});

		test("is refused by a registry that does not know the password, with the registry's words", async () => {
			const { code, stderr } = await rbuild(
				[root, "-t", `${registry.host}/team/app:2`, "--push", ...box.flags],
				{ env: { DOCKER_CONFIG: dockerConfig("wrong-pa55word") } },
			);
			assert.equal(code, 6, stderr);
			assert.match(
				stderr,
				/^error: .*team\/app:2.*(unauthorized|authentication|denied|credentials)/im,
			);
			assert.match(stderr, new RegExp(`^hint: .*${registry.host}`, "m"));
			assert.doesNotMatch(stderr, /wrong-pa55word/);
		});

		test("may come from a private base image, by the credentials on this side", async () => {
			const base = await pushBaseImage(box.engine, registry.host, login);
			const dockerfile = `FROM ${base}\nRUN echo private > /made\n`;
			const build = (config: string) =>
				rbuild(["-", "-t", "private", "--pull", ...box.flags], {
					input: dockerfile,
					env: { DOCKER_CONFIG: config },
				});
			const refused = await build(join(directory, "no-config"));
			assert.equal(refused.code, 1, refused.stderr);
			assert.match(refused.stderr, /no basic auth credentials|unauthorized|authorization failed/i);
			assert.match(refused.stderr, /^error: .*cannot get the image .* denies access/m);
			assert.match(refused.stderr, /^hint: .*docker login/m);
			const { code, stderr } = await build(dockerConfig(login.password));
			assert.equal(code, 0, stderr);
			assert.doesNotMatch(stderr, new RegExp(login.password));
		});

		test("cannot come from a base image that is made for other platforms", async () => {
			const auth = Buffer.from(`${login.username}:${login.password}`).toString("base64");
			const base = await pushForeignImage(registry.host, `Basic ${auth}`);
			const { code, stderr } = await rbuild(["-", "-t", "foreign", ...box.flags], {
				input: `FROM ${base}\nRUN echo foreign > /made\n`,
				env: { DOCKER_CONFIG: dockerConfig(login.password) },
			});
			assert.equal(code, 1, stderr);
			assert.match(stderr, /^error: .*cannot get the image .* is not available for this platform/m);
			assert.match(stderr, /^hint: look at FROM and --platform/m);
		});

		test("is kept on the box when the disk is too full to save it, and no file is left", async () => {
			const disk = join(directory, "disk");
			mkdirSync(disk);
			execFileSync("mount", ["-t", "tmpfs", "-o", "size=512k", "tmpfs", disk]);
			try {
				const { code, stderr } = await rbuild([
					...[root, "-t", "full", "--save", join(disk, "app.tar"), ...box.flags],
				]);
				assert.equal(code, 6, stderr);
				assert.match(stderr, /^error: .*app\.tar.*no space left on the disk/im);
				assert.deepEqual(readdirSync(disk), []);
				await inspectImage(box.engine, "full", signal);
			} finally {
				execFileSync("umount", [disk]);
			}
		});

		test("has its id and report in files even when nothing is delivered", async () => {
			const iidfile = join(directory, "iid");
			writeFileSync(iidfile, "stale");
			const failing = await rbuild(["-", "--iidfile", iidfile, ...box.flags], {
				input: `FROM ${BASE_IMAGE}\nRUN exit 1\n`,
			});
			assert.equal(failing.code, 1);
			assert.throws(() => readFileSync(iidfile), { code: "ENOENT" });
		});
	});
}
