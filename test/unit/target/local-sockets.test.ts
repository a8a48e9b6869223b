import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { Environment } from "../../../src/environment.js";
import { localSocket } from "../../../src/target/local-sockets.js";

const windows = { platform: "win32", variables: {}, homeDirectory: "/" } as unknown as Environment;
const pipe = "\\\\.\\pipe\\docker_engine";

suite("the local daemon on Windows", () => {
	test("is that of docker's pipe", async () => {
		const asked: string[] = [];
		const found = await localSocket(windows, async (folder) => {
			asked.push(folder);
			return ["other", "docker_engine", "docker_engine_linux"];
		});
		assert.equal(found, pipe);
		assert.deepEqual(asked, ["\\\\.\\pipe\\"]);
	});

	test("is missed where there is no such pipe", async () => {
		assert.equal(await localSocket(windows, async () => ["docker_engine_linux"]), undefined);
	});

	test("is believed in where the pipes cannot be listed", async () => {
		assert.equal(await localSocket(windows, () => Promise.reject(new Error("EINVAL"))), pipe);
		assert.equal(await localSocket(windows, async () => []), pipe);
	});
});
