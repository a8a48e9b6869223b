import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { suite, test } from "node:test";
import { removeImage } from "../../src/engine/images.js";
import type { BuildReport } from "../../src/events.js";
import { BASE_IMAGE } from "../support/base-image.js";
import { startBox } from "../support/box.js";
import { rbuild } from "../support/cli.js";
import { lab, labBox } from "../support/lab.js";
import { startRegistry } from "../support/registry.js";
import { suiteWithDockerd } from "../support/requirement.js";
import { testClientPushes } from "./client-pushes.js";

const here = lab();
const { signal } = new AbortController();

suiteWithDockerd("a push from here of what docker 20.10 has built", () => {
	testClientPushes({ open: () => startBox(), pullsBack: true });
});

suite("a push from here of what docker 28.5 has built", {
	skip: here ? false : "there is no lab",
}, () => {
	if (here === undefined) return;
	const { networkHost, localDockerSocket, sshConfigFile } = here;
	testClientPushes({
		open: () => labBox(networkHost, localDockerSocket, sshConfigFile),
		pullsBack: false,
	});
});

suiteWithDockerd("a push from here of what a box has built that forwards nothing", () => {
	test("has the image come as a whole, once, and go by its layers", async () => {
		await using box = await startBox({ config: ["AllowTcpForwarding local"] });
		await using registry = await startRegistry();
		const context = mkdtempSync(join(tmpdir(), "rbuild-client-push-"));
		try {
			writeFileSync(join(context, "file"), randomBytes(1_000_000));
			// The last two layers are the same one, of which docker 20.10 writes a link.
			const copies = "COPY file /a\nRUN rm /a\nCOPY file /a\n";
			writeFileSync(join(context, "Dockerfile"), `FROM ${BASE_IMAGE}\n${copies}`);
			const tags = ["1", "2"].map((tag) => `${registry.host}/app:${tag}`);
			const metadata = join(context, "..", `${basename(context)}.json`);
			const args = [context, ...tags.flatMap((tag) => ["-t", tag]), "--push", "--via", "client"];
			const { code, stderr } = await rbuild(
				[...args, "--metadata-file", metadata, "--progress", "plain", ...box.flags],
				{ env: { XDG_CACHE_HOME: join(context, "cache") } },
			);
			assert.equal(code, 0, stderr);
			const { imageId, deliveries }: BuildReport = JSON.parse(readFileSync(metadata, "utf8"));
			rmSync(metadata);
			const [first, second] = deliveries;
			assert.match(first?.whole ?? "", /^the ssh server does not allow reverse forwarding$/);
			assert.ok((first?.bytes ?? 0) > 1_000_000);
			assert.deepEqual([second?.bytes, second?.sentBytes, second?.digest], [0, 0, first?.digest]);
			assert.match(
				stderr,
				/app:1 \(.*, the whole image: the ssh server does not allow reverse forwarding\)$/m,
			);

			const docker = (...args: readonly string[]) =>
				execFileSync("docker", ["-H", `unix://${box.socketPath}`, ...args], { encoding: "utf8" });
			for (const tag of tags) await removeImage(box.engine, tag, signal);
			docker("pull", "-q", `${registry.host}/app@${first?.digest}`);
			const pulled = docker("inspect", "-f", "{{.Id}}", `${registry.host}/app@${first?.digest}`);
			assert.equal(pulled.trim(), imageId);
		} finally {
			rmSync(context, { recursive: true });
		}
	});
});
