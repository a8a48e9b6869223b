import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { text } from "node:stream/consumers";
import { after, before, test } from "node:test";
import type { Environment, SshClient } from "../../src/environment.js";
import { ConnectionError, type ConnectionFailure } from "../../src/errors.js";
import { parseTarget } from "../../src/target/parse-target.js";
import { openTransport, readTransportSettings } from "../../src/transport/open-transport.js";
import type { Transport } from "../../src/transport/transport.js";
import { suiteUnless } from "../support/requirement.js";
import { makeKey, startSshAgent, whyNoSshAgent } from "../support/ssh-programs.js";
import { type Sshd, startSshd, whyNoSshd } from "../support/sshd.js";

const never = new AbortController().signal;
const why = whyNoSshd() ?? whyNoSshAgent();
let folder: string;
let daemon: Server;
let socket: string;

interface Client {
	readonly sshClient?: SshClient;
	/** Lines for the alias, in front of its own. */
	readonly lines?: readonly string[];
	readonly on?: string;
}

async function open(sshd: Sshd, { sshClient, lines = [], on }: Client = {}): Promise<Transport> {
	const rest = await readFile(sshd.sshConfigFile, "utf8");
	const sshConfigFile = join(await mkdtemp(join(folder, "client-")), "config");
	await writeFile(sshConfigFile, `${lines.join("\n")}\n${rest}`);
	const environment: Environment = {
		variables: { PATH: process.env.PATH },
		homeDirectory: folder,
		userName: userInfo().username,
		platform: process.platform,
		workingDirectory: folder,
		sshConfigFile,
		...(sshClient && { sshClient }),
	};
	const target = parseTarget(on ?? `ssh://${sshd.alias}${socket}`);
	const chosen = { target, chosenBy: "--on" };
	return await openTransport(chosen, readTransportSettings(chosen, environment, never), never);
}

async function ping(stream: Duplex): Promise<string> {
	stream.write("GET /_ping HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n\r\n");
	return (await text(stream)).split("\r\n\r\n")[1] ?? "";
}

async function works(transport: Transport): Promise<void> {
	const streams = await Promise.all([1, 2, 3, 4, 5].map(() => transport.open(never)));
	assert.deepEqual(await Promise.all(streams.map(ping)), Array(5).fill("pong"));
}

async function failureOf(sshd: Sshd, client: Client): Promise<ConnectionError> {
	try {
		await using transport = await open(sshd, client);
		return assert.fail(`it was reached by ${transport.route}`);
	} catch (error) {
		assert.ok(error instanceof ConnectionError, String(error));
		assert.match(error.message, /^[^\n]+$/);
		assert.ok(error.hint);
		return error;
	}
}

/** What the ssh programs that share a connection leave behind. */
async function leftovers(): Promise<string[]> {
	const names = await readdir(tmpdir());
	return names.filter(
		(name) => name.startsWith("rbuild-ssh-") && existsSync(join(tmpdir(), name, "c")),
	);
}

