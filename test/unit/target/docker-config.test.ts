import assert from "node:assert/strict";
import {
	chmod,
	lstat,
	mkdir,
	mkdtemp,
	readdir,
	readFile,
	rm,
	stat,
	symlink,
	writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, suite, test } from "node:test";
import type { Environment } from "../../../src/environment.js";
import {
	currentContext,
	dockerConfigFolder,
	useContext,
} from "../../../src/target/docker-config.js";
import { noPermissions, noSymlinks, posixOnly } from "../../support/this-system.js";

suite("docker's config.json", () => {
	let home: string;
	let environment: Environment;
	let path: string;

	beforeEach(async () => {
		home = await mkdtemp(join(tmpdir(), "rbuild-config-"));
		environment = {
			...{ variables: {}, homeDirectory: home, userName: "ann" },
			...{ platform: process.platform, workingDirectory: "/work" },
		};
		path = join(home, ".docker", "config.json");
	});
	afterEach(() => rm(home, { recursive: true }));

	async function write(text: string) {
		await mkdir(join(home, ".docker"));
		await writeFile(path, text, { mode: 0o640 });
	}

	test("is in the home directory, or where DOCKER_CONFIG says", { skip: posixOnly }, () => {
		assert.equal(dockerConfigFolder(environment), join(home, ".docker"));
		const variables = { DOCKER_CONFIG: "conf" };
		assert.equal(dockerConfigFolder({ ...environment, variables }), "/work/conf");
	});

	test("need not be there", async () => {
		assert.equal(await currentContext(environment), undefined);
		await useContext(undefined, environment);
		assert.deepEqual(await readdir(home), []);
	});

	test("may begin with a byte order mark, as editors on Windows write it", async () => {
		await write('\ufeff{"currentContext": "x86box"}');
		assert.equal(await currentContext(environment), "x86box");
		await writeFile(path, '\ufeff{\n"currentContext": oops}');
		await assert.rejects(currentContext(environment), /config\.json:2 is not valid JSON$/);
	});

	test("is made for its user alone", { skip: noPermissions }, async () => {
		await useContext("x86box", environment);
		assert.equal(await readFile(path, "utf8"), '{\n\t"currentContext": "x86box"\n}');
		assert.equal((await stat(path)).mode & 0o777, 0o600);
		assert.equal(await currentContext(environment), "x86box");
	});

	test("keeps all that docker does not know, its order, indentation and permissions", {
		skip: noPermissions,
	}, async () => {
		await write('{\n  "zeta": [1],\n  "currentContext": "old",\n  "auths": {"a": {}}\n}\n');
		await chmod(path, 0o640);
		await useContext("new", environment);
		assert.equal(
			await readFile(path, "utf8"),
			'{\n  "zeta": [\n    1\n  ],\n  "currentContext": "new",\n  "auths": {\n    "a": {}\n  }\n}\n',
		);
		assert.equal((await stat(path)).mode & 0o777, 0o640);
		await useContext(undefined, environment);
		assert.deepEqual(Object.keys(JSON.parse(await readFile(path, "utf8"))), ["zeta", "auths"]);
		assert.deepEqual(await readdir(join(home, ".docker")), ["config.json"]);
	});

	test("stays on one line, and stays a link", { skip: noSymlinks }, async () => {
		await mkdir(join(home, ".docker"));
		const real = join(home, "real.json");
		await writeFile(real, '{"a":1}');
		await symlink(real, path);
		await useContext("x86box", environment);
		assert.equal(await readFile(real, "utf8"), '{"a":1,"currentContext":"x86box"}');
		assert.ok((await lstat(path)).isSymbolicLink());
	});

	test("that is not JSON is left as it is, and not quoted", async () => {
		const text = '{\n"auths": {"a": {"auth": "c2VjcmV0"}}\n"b": 1}';
		await write(text);
		const attempts = [() => currentContext(environment), () => useContext("x86box", environment)];
		for (const attempt of attempts) {
			await assert.rejects(attempt, (error: Error) => {
				assert.equal(error.message, `${path}:3 is not valid JSON`);
				assert.equal(error.cause, undefined);
				return true;
			});
		}
		assert.equal(await readFile(path, "utf8"), text);
	});

	for (const [text, line] of [
		["{", 1],
		['{\n"a": 1,\n}', 3],
		['{\n"a": "b\n"\n}', 2],
		["{}\n\n{}", 3],
		['{\n"a"}', 2],
		['{\n"a": tru,\n"b": 1}', 2],
	] as const) {
		test(`is wrong at line ${line} of ${JSON.stringify(text)}`, async () => {
			await write(text);
			await assert.rejects(currentContext(environment), {
				message: `${path}:${line} is not valid JSON`,
			});
		});
	}

	const skip = process.platform === "linux" ? false : "there is no /proc";
	test("cannot be written where no folder can be made, which ends", { skip }, async () => {
		const variables = { DOCKER_CONFIG: "/proc/rbuild/docker" };
		await assert.rejects(useContext("x86box", { ...environment, variables }), {
			name: "DeliveryError",
			message: "cannot write /proc/rbuild/docker/config.json: no such file or directory",
		});
	});

	test('counts "default" as nothing chosen', async () => {
		await write('{"currentContext": "default"}');
		assert.equal(await currentContext(environment), undefined);
	});
});
