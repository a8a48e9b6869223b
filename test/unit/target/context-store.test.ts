import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, suite, test } from "node:test";
import type { Environment } from "../../../src/environment.js";
import { removeContext, writeContext } from "../../../src/target/context-changes.js";
import {
	contextFolders,
	isContextName,
	listContexts,
	readContext,
} from "../../../src/target/context-store.js";
import { noPermissions } from "../../support/this-system.js";

suite("docker's contexts", () => {
	let home: string;
	let environment: Environment;

	beforeEach(async () => {
		home = await mkdtemp(join(tmpdir(), "rbuild-contexts-"));
		environment = {
			...{ variables: {}, homeDirectory: home, userName: "ann" },
			...{ platform: process.platform, workingDirectory: "/" },
		};
	});
	afterEach(() => rm(home, { recursive: true }));

	async function writeMeta(name: string, text: string): Promise<string> {
		const folder = contextFolders(name, environment).meta;
		await mkdir(folder, { recursive: true });
		await writeFile(join(folder, "meta.json"), text);
		return join(folder, "meta.json");
	}

	const content = {
		...{ name: "x86box", description: "the fast one", host: "tcp://box:2376" },
		skipTlsVerify: false,
		tls: { ca: Buffer.from("CA"), key: Buffer.from("KEY") },
	};

	test("are where docker looks for them, as docker writes them", {
		skip: noPermissions,
	}, async () => {
		await writeContext(content, environment);
		const folders = contextFolders("x86box", environment);
		const id = "8585956bad5c4eec5074489cd994355356650e42d02c7b81e4bed005b213d26b";
		assert.equal(folders.meta, join(home, ".docker/contexts/meta", id));
		assert.equal(
			await readFile(join(folders.meta, "meta.json"), "utf8"),
			'{"Name":"x86box","Metadata":{"Description":"the fast one"},"Endpoints":{"docker":{"Host":"tcp://box:2376","SkipTLSVerify":false}}}',
		);
		const pems = join(folders.tls, "docker");
		assert.deepEqual(await readdir(pems), ["ca.pem", "key.pem"]);
		assert.equal((await stat(join(pems, "key.pem"))).mode & 0o777, 0o600);
		assert.equal((await stat(pems)).mode & 0o777, 0o700);
		assert.deepEqual(await readContext("x86box", environment), {
			...{ name: "x86box", description: "the fast one", host: "tcp://box:2376" },
			skipTlsVerify: false,
			tlsFiles: { ca: join(pems, "ca.pem"), key: join(pems, "key.pem") },
		});
	});

	test("go with all that they had", async () => {
		await writeContext(content, environment);
		await removeContext("x86box", environment);
		assert.equal(await readContext("x86box", environment), undefined);
		const store = join(home, ".docker/contexts");
		assert.deepEqual(await readdir(join(store, "meta")), []);
		assert.deepEqual(await readdir(join(store, "tls")), []);
	});

	test("may be written in another case and by other programs", async () => {
		const text =
			'{"name":"other","metadata":{"Extra":1},"endpoints":{"docker":{"host":"ssh://a"}}}';
		await writeMeta("other", text);
		const [context] = await listContexts(environment);
		assert.ok(context !== undefined && "host" in context);
		assert.equal(context.host, "ssh://a");
		assert.equal(context.description, "");
	});

	test("are listed by name, with those that cannot be used", async () => {
		assert.deepEqual(await listContexts(environment), []);
		await writeContext({ ...content, name: "box10" }, environment);
		await writeContext({ ...content, name: "box9" }, environment);
		const path = await writeMeta("zeta", '{"Name":"zeta",\n"Endpoints"}');
		await writeMeta("zz-none", '{"Name":"zz-none","Endpoints":{"kubernetes":{}}}');
		const listed = await listContexts(environment);
		assert.deepEqual(
			listed.map((context) => ("error" in context ? context.error.message : context.name)).sort(),
			[
				"box10",
				"box9",
				`${join(contextFolders("zz-none", environment).meta, "meta.json")} has no docker endpoint`,
				`${path}:2 is not valid JSON`,
			].sort(),
		);
		const names = listed.map(({ name }) => name);
		assert.ok(names.indexOf("box9") < names.indexOf("box10"));
	});

	test("say which file is broken", async () => {
		const path = await writeMeta("broken", "not json");
		await assert.rejects(readContext("broken", environment), (error: Error) => {
			assert.equal(error.name, "UsageError");
			assert.equal(error.message, `${path}:1 is not valid JSON`);
			return true;
		});
	});

	for (const [name, isName] of [
		["x86box", true],
		["a.b_c+d-e", true],
		["a", false],
		["-a", false],
		["me@box", false],
		["default", false],
		["", false],
		["ab/../c", false],
	] as const) {
		test(`${JSON.stringify(name)} is ${isName ? "a" : "no"} name`, () => {
			assert.equal(isContextName(name), isName);
		});
	}
});
