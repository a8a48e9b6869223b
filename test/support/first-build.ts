import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { rbuild } from "./cli.js";
import { startFakeDaemon, streams } from "./fake-daemon.js";

/**
 * Builds something, and so makes rbuild keep its compiled code: with that it starts in three quarters of the
 * time.
 * @param folder an empty one, to work in
 * @returns the cache, for tests to start with
 */
export async function cacheAfterFirstBuild(folder: string): Promise<string> {
	const root = join(folder, "context");
	const cache = join(folder, "cache");
	mkdirSync(root);
	writeFileSync(join(root, "Dockerfile"), "FROM scratch\n");
	await using daemon = await startFakeDaemon({
		routes: {
			"GET /_ping": (_request, response) => {
				response.writeHead(200, { "Api-Version": "1.47", Ostype: "linux", "Builder-Version": "1" });
				response.end("OK");
			},
			"POST /build": streams({ aux: { ID: `sha256:${"0".repeat(64)}` } }),
		},
	});
	const args = [root, "--on", daemon.url];
	const { code, stderr } = await rbuild(args, {
		env: { XDG_CACHE_HOME: cache, LOCALAPPDATA: cache },
	});
	assert.equal(code, 0, stderr);
	return cache;
}
