import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
	chmodSync,
	copyFileSync,
	existsSync,
	mkdirSync,
	mkdtempSync,
	readFileSync,
	realpathSync,
	rmSync,
	writeFileSync,
} from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { createServer } from "node:tls";
import { connectEngine } from "../../src/engine/connect-engine.js";
import type { Engine } from "../../src/engine/engine.js";
import { inspectImage, removeImage } from "../../src/engine/images.js";
import { BASE_IMAGE, createBaseImage } from "../support/base-image.js";
import { Authority, type Pair } from "../support/certificates.js";
import { type CliOptions, rbuild } from "../support/cli.js";
import { type Dockerd, startDockerd } from "../support/dockerd.js";
import { freePort } from "../support/free-port.js";
import { lab } from "../support/lab.js";
import { suiteWithDockerd } from "../support/requirement.js";
import { unixTransport } from "../support/unix-transport.js";

const { signal } = new AbortController();

/** Every docker CLI that is installed: 20.10 of Debian's docker.io, and whatever is first in PATH. */
const CLIS = [
	...new Set(
		["/usr/bin/docker", "/usr/local/bin/docker"]
			.filter(existsSync)
			.map((path) => realpathSync(path)),
	),
];

/** A few files, one of which is more than any buffer on the way holds. */
function context(directory: string): string {
	const root = mkdtempSync(join(directory, "context-"));
	writeFileSync(
		join(root, "Dockerfile"),
		`FROM ${BASE_IMAGE}\nCOPY . /x\nRUN cat /x/blob | wc -c\n`,
	);
	writeFileSync(join(root, "blob"), randomBytes(12_000_000));
	return root;
}

