import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { createServer as createTlsServer } from "node:tls";
import type { Check } from "../../src/doctor/check.js";
import type { Diagnosis } from "../../src/doctor/examination.js";
import { type Box, startBox } from "../support/box.js";
import { Authority } from "../support/certificates.js";
import { type CliOptions, rbuild } from "../support/cli.js";
import {
	answers,
	hangsUp,
	neverAnswers,
	type Route,
	refuses,
	speaksSsh,
	startFakeDaemon,
} from "../support/fake-daemon.js";
import { freePort } from "../support/free-port.js";
import { lab } from "../support/lab.js";
import { suiteWithDockerd, suiteWithSshd } from "../support/requirement.js";
import { makeKey } from "../support/ssh-programs.js";
import { type Sshd, startSshd } from "../support/sshd.js";

/** Runs it as a script would. */
async function doctor(args: readonly string[], options: CliOptions = {}) {
	const { code, stdout, stderr } = await rbuild(["doctor", "--format", "json", ...args], options);
	assert.equal(stderr, "");
	const diagnosis: Diagnosis = JSON.parse(stdout);
	assert.equal(diagnosis.exitCode, code);
	const check = (id: Check["id"]) => {
		const found = diagnosis.checks.filter((one) => one.id === id);
		assert.equal(found.length, 1, `${id}: ${stdout}`);
		return found[0] as Check;
	};
	return { code, check, stdout, checks: diagnosis.checks };
}

function idsOf(checks: readonly Check[], state: Check["state"]): readonly string[] {
	return checks.filter((check) => check.state === state).map(({ id }) => id);
}