suiteUnless(why, "the ssh program", () => {
	let sshd: Sshd;
	/** Signs users' keys; the box trusts it. */
	let authority: string;

	before(async () => {
		folder = await mkdtemp(join(tmpdir(), "rbuild-program-"));
		socket = join(folder, "daemon.sock");
		daemon = createServer((request, response) => {
			response.setHeader("Api-Version", "1.41");
			response.end(request.url?.endsWith("/version") ? '{"ApiVersion":"1.41"}' : "pong");
		}).listen(socket);
		authority = makeKey(join(folder, "authority"), "ed25519");
		[sshd] = await Promise.all([
			startSshd({ config: [`TrustedUserCAKeys ${authority}.pub`] }),
			once(daemon, "listening"),
		]);
	});
	after(async () => {
		daemon.close();
		await sshd.stop();
		await rm(folder, { recursive: true });
	});

	/** A key that only its certificate lets in. */
	function certifiedKey(name: string): string {
		const key = makeKey(join(folder, name), "ed25519");
		const { username } = userInfo();
		execFileSync("ssh-keygen", ["-q", "-s", authority, "-I", name, "-n", username, `${key}.pub`]);
		return key;
	}
	/** The alias has a key of its own, which comes second. */
	const without = async (key: string): Promise<Sshd> => {
		const text = await readFile(sshd.sshConfigFile, "utf8");
		const sshConfigFile = join(folder, `config-${Date.now()}`);
		await writeFile(sshConfigFile, text.replace(sshd.clientKeyFile, key));
		return { ...sshd, sshConfigFile };
	};

	test("shares one connection for all streams, counts their bytes and leaves nothing behind", async () => {
		const connections = () => sshd.log().match(/Accepted publickey/g)?.length ?? 0;
		const before = [connections(), await leftovers()] as const;
		{
			await using transport = await open(sshd, { sshClient: "system" });
			assert.equal(transport.route, "the ssh program (--ssh-client system), streamlocal");
			await works(transport);
			assert.equal(connections(), before[0] + 1);
			assert.ok(transport.wire.sent > 5 * "GET /_ping".length);
			assert.ok(transport.wire.received > 5 * "pong".length);
			assert.ok(transport.roundTripMs > 0 && transport.roundTripMs < 10_000);
		}
		assert.deepEqual(await leftovers(), before[1]);
	});

	test("goes through docker there where nothing may be forwarded", async () => {
		await using other = await startSshd({ config: ["AllowStreamLocalForwarding no"] });
		await using transport = await open(other, { sshClient: "system" });
		assert.match(transport.route, /, dial-stdio$/);
		await works(transport);
	});

	test("leaves it to others how long a daemon may take that has not answered yet", async () => {
		const silent = createServer(() => {}).listen(join(folder, "silent.sock"));
		try {
			const on = `ssh://${sshd.alias}${join(folder, "silent.sock")}`;
			await using transport = await open(sshd, { sshClient: "system", on });
			assert.match(transport.route, /, streamlocal$/);
			(await transport.open(never)).destroy();
		} finally {
			silent.closeAllConnections();
			silent.close();
		}
	});

	test("is taken for a certificate beside a key", async () => {
		const key = certifiedKey("certified");
		await using transport = await open(await without(key));
		const reason = `the certificate ${key}-cert.pub`;
		assert.equal(transport.route, `the ssh program (${reason}), streamlocal`);
		await works(transport);
		assert.match(sshd.log(), /Accepted publickey for \S+ .* ED25519-CERT/);
	});

	test("is taken for CertificateFile, but not where builtin is asked for", async () => {
		const key = certifiedKey("elsewhere");
		const certificate = join(folder, "elsewhere.certificate");
		execFileSync("mv", [`${key}-cert.pub`, certificate]);
		const box = await without(key);
		const lines = ["Host testbox", `CertificateFile ${certificate}`, "Match all"];
		await using transport = await open(box, { lines });
		assert.match(transport.route, /^the ssh program \(the certificate .*\.certificate\)/);
		await works(transport);
		const error = await failureOf(box, { lines, sshClient: "builtin" });
		assert.match(error.message, /no key was accepted for user/);
	});

	test("is taken for a certificate that only the agent holds", async () => {
		const key = certifiedKey("held");
		using agent = startSshAgent(join(folder, "agent.sock"), [key]);
		await rm(`${key}-cert.pub`);
		await rm(key);
		const lines = [`IdentityAgent ${agent.socketPath}`, "IdentitiesOnly no"];
		await using transport = await open(await without(key), { lines });
		assert.match(transport.route, /^the ssh program \(a certificate of the ssh agent\), /);
		await works(transport);
	});

	test("is not taken where the settings name nothing special", async () => {
		await using transport = await open(sshd);
		assert.equal(transport.route, "ssh, streamlocal");
	});

	test("tells what rbuild itself would have told when it gets in no better", async () => {
		const key = certifiedKey("stranger");
		using agent = startSshAgent(join(folder, "strange.sock"), [key]);
		await using other = await startSshd();
		const other_ = { ...(await without(key)), port: other.port };
		const config = await readFile(other_.sshConfigFile, "utf8");
		await writeFile(
			other_.sshConfigFile,
			config
				.replace(/Port \d+/, `Port ${other.port}`)
				.replace(sshd.knownHostsFile, other.knownHostsFile),
		);
		await rm(`${key}-cert.pub`);
		const lines = [`IdentityAgent ${agent.socketPath}`, "IdentitiesOnly no"];
		const error = await failureOf(other_, { lines });
		assert.equal(error.failure, "not-authenticated");
		assert.match(error.message, /no key was accepted for user .*tried agent key/);
	});

	test("fails every stream when its connection is lost", async () => {
		await using other = await startSshd();
		await using transport = await open(other, { sshClient: "system" });
		const stream = await transport.open(never);
		const reading = text(stream);
		await other.dropConnections();
		await assert.rejects(
			reading,
			(error) => error instanceof ConnectionError && error.failure === "lost",
		);
	});

	for (const [failure, lines] of [
		["unresolved", ["HostName no-such-host.invalid"]],
		["refused", ["Port 1"]],
		["host-key-unknown", ["UserKnownHostsFile /dev/null"]],
		["not-authenticated", ["PubkeyAuthentication no"]],
	] as [ConnectionFailure, string[]][]) {
		test(`tells failures apart as rbuild itself does: ${failure}`, async () => {
			const error = await failureOf(sshd, { sshClient: "system", lines });
			assert.equal(error.failure, failure, error.message);
			assert.match(error.message, /^cannot reach testbox \(\S+:\d+\) with the ssh program: /);
		});
	}

	for (const strictness of ["yes", "ask", "accept-new", "no"]) {
		test(`refuses a host key that has changed, with StrictHostKeyChecking ${strictness}`, () =>
			refusesAChangedKey(strictness));
	}

	async function refusesAChangedKey(strictness: string): Promise<void> {
		const wrong = makeKey(join(folder, `wrong-${strictness}`), "ed25519");
		const file = join(folder, `wrong-known-${strictness}`);
		const key = (await readFile(`${wrong}.pub`, "utf8")).split(" ").slice(0, 2).join(" ");
		await writeFile(file, `[${sshd.host}]:${sshd.port} ${key}\n`);
		const lines = [`UserKnownHostsFile ${file}`, `StrictHostKeyChecking ${strictness}`];
		const error = await failureOf(sshd, { sshClient: "system", lines });
		assert.equal(error.failure, "host-key-changed", error.message);
		const said = `with the ssh program: host key changed: it shows SHA256:`;
		assert.ok(error.message.includes(said), error.message);
		assert.ok(error.message.endsWith(`, but ${file}:1 knows another one`), error.message);
		assert.match(error.hint ?? "", /^somebody may be listening in; .*ssh-keygen -f .* -R /);
	}
});