suiteWithDockerd("hosts by name, and TLS, on docker 20.10", () => {
	let directory: string;
	let home: string;
	let ca: Authority;
	let client: Pair;
	let dockerd: Dockerd;
	let engine: Engine;
	let place: string;

	before(async () => {
		directory = mkdtempSync(join(tmpdir(), "rbuild-hosts-"));
		home = join(directory, "home");
		mkdirSync(home);
		ca = new Authority(directory, "ca");
		client = ca.forClient();
		const tls = { ca: ca.certificate, ...ca.forServer("IP:127.0.0.1") };
		dockerd = await startDockerd({ tls });
		engine = await connectEngine(unixTransport(dockerd.socketPath), signal);
		await createBaseImage(engine);
		place = `tcp://127.0.0.1:${dockerd.tlsPort}`;
	});
	after(async () => {
		await engine?.[Symbol.asyncDispose]();
		await dockerd?.stop();
		rmSync(directory, { recursive: true, force: true });
	});

	/** A DOCKER_CONFIG with nothing in it. */
	function config(): string {
		return mkdtempSync(join(directory, "config-"));
	}

	function run(args: readonly string[], DOCKER_CONFIG: string, env: CliOptions["env"] = {}) {
		return rbuild(args, { env: { HOME: home, DOCKER_CONFIG, ...env }, cwd: directory });
	}

	async function succeeds(...all: Parameters<typeof run>) {
		const result = await run(...all);
		assert.equal(result.code, 0, result.stderr);
		return result;
	}

	function docker(cli: string, args: readonly string[], DOCKER_CONFIG: string): string {
		const { DOCKER_HOST: _host, DOCKER_CONTEXT: _context, ...env } = process.env;
		const options = { encoding: "utf8", env: { ...env, HOME: home, DOCKER_CONFIG } } as const;
		const { status, stdout, stderr } = spawnSync(cli, args, options);
		assert.equal(status, 0, stderr);
		return stdout.trim();
	}

	const pems = () => ["--ca", ca.certificate, "--cert", client.certificate, "--key", client.key];

	for (const cli of CLIS) {
		suite(`with ${execFileSync(cli, ["--version"], { encoding: "utf8" }).trim()}`, () => {
			test("docker sees, uses and removes what rbuild has added", async () => {
				const folder = config();
				await succeeds(
					["hosts", "add", "tlsbox", place, ...pems(), "--description", "with TLS"],
					folder,
				);
				await succeeds(["hosts", "add", "unixbox", `unix://${dockerd.socketPath}`], folder);
				await succeeds(["hosts", "add", "sshbox", "me@box.example:2222"], folder);
				const format = "{{.Name}} {{.Description}} {{.DockerEndpoint}}";
				const listed = docker(cli, ["context", "ls", "--format", format], folder).split("\n");
				assert.ok(listed.includes(`tlsbox with TLS ${place}`), listed.join("\n"));
				assert.ok(listed.includes("sshbox  ssh://me@box.example:2222"), listed.join("\n"));
				const version = ["version", "--format", "{{.Server.Version}}"];
				const expected = engine.facts.version;
				assert.equal(docker(cli, ["--context", "tlsbox", ...version], folder), expected);
				await succeeds(["hosts", "use", "unixbox"], folder);
				assert.equal(docker(cli, version, folder), expected);
				docker(cli, ["context", "rm", "tlsbox"], folder);
				const { stdout } = await succeeds(["hosts", "--no-ask", "--format", "json"], folder);
				const names = JSON.parse(stdout).map(({ name }: { name: string }) => name);
				assert.deepEqual(names, ["default", "sshbox", "unixbox"]);
			});

			test("rbuild uses and removes what docker has made", async () => {
				const folder = config();
				const { certificate, key } = client;
				const endpoint = `host=${place},ca=${ca.certificate},cert=${certificate},key=${key}`;
				docker(cli, ["context", "create", "tlsbox", "--docker", endpoint], folder);
				docker(cli, ["context", "create", "other", "--docker", "host=ssh://nobody@none"], folder);
				docker(cli, ["context", "use", "tlsbox"], folder);
				const { stdout } = await succeeds(["hosts", "inspect", "tlsbox"], folder);
				const host = JSON.parse(stdout);
				assert.equal(host.current, true);
				assert.equal(host.platform, engine.facts.platform);
				assert.equal(host.endpoint, place);
				assert.equal(host.tlsFiles.ca.subject, "CN=ca");

				const inUse = await run(["hosts", "rm", "tlsbox"], folder);
				assert.equal(inUse.code, 2);
				assert.match(inUse.stderr, /is in use/);
				await succeeds(["hosts", "rm", "other"], folder);
				await succeeds(["hosts", "rm", "--force", "tlsbox"], folder);
				assert.equal(docker(cli, ["context", "ls", "-q"], folder), "default");
				assert.equal(
					JSON.parse(readFileSync(join(folder, "config.json"), "utf8")).currentContext,
					undefined,
				);
			});
		});
	}

	test("a sync and a tar go over TLS, by a context, by flags and by variables", async () => {
		const folder = config();
		await succeeds(["hosts", "add", "tlsbox", place, ...pems()], folder);
		const { certificate, key } = client;
		const flags = ["--tlscacert", ca.certificate, "--tlscert", certificate, "--tlskey", key];
		const certs = mkdtempSync(join(directory, "certs-"));
		copyFileSync(ca.certificate, join(certs, "ca.pem"));
		copyFileSync(certificate, join(certs, "cert.pem"));
		copyFileSync(key, join(certs, "key.pem"));
		const variables = { DOCKER_HOST: place, DOCKER_TLS_VERIFY: "1", DOCKER_CERT_PATH: certs };
		for (const [name, args, env] of [
			["by-context", ["--on", "tlsbox"], {}],
			["by-flags", ["--on", place, ...flags], {}],
			["by-variables", [], variables],
		] as const) {
			for (const transfer of ["sync", "tar"]) {
				const tag = `rbuild-hosts-${name}:${transfer}`;
				const build = [context(directory), "-t", tag, "--transfer", transfer];
				const { stderr } = await succeeds([...build, ...args], folder, env);
				assert.match(stderr, /connected to tcp:.*\(tls\)/);
				assert.ok((await inspectImage(engine, tag, signal)).size > 12_000_000);
				await removeImage(engine, tag, signal);
			}
		}
	});

	test("each thing that is wrong with TLS has a line of its own", async () => {
		const folder = config();
		const other = new Authority(directory, "other");
		const stranger = other.forClient();
		const old = ca.forClient({ expired: true });
		const expired = { ca: ca.certificate, ...ca.forServer("IP:127.0.0.1", { expired: true }) };
		await using second = await startDockerd({ tls: expired });
		const root = context(directory);
		const port = dockerd.tlsPort;
		const files = (pair?: Pair) =>
			pair ? ["--tlscert", pair.certificate, "--tlskey", pair.key] : [];
		const secret = readFileSync(client.key, "utf8").split("\n")[1] ?? "";
		for (const [on, args, message] of [
			[
				place,
				["--tlscacert", other.certificate, ...files(client)],
				"signed by an unknown authority",
			],
			[
				`tcp://localhost:${port}`,
				["--tlscacert", ca.certificate, ...files(client)],
				"its certificate is for IP Address:127.0.0.1, not for localhost",
			],
			[
				`tcp://127.0.0.1:${second.tlsPort}`,
				["--tlscacert", ca.certificate, ...files(client)],
				"its certificate, or the CA's, has expired",
			],
			[place, ["--tlscacert", ca.certificate], "it requires a client certificate"],
			[
				place,
				["--tlscacert", ca.certificate, ...files(stranger)],
				`it refuses the client certificate ${stranger.certificate}`,
			],
			[
				place,
				["--tlscacert", ca.certificate, ...files(old)],
				`it refuses the client certificate ${old.certificate}, which expired on`,
			],
		] as const) {
			const { code, stderr } = await run([root, "--on", on, ...args, "--debug", "-v"], folder);
			assert.equal(code, 4, stderr);
			const [error = "", hint = ""] = stderr
				.split("\n")
				.filter((line) => /^(error|hint): /.test(line));
			assert.ok(error.includes(`cannot reach ${on}: `) && error.includes(message), error);
			assert.match(hint, /^hint: /);
			assert.equal(stderr.includes(secret), false);
		}
	});

	test("a daemon that wants TLS says so to whom comes without", async () => {
		const { code, stderr } = await run([context(directory), "--on", place], config());
		assert.equal(code, 5);
		assert.match(stderr, /hint: it requires TLS: add --tlsverify/);
	});

	test("the box that fits is taken of all that are known, and need not be asked again", async () => {
		const folder = config();
		const XDG_CACHE_HOME = mkdtempSync(join(directory, "cache-"));
		await succeeds(["hosts", "add", "tlsbox", place, ...pems()], folder);
		await succeeds(["hosts", "add", "dead", "tcp://127.0.0.1:1"], folder);
		const root = context(directory);
		const build = [
			root,
			"--on",
			"auto",
			"--platform",
			engine.facts.platform,
			"--progress",
			"plain",
		];
		const env = { XDG_CACHE_HOME };
		assert.match((await succeeds(build, folder, env)).stderr, /"tlsbox", by auto: .* to answer\)/);
		assert.match((await succeeds(build, folder, env)).stderr, /"tlsbox", by auto: .*, lately the/);
		const none = await run([root, "--on", "auto", "--platform", "linux/s390x"], folder, env);
		assert.equal(none.code, 4);
		assert.match(none.stderr, /no box runs linux\/s390x natively: .*tlsbox is linux\/amd64/);
		assert.match(none.stderr, /dead: cannot reach tcp:\/\/127\.0\.0\.1:1: connection refused/);
	});

	test("a list shows who answers what, and why others do not", async () => {
		const folder = config();
		await succeeds(["hosts", "add", "tlsbox", place, ...pems()], folder);
		await succeeds(["hosts", "add", "dead", "tcp://127.0.0.1:1"], folder);
		mkdirSync(join(folder, "contexts/meta/broken"));
		writeFileSync(join(folder, "contexts/meta/broken/meta.json"), "{");
		const sshConfig = join(directory, "ssh_config");
		writeFileSync(sshConfig, "Host gone\n\tHostName 127.0.0.1\n\tPort 1\nHost *\n");
		const { stdout } = await succeeds(["hosts", "--ssh-config", sshConfig], folder);
		assert.match(stdout, /^NAME +ENDPOINT +PLATFORM +ENGINE +LATENCY +ERROR$/m);
		assert.match(stdout, /^tlsbox +tcp:\S+ +linux\/amd64 +docker \S+ +[\d.]+ ms$/m);
		assert.match(stdout, /^dead +tcp:\S+ +cannot reach tcp:\S+: connection refused$/m);
		assert.match(stdout, /^broken +\S+\/meta\.json:1 is not valid JSON$/m);
		assert.match(stdout, /^gone +gone +cannot reach gone .*: connection refused$/m);
	});

	test("a key that others may read is used, with a warning", async () => {
		const folder = config();
		const key = join(directory, "open-key.pem");
		copyFileSync(client.key, key);
		chmodSync(key, 0o644);
		const files = ["--tlscacert", ca.certificate, "--tlscert", client.certificate, "--tlskey", key];
		const { stderr } = await succeeds([context(directory), "--on", place, ...files], folder);
		assert.match(stderr, /others on this machine may read the key .*open-key\.pem/);
	});
});

