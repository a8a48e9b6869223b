import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Engine } from "../../src/engine/engine.js";
import { pushImage, removeImage, tagImage } from "../../src/engine/images.js";
import { readJsonLines } from "../../src/engine/json-lines.js";
import type { RegistryAuth } from "../../src/engine/registry-auth.js";

/** A shell and some two hundred small programs, about 2 MB, for FROM lines where no registry is. */
export const BASE_IMAGE = "busybox:local";

const signal = new AbortController().signal;

/** Puts BASE_IMAGE into a daemon's store; its programs are this machine's, so is its platform. */
export async function createBaseImage(engine: Engine): Promise<void> {
	const [repo = "", tag = ""] = BASE_IMAGE.split(":");
	const { body } = await engine.request({
		method: "POST",
		path: "/images/create",
		query: { fromSrc: "-", repo, tag, changes: ['CMD ["/bin/sh"]', "ENV PATH=/bin"] },
		headers: { "Content-Type": "application/x-tar" },
		body: rootFileSystem(),
		signal,
	});
	await expectSuccess(readJsonLines(body));
}

/** Has the daemon push BASE_IMAGE to a registry, under this name or another, and forget that it did. @returns its name there */
export async function pushBaseImage(
	engine: Engine,
	registryHost: string,
	auth?: RegistryAuth,
	repository = BASE_IMAGE,
): Promise<string> {
	const name = `${registryHost}/${repository}`;
	await tagImage(engine, BASE_IMAGE, name, signal);
	await expectSuccess(pushImage(engine, name, auth, signal));
	await removeImage(engine, name, signal);
	return name;
}

async function expectSuccess(lines: AsyncIterable<unknown>): Promise<void> {
	for await (const line of lines) {
		const { error } = line as { error?: string };
		if (error !== undefined) throw new Error(error);
	}
}

let packed: Buffer | undefined;

function rootFileSystem(): Buffer {
	if (packed !== undefined) return packed;
	const root = mkdtempSync(join(tmpdir(), "rbuild-busybox-"));
	try {
		for (const name of ["bin", "etc", "tmp"]) mkdirSync(join(root, name));
		const busybox = execFileSync("sh", ["-c", "command -v busybox"], { encoding: "utf8" }).trim();
		copyFileSync(busybox, join(root, "bin/busybox"));
		for (const name of execFileSync(busybox, ["--list"], { encoding: "utf8" }).split(/\s+/)) {
			if (name !== "" && name !== "busybox") symlinkSync("busybox", join(root, "bin", name));
		}
		const order = ["--sort=name", "--mtime=@0", "--owner=0", "--group=0", "--numeric-owner"];
		packed = execFileSync("tar", [...order, "-C", root, "-c", "."], { maxBuffer: 1 << 28 });
		return packed;
	} finally {
		rmSync(root, { recursive: true });
	}
}
