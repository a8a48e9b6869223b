import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, beforeEach, suite, test } from "node:test";
import { rbuildHere } from "../../../support/called-program.js";
import { type FakeDaemon, neverAnswers, startFakeDaemon } from "../../../support/fake-daemon.js";

suite("rbuild hosts", { skip: process.platform === "win32" }, () => {
	let directory: string;
	let daemon: FakeDaemon;
	before(async () => {
		daemon = await startFakeDaemon();
	});
	after(() => daemon.stop());
	beforeEach(() => {
		directory = mkdtempSync(join(tmpdir(), "rbuild-hosts-"));
	});
	afterEach(() => rmSync(directory, { recursive: true }));

	function hosts(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
		const config = { HOME: directory, DOCKER_CONFIG: join(directory, "docker") };
		const sshConfig = join(directory, "ssh_config");
		if (!existsSync(sshConfig)) writeFileSync(sshConfig, "");
		return rbuildHere(["hosts", ...args, "--ssh-config", sshConfig], {
			env: { ...config, ...env },
		});
	}

	async function documents(args: readonly string[] = [], env = {}) {
		const { stdout, stderr } = await hosts(["--format", "json", ...args], env);
		assert.equal(stderr, "");
		return JSON.parse(stdout);
	}

	test("adds a box, which is then there by its name", async () => {
		const added = await hosts(["add", "fake", daemon.url, "--description", "a fake"]);
		assert.deepEqual(added, { code: 0, stdout: "fake\n", stderr: "" });
		const [, fake] = await documents();
		assert.ok(fake.latencyMs >= 0);
		assert.deepEqual(
			{ ...fake, latencyMs: 0 },
			{
				...{ name: "fake", kind: "context", current: false, description: "a fake" },
				...{ endpoint: daemon.url, tls: false, platform: "linux/amd64" },
				engine: {
					...{ product: "docker", version: "28.5.2", apiVersion: "1.51" },
					...{ platform: "linux/amd64", builder: "buildkit" },
				},
				...{ route: "unix", latencyMs: 0 },
			},
		);
	});

	test("calls nobody with --no-ask", async () => {
		await using silent = await startFakeDaemon();
		await hosts(["add", "fake", silent.url]);
		const [, fake] = await documents(["--no-ask"]);
		assert.equal(fake.endpoint, silent.url);
		assert.equal(fake.platform, undefined);
		assert.deepEqual(silent.requests, []);
	});

	test("does not wait for who does not answer", async () => {
		await using silent = await startFakeDaemon({ routes: { "GET /_ping": neverAnswers } });
		const place = silent.url;
		await hosts(["add", "silent", place]);
		const [, host] = await documents(["--timeout", "0.5"]);
		assert.equal(host.error.message, `cannot reach ${place}: no answer within 0.5 s`);
		assert.equal(host.error.exitCode, 4);
	});

	test("marks what is used when nothing is named", async () => {
		await hosts(["add", "fake", daemon.url]);
		const current = async (env = {}) =>
			(await documents(["--no-ask"], env))
				.filter((host: { current: boolean }) => host.current)
				.map((host: { name: string }) => host.name);
		assert.deepEqual(await current(), ["default"]);
		assert.deepEqual(await hosts(["use", "fake"]), { code: 0, stdout: "fake\n", stderr: "" });
		assert.deepEqual(await current(), ["fake"]);
		assert.deepEqual(await current({ DOCKER_HOST: "ssh://other" }), ["default"]);
		assert.deepEqual(await current({ RBUILD_ON: "me@box" }), ["me@box"]);
		const { stderr } = await hosts(["use", "default"], { DOCKER_HOST: "ssh://other" });
		assert.match(stderr, /^warning: DOCKER_HOST is set, and takes precedence$/m);
		assert.deepEqual(await current(), ["default"]);
	});

	test("lists an ssh alias that no context leads to, by a name that leads there", async () => {
		writeFileSync(join(directory, "ssh_config"), "Host one two three\n");
		await hosts(["add", "one", "ssh://one"]);
		const { stderr } = await hosts(["add", "two", "ssh://elsewhere"]);
		assert.match(stderr, /--on two is now the docker context, not the ssh alias "two"/);
		const listed = (await documents(["--no-ask"])).slice(1);
		assert.deepEqual(
			listed.map((host: Record<string, string>) => [host.kind, host.name, host.endpoint]),
			[
				["context", "one", "one"],
				["context", "two", "elsewhere"],
				["ssh", "ssh://two", "two"],
				["ssh", "three", "three"],
			],
		);
	});

	test("removes what is broken", async () => {
		await hosts(["add", "fake", "ssh://box"]);
		const meta = join(directory, "docker/contexts/meta");
		writeFileSync(join(meta, readdirSync(meta)[0] ?? "", "meta.json"), "{");
		assert.equal((await hosts(["rm", "fake"])).code, 0);
		assert.deepEqual(readdirSync(meta), []);
	});

	test("shows the rest when a context is broken, or the folder cannot be read as one", async () => {
		mkdirSync(join(directory, "docker/contexts"), { recursive: true });
		writeFileSync(join(directory, "docker/contexts/meta"), "no folder");
		assert.equal((await documents(["--no-ask"])).length, 1);
	});

	for (const [args, error, hint] of [
		[["lst"], 'unknown command "lst" for "rbuild hosts"', "did you mean: rbuild hosts ls?"],
		[["add", "x86box"], "rbuild hosts add takes a name and an endpoint", "hosts add NAME"],
		[["ls", "--ca", "x"], "rbuild hosts ls has no flag --ca", "--help"],
		[["use", "none"], 'there is no docker context "none"', "hosts add none ssh://user@host"],
		[["rm", "none"], 'there is no docker context "none"', "list them with: rbuild hosts"],
		[["rm", "default"], 'the docker context "default" cannot be removed', undefined],
		[["inspect", "none"], 'there is no docker context or ssh alias "none"', "rbuild hosts"],
		[["add", "auto", "ssh://a"], '"auto" is a reserved name', "another name"],
		[["add", "a/b", "ssh://a"], '"a/b" is not a valid docker context name', "letters"],
		[["add", "box", "http://a"], '"http://" is not supported', "ssh://user@host"],
		[["add", "box", "ssh://a", "--ca", "x"], "a does not use TLS", "tcp://"],
		[
			["add", "box", "tcp://a", "--ca", "/none"],
			"cannot read /none: no such file or directory",
			"path: --ca",
		],
		[
			["add", "box", "tcp://a", "--cert", "x"],
			"there is no client key to go",
			"both (--cert and --key)",
		],
		[["add", "box", "ssh://me:secret@a"], "a target must not hold a password", "key"],
		[["ls", "--timeout", "soon"], '--timeout "soon" is not a number of seconds', "--timeout 10"],
		[["ls", "--tmeout", "1"], "unknown flag --tmeout", "did you mean --timeout?"],
	] as const) {
		test(`${args.join(" ")} is told what is wrong`, async () => {
			const { code, stdout, stderr } = await hosts(args);
			assert.equal(code, 2);
			assert.equal(stdout, "");
			const [first = "", second = ""] = stderr.split("\n");
			assert.ok(first.startsWith("error: ") && first.includes(error), stderr);
			assert.ok(hint === undefined ? second === "" : second.includes(hint), stderr);
			assert.equal(stderr.includes("secret"), false);
			assert.equal(existsSync(join(directory, "docker")), false);
		});
	}
});