const modern = lab();

suite("TLS on docker 28.5", { skip: modern === undefined && "there is no ../shared/lab" }, () => {
	test("carries a session and a tar", async () => {
		const directory = mkdtempSync(join(tmpdir(), "rbuild-hosts-"));
		const ca = new Authority(directory, "ca");
		const pair = ca.forServer("IP:127.0.0.1");
		// The lab's daemon listens on a socket only: this stands in front of it.
		const server = createServer(
			{ cert: readFileSync(pair.certificate), key: readFileSync(pair.key), allowHalfOpen: true },
			(stream) => {
				const daemon = connect({ path: modern?.localDockerSocket ?? "", allowHalfOpen: true });
				stream.on("error", () => daemon.destroy()).pipe(daemon);
				daemon.on("error", () => stream.destroy()).pipe(stream);
			},
		);
		const port = await freePort("127.0.0.1");
		server.listen(port, "127.0.0.1");
		const engine = await connectEngine(unixTransport(modern?.localDockerSocket ?? ""), signal);
		try {
			for (const transfer of ["sync", "tar"]) {
				const tag = `rbuild-hosts-tls:${transfer}`;
				const { code, stderr } = await rbuild([
					...[context(directory), "--on", `tcp://127.0.0.1:${port}`, "--tlsverify"],
					...["--tlscacert", ca.certificate, "--transfer", transfer, "-t", tag],
				]);
				assert.equal(code, 0, stderr);
				assert.match(stderr, /docker 28\.\S+ on linux\/amd64 \(tls\)/);
				assert.ok((await inspectImage(engine, tag, signal)).size > 12_000_000);
				await removeImage(engine, tag, signal);
			}
		} finally {
			await engine[Symbol.asyncDispose]();
			server.close();
			rmSync(directory, { recursive: true });
		}
	});
});