suiteWithDockerd("doctor, of a box that works", () => {
	let box: Box;
	before(async () => {
		box = await startBox();
	});
	after(() => box?.[Symbol.asyncDispose]());

	test("names each step of the way and measures the link", async () => {
		const { code, check, checks } = await doctor(box.flags);
		assert.equal(code, 0);
		assert.deepEqual(idsOf(checks, "failed"), []);
		assert.deepEqual(idsOf(checks, "skipped"), []);
		assert.match(check("disk").detail, /^[\d.]+ [MGT]B free in \/.*\/data$/);
		assert.match(check("box").detail, /^ssh:\/\/testbox\/.*docker\.sock \(--on\)$/);
		assert.equal(check("name").detail, "127.0.0.1");
		assert.match(check("connection").detail, /^127\.0\.0\.1:\d+$/);
		assert.match(check("ssh").detail, /^SSH-2\.0-OpenSSH_/);
		assert.match(check("host-key").detail, /^ssh-ed25519 SHA256:/);
		assert.match(check("login").detail, /client_key \(ssh-ed25519 SHA256:/);
		assert.equal(check("route").detail, "ssh, streamlocal");
		assert.match(check("engine").detail, /^docker 20\.10\.\S+, API 1\.41$/);
		assert.equal(check("buildkit").detail, "answers");
		assert.match(check("platform").detail, new RegExp(`^${box.engine.facts.platform}; `));
		assert.match(check("cache").detail, /^[\d.]+ k?M?B in \d+ entries$/);
		assert.equal(check("clock").detail, "the same as here");
		assert.equal(check("streams").detail, "6 or more");
		assert.match(check("latency").detail, /^[\d.]+ ms /);
		assert.match(check("upload").detail, /^[\d.]+ [kMG]?B\/s$/);
		assert.match(check("download").detail, /^[\d.]+ [kMG]?B\/s$/);
	});

	test("goes through a jump host, and names it", async () => {
		const text = readFileSync(box.sshConfigFile, "utf8");
		const file = `${box.sshConfigFile}.jump`;
		await using sshd = await startSshd();
		const gate = readFileSync(sshd.sshConfigFile, "utf8").replace("Host testbox", "Host gate");
		writeFileSync(file, `Host testbox\n  ProxyJump gate\n${text}${gate}`);
		const { code, check, checks, stdout } = await doctor(["--on", box.on, "--ssh-config", file]);
		assert.equal(code, 0, stdout);
		assert.equal(check("proxy").detail, "through gate");
		assert.ok(!checks.some(({ id }) => id === "name" || id === "connection"));
		assert.match(check("login").detail, /client_key/);
		const broken = gate.replace(/Port \d+/, "Port 1");
		writeFileSync(file, `Host testbox\n  ProxyJump gate\n${text}${broken}`);
		const failed = await doctor(["--on", box.on, "--ssh-config", file]);
		assert.equal(failed.code, 4);
		assert.deepEqual(idsOf(failed.checks, "failed"), ["proxy"]);
		assert.match(failed.check("proxy").detail, /gate .*connection refused/);
	});

	test("says what it cannot see where the ssh program connects", async () => {
		const { code, check, checks } = await doctor([...box.flags, "--ssh-client", "system"]);
		assert.equal(code, 0);
		assert.deepEqual(idsOf(checks, "failed"), []);
		for (const id of ["name", "connection", "ssh", "host-key", "login"] as const) {
			assert.deepEqual([check(id).state, check(id).detail], ["skipped", "left to the ssh program"]);
		}
		assert.match(check("route").detail, /^the ssh program \(--ssh-client system\), /);
	});

	test("finds streams enough where a session is all that sshd allows", async () => {
		const config = ["MaxSessions 1", "AllowStreamLocalForwarding no"];
		await using sshd = await startSshd({ config });
		const on = `ssh://${sshd.alias}${box.socketPath}`;
		const { code, check } = await doctor(["--on", on, "--ssh-config", sshd.sshConfigFile]);
		assert.equal(code, 0);
		assert.equal(check("route").detail, "ssh, dial-stdio");
		assert.notEqual(check("streams").state, "failed");
	});

	test("leaves nothing behind", async () => {
		const count = async () => {
			const usage = await box.engine.json({
				...{ method: "GET", path: "/system/df", signal: new AbortController().signal },
			});
			const { Images, Containers, Volumes } = usage as Record<string, unknown[] | null>;
			return [Images, Containers, Volumes].map((list) => list?.length ?? 0);
		};
		const earlier = await count();
		await doctor(box.flags);
		assert.deepEqual(await count(), earlier);
	});

	test("asks a daemon of this machine for its disk, too", async () => {
		const { code, check } = await doctor(["--on", `unix://${box.socketPath}`]);
		assert.equal(code, 0);
		assert.match(check("disk").detail, /^[\d.]+ [MGT]B free in \/.*\/data$/);
		assert.equal(check("route").detail, "unix");
	});

	test("refuses a platform as the build would", async () => {
		const { code, check } = await doctor([...box.flags, "--platform", "linux/s390x"]);
		assert.equal(code, 5);
		assert.equal(check("platform").state, "failed");
		assert.match(check("platform").detail, /cannot run linux\/s390x natively/);
		assert.match(check("platform").fix ?? "", /--allow-emulation/);
		const emulated = await doctor([
			...[...box.flags, "--platform", "linux/s390x", "--allow-emulation"],
		]);
		assert.equal(emulated.code, 5);
		assert.match(emulated.check("platform").detail, /no emulator for linux\/s390x/);
		assert.match(emulated.check("platform").fix ?? "", /binfmt/);
	});

	test("shows it to people, in ASCII where the terminal knows no more", async () => {
		const { stdout } = await rbuild(["doctor", ...box.flags], { env: { TERM: "xterm" } });
		assert.match(stdout, /^✔ login +\/.*client_key/m);
		const plain = await rbuild(["doctor", "--on", "ssh://127.0.0.1:1"], { env: { TERM: "dumb" } });
		assert.match(
			plain.stdout,
			/^x TCP connection +cannot reach .*: connection refused\n +-> is sshd/m,
		);
		assert.match(plain.stdout, /^\S+ name resolution +resolves$/m);
		assert.match(plain.stdout, /^- ssh server +needs TCP connection$/m);
		assert.doesNotMatch(plain.stdout, /[^\n\x20-\x7e]/);
	});
});

/** Leaves its socket behind. */
const LISTEN_AND_DIE =
	'require("net").createServer().listen(process.argv[1], () => process.kill(process.pid, "SIGKILL"))';

suiteWithSshd("doctor, of broken boxes", () => {
	let directory: string;
	let sshd: Sshd;
	let stranger: Server;
	const closing: (() => void)[] = [];

	before(async () => {
		directory = mkdtempSync(join(tmpdir(), "rbuild-doctor-"));
		sshd = await startSshd();
		stranger = createServer((socket) => {
			socket.on("error", () => {}).end("220 mail.example ESMTP\r\n");
		});
		const port = await freePort("127.0.0.1");
		stranger.listen(port, "127.0.0.1");
		closing.push(() => stranger.close());
	});
	after(async () => {
		for (const close of closing) close();
		await sshd?.stop();
		rmSync(directory, { recursive: true, force: true });
	});

	/** The sshd's own configuration, with other words in front. */
	function config(...lines: readonly string[]): string {
		const file = join(mkdtempSync(join(directory, "config-")), "ssh_config");
		writeFileSync(file, `Host testbox\n${lines.map((line) => `  ${line}\n`).join("")}`);
		writeFileSync(file, readFileSync(file, "utf8") + readFileSync(sshd.sshConfigFile, "utf8"));
		return file;
	}

	/** That one check fails, with a fix, and that the rest is left out because of it. */
	async function failsAt(
		id: Check["id"],
		title: string,
		args: readonly string[],
		options: CliOptions & { readonly code?: number } = {},
	): Promise<Check> {
		const { code, check, checks } = await doctor(args, options);
		assert.deepEqual(idsOf(checks, "failed"), [id]);
		assert.equal(code, options.code ?? 4);
		assert.ok(check(id).fix, `no fix for: ${check(id).detail}`);
		const at = checks.findIndex((one) => one.id === id);
		for (const earlier of checks.slice(0, at)) assert.equal(earlier.state, "ok", earlier.id);
		for (const later of checks.slice(at + 1).filter((one) => one.id !== "registries")) {
			assert.deepEqual([later.state, later.detail], ["skipped", `needs ${title}`], later.id);
		}
		return check(id);
	}

	const on = (file: string) => ["--on", "testbox", "--ssh-config", file];

	test("a name that does not resolve", async () => {
		await failsAt("name", "name resolution", ["--on", "box.invalid"]);
	});

	test("a port that nobody listens on", async () => {
		const port = await freePort("127.0.0.1");
		await failsAt("connection", "TCP connection", ["--on", `ssh://127.0.0.1:${port}`]);
	});

	test("something that is no ssh server", async () => {
		const { port } = stranger.address() as { port: number };
		const { detail } = await failsAt("ssh", "ssh server", ["--on", `ssh://127.0.0.1:${port}`]);
		assert.match(detail, /it said "220 mail\.example ESMTP"/);
	});

	test("something that says nothing at all", async () => {
		const silent = createServer(() => {}).listen(0, "127.0.0.1");
		closing.push(() => silent.close());
		await new Promise((resolve) => silent.once("listening", resolve));
		const { port } = silent.address() as { port: number };
		const file = config(`Port ${port}`, "ConnectTimeout 1");
		const sockets: { destroy(): void }[] = [];
		silent.on("connection", (socket) => sockets.push(socket));
		await failsAt("ssh", "ssh server", on(file));
		for (const socket of sockets) socket.destroy();
	});

	test("a host key that is not known", async () => {
		const file = config(`UserKnownHostsFile ${join(directory, "none")}`);
		await failsAt("host-key", "host key", on(file));
	});

	test("a host key that has changed", async () => {
		const key = makeKey(join(directory, "other_host_key"), "ed25519");
		const known = join(directory, "known_hosts");
		const [type, value] = readFileSync(`${key}.pub`, "utf8").split(" ");
		writeFileSync(known, `[127.0.0.1]:${sshd.port} ${type} ${value}\n`);
		const file = config(`UserKnownHostsFile ${known}`);
		const { detail } = await failsAt("host-key", "host key", on(file));
		assert.match(detail, /host key changed/);
	});

	test("a user whose key is not accepted", async () => {
		const key = makeKey(join(directory, "other_key"), "ed25519");
		const text = readFileSync(sshd.sshConfigFile, "utf8").replace(sshd.clientKeyFile, key);
		const file = join(directory, "other_config");
		writeFileSync(file, text);
		const { detail } = await failsAt("login", "login", on(file));
		assert.match(detail, /tried .*other_key/);
	});

	test("a socket that is not there", async () => {
		const args = ["--on", `ssh://testbox${directory}/docker.sock`];
		const all = [...args, "--ssh-config", sshd.sshConfigFile];
		await failsAt("route", "docker socket", all);
	});

	test("a socket of a daemon that has ended", async () => {
		const path = join(directory, "old.sock");
		// It binds the name, and is gone without taking it away.
		spawnSync(process.execPath, ["-e", LISTEN_AND_DIE, path]);
		const all = ["--on", `ssh://testbox${path}`, "--ssh-config", sshd.sshConfigFile];
		await failsAt("route", "docker socket", all);
		await failsAt("route", "docker socket", ["--on", `unix://${path}`]);
	});

	test("a socket that the user may not use", async () => {
		const path = join(directory, "closed.sock");
		await using _daemon = await startFakeDaemon();
		symlinkSync(_daemon.socketPath, path);
		chmodSync(_daemon.socketPath, 0);
		const { fix } = await failsAt("route", "docker socket", ["--on", `unix://${path}`], {
			obeysModes: true,
		});
		assert.match(fix ?? "", /usermod -aG docker/);
	});

	test("a certificate that nobody whom the user trusts has signed, and one that the daemon wants", async () => {
		const ca = new Authority(directory, "ca");
		const other = new Authority(directory, "other");
		const { certificate, key } = ca.forServer("IP:127.0.0.1");
		const server = createTlsServer({
			...{ cert: readFileSync(certificate), key: readFileSync(key) },
			...{ ca: readFileSync(ca.certificate), requestCert: true },
		}).listen(0, "127.0.0.1");
		server.on("tlsClientError", () => {});
		closing.push(() => server.close());
		await once(server, "listening");
		const place = `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`;
		const { detail } = await failsAt("tls", "TLS", [
			...["--on", place, "--tlsverify", "--tlscacert", other.certificate],
		]);
		assert.match(detail, /signed by an unknown authority/);
		const wanted = await failsAt("tls", "TLS", [
			...["--on", place, "--tlsverify", "--tlscacert", ca.certificate],
		]);
		assert.match(wanted.detail, /it requires a client certificate/);
	});

	test("a file for TLS that is not there", async () => {
		await failsAt("configuration", "configuration", [
			...["--on", "tcp://127.0.0.1:1", "--tlsverify", "--tlscacert", "/nonexistent"],
		]);
	});

	test("what is no Docker daemon, and one that hangs up", async () => {
		const cases: readonly [Route, number][] = [
			[speaksSsh, 5],
			[hangsUp, 4],
			[answers({}), 5],
		];
		for (const [route, code] of cases) {
			await using daemon = await startFakeDaemon({ routes: { "GET /_ping": route } });
			await failsAt("engine", "engine", ["--on", daemon.url], { code });
		}
	});
});

suite("doctor, of daemons that cannot do everything", () => {
	const info =
		(lateMs = 0): Route =>
		(request, response) => {
			const SystemTime = new Date(Date.now() - lateMs).toISOString();
			answers({ SystemTime, DockerRootDir: "/nonexistent" })(request, response);
		};
	const usual = {
		"GET /info": info(),
		"GET /system/df": answers({ BuildCache: [] }),
		"GET /images/json": answers([]),
		"POST /volumes/create": refuses(400, "unexpected EOF"),
	};

	async function examine(routes: Readonly<Record<string, Route>>, ...args: readonly string[]) {
		await using daemon = await startFakeDaemon({ routes: { ...usual, ...routes } });
		return await doctor(["--on", daemon.url, ...args]);
	}

	const classic: Route = (_request, response) => {
		response.writeHead(200, { "Api-Version": "1.51", "Builder-Version": "1" }).end("OK");
	};

	test("the classic builder: builds work, and yet it is told", async () => {
		const { code, check, checks } = await examine({ "GET /_ping": classic });
		assert.equal(code, 0);
		assert.deepEqual(idsOf(checks, "failed"), ["buildkit"]);
		assert.match(check("buildkit").fix ?? "", /daemon\.json/);
	});

	test("a BuildKit that does not answer", async () => {
		const { code, check, checks } = await examine({ "POST /grpc": refuses(500, "no worker") });
		assert.equal(code, 0);
		assert.deepEqual(idsOf(checks, "failed"), ["buildkit"]);
		assert.match(check("buildkit").detail, /no worker/);
	});

	test("another architecture than the one that is wanted", async () => {
		const { code, check } = await examine({}, "--platform", "linux/arm64");
		assert.equal(code, 5);
		assert.match(check("platform").detail, /is linux\/amd64 and cannot run linux\/arm64 natively/);
		assert.match(check("platform").fix ?? "", /build on a linux\/arm64 box/);
	});

	test("a clock that is an hour behind", async () => {
		const { code, check } = await examine({ "GET /info": info(3_600_000) });
		assert.equal(code, 0);
		assert.equal(check("clock").state, "warning");
		assert.match(check("clock").detail, /^3[56]\d\d s behind this machine's$/);
		assert.match(check("clock").fix ?? "", /timedatectl/);
	});

	test("a daemon that counts its cache for too long is not waited for", async () => {
		const { code, check } = await examine({ "GET /system/df": neverAnswers });
		assert.equal(code, 0);
		assert.deepEqual(
			[check("cache").state, check("cache").detail],
			["warning", "no answer within 5 s"],
		);
		assert.equal(check("clock").state, "ok");
	});

	test("registry logins by name, and nothing of what they are", async () => {
		const folder = mkdtempSync(join(tmpdir(), "rbuild-doctor-"));
		const auth = Buffer.from("me:sesame").toString("base64");
		const config = {
			auths: { "ghcr.io": { auth }, "r.example": {} },
			credHelpers: { "quay.io": "there" },
		};
		writeFileSync(join(folder, "config.json"), JSON.stringify(config));
		const args = ["--on", "tcp://127.0.0.1:1"];
		const helper = join(folder, "docker-credential-there");
		writeFileSync(helper, "#!/bin/sh\n", { mode: 0o755 });
		writeFileSync(
			join(folder, "auth.json"),
			JSON.stringify({ credHelpers: { "gcr.io": "gcloud-none" } }),
		);
		const env = {
			DOCKER_CONFIG: folder,
			REGISTRY_AUTH_FILE: join(folder, "auth.json"),
			PATH: `${folder}:${process.env.PATH}`,
		};
		const { check, stdout } = await doctor(args, { env });
		rmSync(folder, { recursive: true });
		const { state, detail, fix } = check("registries");
		assert.equal(state, "warning");
		assert.match(detail, /^quay\.io by docker-credential-there, ghcr\.io/);
		assert.match(detail, /docker-credential-gcloud-none not on the PATH$/);
		assert.equal(fix, `install it, or take it out of ${join(folder, "auth.json")}`);
		for (const secret of [auth, "sesame"]) assert.equal(stdout.includes(secret), false);
	});
});

const modern = lab();

suite("doctor on docker 28.5", {
	skip: modern === undefined && "there is no ../shared/lab",
}, () => {
	test("finds nothing wrong", async () => {
		const config = ["--ssh-config", modern?.sshConfigFile ?? ""];
		const { code, check, checks } = await doctor(["--on", modern?.host ?? "", ...config]);
		assert.equal(code, 0);
		assert.deepEqual(idsOf(checks, "failed"), []);
		assert.match(check("engine").detail, /^docker 28\.5\.\S+, API 1\.51$/);
		assert.match(check("upload").detail, /B\/s$/);
	});

	test("says of Podman what it cannot do", async () => {
		const on = `ssh://${modern?.host}${modern?.podmanSocket}`;
		const config = ["--ssh-config", modern?.sshConfigFile ?? ""];
		const { code, check, checks } = await doctor(["--on", on, ...config]);
		assert.equal(code, 0);
		assert.deepEqual(idsOf(checks, "failed"), []);
		assert.equal(check("buildkit").state, "warning");
		assert.match(check("upload").detail, /B\/s$/);
	});
});
