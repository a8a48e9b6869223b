import { spawnSync } from "node:child_process";
import { buffer } from "node:stream/consumers";
import type { Engine } from "../../src/engine/engine.js";

const signal = new AbortController().signal;

/** What a folder of an image holds, as `tar -tv` without owners and times shows it, sorted. */
export async function imageListing(
	engine: Engine,
	image: string,
	folder: string,
): Promise<readonly string[]> {
	const listing = tar(await imageFolder(engine, image, folder), "-tv", "--full-time");
	return listing
		.split("\n")
		.filter((line) => line !== "")
		.map((line) => line.replace(/^(\S+) \S+ +\d+ \S+ \S+ /, "$1 "))
		.sort();
}

export async function imageFile(engine: Engine, image: string, file: string): Promise<string> {
	return tar(await imageFolder(engine, image, file), "-xO");
}

/** A file or folder of an image, as a tar. */
export async function imageFolder(engine: Engine, image: string, path: string): Promise<Buffer> {
	const container = (await engine.json({
		method: "POST",
		path: "/containers/create",
		headers: { "Content-Type": "application/json" },
		body: JSON.stringify({ Image: image, Cmd: ["/none"] }),
		signal,
	})) as { Id: string };
	const at = `/containers/${container.Id}`;
	try {
		const { body } = await engine.request({
			method: "GET",
			path: `${at}/archive`,
			query: { path },
			signal,
		});
		return await buffer(body);
	} finally {
		const { body } = await engine.request({ method: "DELETE", path: at, signal });
		body.resume();
	}
}

function tar(archive: Buffer, ...flags: string[]): string {
	const { stdout, stderr, status } = spawnSync("tar", [...flags, "-f", "-"], {
		input: archive,
		encoding: "utf8",
		maxBuffer: 1 << 28,
	});
	if (status !== 0) throw new Error(stderr);
	return stdout;
}
