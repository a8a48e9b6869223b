import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { inspectImage, removeImage } from "../../src/engine/images.js";
import type { BuildReport } from "../../src/events.js";
import type { Box } from "../support/box.js";
import { rbuild } from "../support/cli.js";
import { lab, labBox } from "../support/lab.js";

const { signal } = new AbortController();
const here = lab();
const NAME = "rbuild-podman-returns";
const BELOW_BYTES = 1_000_000;
const TOP_BYTES = 100_000;

suite("images and podman 5.8", { skip: here ? false : "there is no lab" }, () => {
	let podman: Box;
	let directory: string;

	before(async () => {
		if (here === undefined) return;
		const { networkHost, podmanSocket, localPodmanSocket, sshConfigFile } = here;
		podman = await labBox(`ssh://${networkHost}${podmanSocket}`, localPodmanSocket, sshConfigFile);
		directory = mkdtempSync(join(tmpdir(), "rbuild-podman-"));
		mkdirSync(join(directory, "context"));
		// Podman asks for a layer by few of the digests it knows, and of a base it may know many by now.
		const dockerfile = "FROM scratch\nCOPY below /\nCOPY top /\n";
		writeFileSync(join(directory, "context/Dockerfile"), dockerfile);
	});
	after(async () => {
		await removeImage(podman.engine, NAME, signal).catch(() => {});
		await podman[Symbol.asyncDispose]();
		rmSync(directory, { recursive: true, force: true });
	});

	function change(...files: readonly ("below" | "top")[]): void {
		for (const file of files) {
			const bytes = randomBytes(file === "below" ? BELOW_BYTES : TOP_BYTES);
			writeFileSync(join(directory, "context", file), bytes);
		}
	}

	async function delivered(box: readonly string[], ...args: readonly string[]) {
		const metadata = join(directory, "report.json");
		const { code, stderr } = await rbuild(
			[join(directory, "context"), "-t", NAME, ...args, "--metadata-file", metadata, ...box],
			{
				env: {
					XDG_CACHE_HOME: join(directory, "cache"),
					DOCKER_HOST: `unix://${here?.localPodmanSocket}`,
				},
			},
		);
		assert.equal(code, 0, stderr);
		const { imageId, deliveries } = JSON.parse(readFileSync(metadata, "utf8")) as BuildReport;
		return { imageId, bytes: deliveries[0]?.bytes ?? 0, whole: deliveries[0]?.whole };
	}

	test("come from it by their layers", async () => {
		const save = ["--save", join(directory, "app.tar")];
		change("below", "top");
		const first = await delivered(podman.flags, ...save);
		assert.equal(first.whole, undefined);
		assert.ok(first.bytes > BELOW_BYTES);
		change("top");
		const { bytes } = await delivered(podman.flags, ...save);
		assert.ok(bytes > TOP_BYTES && bytes < TOP_BYTES + 64 * 1024, `${bytes} bytes`);
	});

	test("are loaded into it, and only new layers came for them", async () => {
		if (here === undefined) return;
		const docker = ["--on", here.networkHost, "--ssh-config", here.sshConfigFile];
		const flags = [...docker, "--transfer", "sync"];
		change("below", "top");
		await delivered(flags, "--load");
		change("top");
		const { imageId, bytes } = await delivered(flags, "--load");
		assert.ok(bytes > TOP_BYTES && bytes < TOP_BYTES + 64 * 1024, `${bytes} bytes`);
		assert.equal((await inspectImage(podman.engine, NAME, signal)).id, imageId);
	});
});
