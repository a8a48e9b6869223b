import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { inspect } from "node:util";
import { connectEngine } from "../../src/engine/connect-engine.js";
import type { Engine } from "../../src/engine/engine.js";
import { inspectImage, removeImage, tagImage } from "../../src/engine/images.js";
import { readJsonLines } from "../../src/engine/json-lines.js";
import type { Environment } from "../../src/environment.js";
import { DeliveryError, InterruptedError } from "../../src/errors.js";
import type { BuildEvent } from "../../src/events.js";
import { BlobCache } from "../../src/image/cache/blob-cache.js";
import { registryCredentials } from "../../src/image/credentials/registry-credentials.js";
import { loadDelivery } from "../../src/image/deliveries/load.js";
import { pushDelivery } from "../../src/image/deliveries/push.js";
import { saveDelivery } from "../../src/image/deliveries/save.js";
import type { BuiltImage } from "../../src/image/delivery.js";
import { ImageReturn } from "../../src/image/return/image-return.js";
import { BASE_IMAGE, createBaseImage } from "../support/base-image.js";
import { type Dockerd, startDockerd, whyNoDockerd } from "../support/dockerd.js";
import { type Registry, startRegistry, whyNoRegistry } from "../support/registry.js";
import { unixTransport } from "../support/unix-transport.js";

const skip = whyNoDockerd() ?? whyNoRegistry() ?? false;
const signal = new AbortController().signal;
const PASSWORD = "s3cret-Pa55/word:+";

describe("getting an image from a daemon", { skip, concurrency: false }, () => {
	let daemons: readonly Dockerd[] = [];
	let registry: Registry;
	let lockedRegistry: Registry;
	let remote: Engine;
	let local: Engine;
	let directory: string;
	let image: BuiltImage;
	/** These daemons are not reached over ssh, and push to nobody here: their images come as a whole. */
	let returns: ImageReturn;

	before(async () => {
		directory = mkdtempSync(join(tmpdir(), "rbuild-delivery-"));
		returns = new ImageReturn({ blobs: new BlobCache(join(directory, "cache")), limit: 1e9 });
		[registry, lockedRegistry, ...daemons] = await Promise.all([
			startRegistry(),
			startRegistry({ login: { username: "me", password: PASSWORD } }),
			startDockerd(),
			startDockerd(),
		]);
		[remote, local] = (await Promise.all(
			daemons.map(({ socketPath }) => connectEngine(unixTransport(socketPath), signal)),
		)) as [Engine, Engine];
		await createBaseImage(remote);
		image = { id: await buildImage(remote), tags: ["app", "app:two"] };
		for (const tag of image.tags) await tagImage(remote, image.id, tag, signal);
	});

	after(async () => {
		await Promise.all([remote, local].map((engine) => engine?.[Symbol.asyncDispose]()));
		const services = [...daemons, registry, lockedRegistry];
		await Promise.all(services.map((service) => service?.stop()));
		rmSync(directory, { recursive: true, force: true });
	});

	const run = () => {
		const events: BuildEvent[] = [];
		return { events, signal, emit: (event: BuildEvent) => void events.push(event) };
	};

	/** An environment whose config.json is the given one. */
	const environment = (config: unknown): Environment => {
		const folder = mkdtempSync(join(directory, "config-"));
		writeFileSync(join(folder, "config.json"), JSON.stringify(config));
		return {
			variables: { DOCKER_CONFIG: folder, PATH: `${folder}:${process.env.PATH}` },
			homeDirectory: folder,
			userName: "me",
			platform: process.platform,
			workingDirectory: folder,
		};
	};

	const push = async (name: string, user: Environment) => {
		await tagImage(remote, image.id, name, signal);
		const news = run();
		const delivery = pushDelivery(name, registryCredentials(user, news));
		const report = await delivery.deliver(remote, { ...image, tags: [name] }, news);
		return { report, events: news.events };
	};

	const basicAuth = (password: string) => Buffer.from(`me:${password}`).toString("base64");

	describe("by a push", () => {
		it("tells the digest under which the registry then has the image", async () => {
			const name = `${registry.host}/team/app:1.0`;
			const { report, events } = await push(name, environment({}));
			const manifest = await fetch(`http://${registry.host}/v2/team/app/manifests/1.0`, {
				headers: { Accept: "application/vnd.docker.distribution.manifest.v2+json" },
			});
			assert.equal(report.destination, name);
			assert.equal(report.bytes, 0);
			assert.equal(report.digest, manifest.headers.get("docker-content-digest"));
			const document = (await manifest.json()) as { config: { digest: string } };
			assert.equal(document.config.digest, image.id);
			assert.deepEqual(
				events.flatMap((event) => (event.type === "deliver" ? [event.status] : [])).at(-1),
				"done",
			);
			assert.ok(events.some((event) => event.type === "deliver" && event.detail?.includes("Push")));
		});

		it("logs in with what docker login left in config.json", async () => {
			const auths = { [lockedRegistry.host]: { auth: basicAuth(PASSWORD) } };
			const { report } = await push(`${lockedRegistry.host}/app:1`, environment({ auths }));
			assert.match(report.digest ?? "", /^sha256:[0-9a-f]{64}$/);
		});

		it("logs in with what a credential helper says", async () => {
			const user = environment({ credHelpers: { [lockedRegistry.host]: "test" } });
			const answer = JSON.stringify({ Username: "me", Secret: PASSWORD });
			writeFileSync(
				join(user.homeDirectory, "docker-credential-test"),
				`#!/bin/sh\n[ "$(cat)" = ${lockedRegistry.host} ] && echo '${answer}'\n`,
				{ mode: 0o755 },
			);
			const { report } = await push(`${lockedRegistry.host}/app:2`, user);
			assert.match(report.digest ?? "", /^sha256:[0-9a-f]{64}$/);
		});

		it("says who refused it, and how to log in, when there are no credentials", async () => {
			const name = `${lockedRegistry.host}/app:3`;
			await assert.rejects(push(name, environment({})), (error: DeliveryError) => {
				assert.ok(error instanceof DeliveryError);
				assert.match(error.message, new RegExp(`^cannot push ${name} to ${lockedRegistry.host}: `));
				assert.match(error.message, /no basic auth credentials/);
				assert.match(error.hint ?? "", new RegExp(`docker login ${lockedRegistry.host}`));
				return true;
			});
		});

		it("shows no password when the registry does not take it", async () => {
			const auths = { [lockedRegistry.host]: { auth: basicAuth(`${PASSWORD}-old`) } };
			const pushed = push(`${lockedRegistry.host}/app:4`, environment({ auths }));
			await assert.rejects(pushed, (error: DeliveryError) => {
				assert.ok(error instanceof DeliveryError);
				assert.match(error.hint ?? "", /does not accept the login/);
				const shown = inspect(error, { depth: null, showHidden: true });
				assert.ok(!shown.includes(PASSWORD) && !shown.includes(basicAuth(`${PASSWORD}-old`)));
				return true;
			});
		});

		it("says that the daemon's machine must reach the registry when it does not", async () => {
			await assert.rejects(push("127.0.0.1:1/app:1", environment({})), {
				name: "DeliveryError",
				hint: /from its machine; from this one it is made with --via client/,
			});
		});
	});

	describe("by a file", () => {
		for (const name of ["image.tar", "image.tar.gz"]) {
			it(`writes ${name} for docker load, with the same id and all tags`, async () => {
				const path = join(directory, name);
				const news = run();
				const report = await saveDelivery({ path, format: "docker" }, returns).deliver(
					remote,
					image,
					news,
				);
				assert.equal(report.destination, path);
				assert.equal(readFileSync(path).readUInt16BE(0) === 0x1f8b, name.endsWith(".gz"));

				const socket = `unix://${daemons[1]?.socketPath}`;
				execFileSync("docker", ["-H", socket, "load", "-i", path], { stdio: "pipe" });
				for (const tag of image.tags) {
					assert.equal((await inspectImage(local, tag, signal)).id, image.id);
					await removeImage(local, tag.includes(":") ? tag : `${tag}:latest`, signal);
				}
				assert.deepEqual(temporaryFiles(directory), []);
			});
		}

		it("writes an image without a tag by its id", async () => {
			const path = join(directory, "untagged.tar");
			await saveDelivery({ path, format: "docker" }, returns).deliver(
				remote,
				{ id: image.id, tags: [] },
				run(),
			);
			const manifest = execFileSync("tar", ["-xOf", path, "manifest.json"], { encoding: "utf8" });
			assert.equal(JSON.parse(manifest)[0].Config.match(/[0-9a-f]{64}/)[0], image.id.slice(7));
		});

		it("refuses to save what has the tag by now, when that is another image", async () => {
			const path = join(directory, "moved.tar");
			await tagImage(remote, BASE_IMAGE, "moved", signal);
			const delivered = saveDelivery({ path, format: "docker" }, returns).deliver(
				remote,
				{ ...image, tags: ["moved"] },
				run(),
			);
			await assert.rejects(delivered, {
				name: "DeliveryError",
				message: /an archive without image/,
			});
			assert.deepEqual(
				readdirSync(directory).filter((file) => file === "moved.tar"),
				[],
			);
			assert.deepEqual(temporaryFiles(directory), []);
		});

		it("leaves the file that was there when it is interrupted", async () => {
			const path = join(directory, "kept.tar");
			writeFileSync(path, "what was there");
			const controller = new AbortController();
			const emit = (event: BuildEvent) => {
				if (event.type === "deliver" && event.status === "progress") controller.abort();
			};
			const delivered = saveDelivery({ path, format: "docker" }, returns).deliver(remote, image, {
				emit,
				signal: controller.signal,
			});
			await assert.rejects(delivered, InterruptedError);
			assert.equal(readFileSync(path, "utf8"), "what was there");
			assert.deepEqual(temporaryFiles(directory), []);
		});

		it("says so, and leaves nothing, when the disk is full", async () => {
			// The daemon's keeper also unmounts what is in that directory when this process dies.
			const mount = mkdtempSync(join(daemons[0]?.directory ?? "", "small-"));
			execFileSync("mount", ["-t", "tmpfs", "-o", "size=512k", "tmpfs", mount]);
			try {
				const path = join(mount, "image.tar");
				await assert.rejects(
					saveDelivery({ path, format: "docker" }, returns).deliver(remote, image, run()),
					{
						name: "DeliveryError",
						message: `cannot save to ${path}: no space left on the disk`,
					},
				);
				assert.deepEqual(readdirSync(mount), []);
			} finally {
				execFileSync("umount", [mount]);
			}
		});
	});

	describe("by loading it into another daemon", () => {
		it("gives that daemon the same image under the same tags", async () => {
			const report = await loadDelivery(async () => local, returns).deliver(remote, image, run());
			assert.equal(report.destination, local.transport.target);
			assert.ok(report.bytes > 1_000_000);
			for (const tag of image.tags) {
				assert.equal((await inspectImage(local, tag, signal)).id, image.id);
			}
		});

		it("takes an image without a tag by its id", async () => {
			const untagged = { id: await buildImage(remote, "LABEL untagged=yes"), tags: [] };
			await loadDelivery(async () => local, returns).deliver(remote, untagged, run());
			assert.equal((await inspectImage(local, untagged.id, signal)).id, untagged.id);
		});
	});
});

function temporaryFiles(directory: string): string[] {
	return readdirSync(directory).filter((name) => name.endsWith(".tmp"));
}

/** Builds on BASE_IMAGE with the classic builder. @returns the image id */
async function buildImage(engine: Engine, instruction = "LABEL app=yes"): Promise<string> {
	const context = mkdtempSync(join(tmpdir(), "rbuild-delivery-context-"));
	writeFileSync(join(context, "Dockerfile"), `FROM ${BASE_IMAGE}\nCOPY . /app\n${instruction}\n`);
	const body = execFileSync("tar", ["-C", context, "-c", "."]);
	rmSync(context, { recursive: true });
	const headers = { "Content-Type": "application/x-tar" };
	const response = await engine.request({ method: "POST", path: "/build", headers, body, signal });
	let id: string | undefined;
	for await (const line of readJsonLines(response.body)) {
		const { error, aux } = line as { error?: string; aux?: { ID?: string } };
		if (error !== undefined) throw new Error(error);
		id = aux?.ID ?? id;
	}
	assert.ok(id);
	return id;
}
