import assert from "node:assert/strict";
import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { tmpdir, userInfo } from "node:os";
import { delimiter, join } from "node:path";
import { text } from "node:stream/consumers";
import { after, before, type SuiteContext, test } from "node:test";
import { ConnectionError } from "../../src/errors.js";
import { parseTarget } from "../../src/target/parse-target.js";
import { openTransport, readTransportSettings } from "../../src/transport/open-transport.js";
import type { Transport } from "../../src/transport/transport.js";
import { type Realm, startRealm } from "../support/kerberos.js";
import { suiteUnless } from "../support/requirement.js";
import { makeSecurityKey, type SecurityKey } from "../support/security-key.js";
import { makeSmartCard, type SmartCard } from "../support/smart-card.js";
import { startSshAgent } from "../support/ssh-programs.js";
import { type Sshd, startSshd, whyNoSshd } from "../support/sshd.js";

// What ssh2 cannot do and the ssh program can, without the user's asking for it: the real sshd lets in a
// security key, a smart card and a Kerberos ticket, each of them in software.

const never = new AbortController().signal;

/** These need programs that few have: without them they are skipped, but not in CI. */
function suiteWith(programs: readonly string[], name: string, body: (it: SuiteContext) => void) {
	const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin"];
	const missing = programs.find(
		(each) => !folders.some((folder) => existsSync(join(folder, each))),
	);
	suiteUnless(whyNoSshd() ?? (missing && `${missing} is not installed`), name, body);
}

let folder: string;
let daemon: Server;

before(async () => {
	folder = await mkdtemp(join(tmpdir(), "rbuild-devices-"));
	daemon = createServer((_request, response) => response.end("pong"));
	await new Promise<void>((listening) => daemon.listen(join(folder, "daemon.sock"), listening));
});
after(async () => {
	daemon.close();
	await rm(folder, { recursive: true });
});

interface Client {
	/** In place of the key that the box knows. */
	readonly lines: readonly string[];
	readonly variables?: Readonly<Record<string, string>>;
}

async function open(box: Sshd, { lines, variables }: Client): Promise<Transport> {
	const sshConfigFile = join(await mkdtemp(join(folder, "client-")), "config");
	const usual = readFileSync(box.sshConfigFile, "utf8").replace(/^ {2}Identi.*\n/gm, "");
	writeFileSync(sshConfigFile, `${usual}${lines.map((line) => `  ${line}\n`).join("")}`);
	const environment = {
		variables: { PATH: process.env.PATH, ...variables },
		homeDirectory: folder,
		userName: userInfo().username,
		platform: process.platform,
		workingDirectory: folder,
		sshConfigFile,
	};
	const target = parseTarget(`ssh://${box.alias}${join(folder, "daemon.sock")}`);
	const chosen = { target, chosenBy: "--on" };
	return await openTransport(chosen, readTransportSettings(chosen, environment, never), never);
}

async function getsIn(box: Sshd, reason: string, client: Client): Promise<void> {
	await using transport = await open(box, client);
	assert.equal(transport.route, `the ssh program (${reason}), streamlocal`);
	const stream = await transport.open(never);
	stream.write("GET /_ping HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n\r\n");
	assert.match(await text(stream), /pong$/);
}

function boxFor(publicKey: string): Promise<Sshd> {
	const authorized = join(folder, `authorized-${Date.now()}`);
	writeFileSync(authorized, publicKey);
	return startSshd({ config: [`AuthorizedKeysFile ${authorized}`] });
}

suiteWith(["gcc"], "a FIDO security key", () => {
	let key: SecurityKey;
	let box: Sshd;
	before(async () => {
		key = makeSecurityKey(folder);
		box = await boxFor(readFileSync(`${key.file}.pub`, "utf8"));
	});
	after(() => box.stop());

	test("gets in by itself, also without its public half beside it", async () => {
		const lines = [`IdentityFile ${key.file}`, `SecurityKeyProvider ${key.provider}`];
		await getsIn(box, `the security key ${key.file}`, { lines });
		rmSync(`${key.file}.pub`);
		await getsIn(box, `the security key ${key.file}`, { lines });
		assert.match(box.log(), /Accepted publickey for .* ED25519-SK/);
	});

	test("gets in when only an agent has it", async () => {
		using agent = startSshAgent(join(folder, "agent.sock"), [key.file], key.provider);
		const lines = ["IdentityFile none", `IdentityAgent ${agent.socketPath}`];
		await getsIn(box, "a security key of the ssh agent", { lines });
	});
});

suiteWith(["softhsm2-util"], "a smart card", () => {
	test("of PKCS11Provider gets in, and its PIN is asked for", async () => {
		const card: SmartCard = makeSmartCard(folder);
		await using box = await boxFor(card.publicKey);
		const program = join(folder, "askpass");
		writeFileSync(program, `#!/bin/sh\necho "$1" >${program}.asked\necho ${card.pin}\n`);
		chmodSync(program, 0o700);
		const asking = { SSH_ASKPASS: program, SSH_ASKPASS_REQUIRE: "force" };
		await getsIn(box, `the PKCS#11 provider ${card.provider}`, {
			lines: [`PKCS11Provider ${card.provider}`, "IdentityAgent none"],
			variables: { ...card.variables, ...asking },
		});
		assert.equal(readFileSync(`${program}.asked`, "utf8"), "Enter PIN for 'box': \n");
	});
});

suiteWith(["krb5kdc", "kadmin.local", "kinit"], "Kerberos", () => {
	let realm: Realm;
	let box: Sshd;
	before(async () => {
		realm = await startRealm(join(folder, "realm"), userInfo().username, "127.0.0.1");
		box = await startSshd({
			config: ["GSSAPIAuthentication yes", "GSSAPIStrictAcceptorCheck no"],
			variables: realm.hostVariables,
		});
	});
	after(async () => {
		await box.stop();
		await realm[Symbol.asyncDispose]();
	});

	const lines = ["GSSAPIAuthentication yes", "IdentityFile none", "IdentityAgent none"];

	test("gets in with a ticket", async () => {
		const variables = realm.logIn();
		await getsIn(box, "a Kerberos ticket (GSSAPI)", { lines, variables });
		assert.match(box.log(), /Accepted gssapi-with-mic for /);
	});

	test("names kinit where there is no ticket", async () => {
		const failure = await open(box, { lines, variables: realm.variables }).then(
			(transport) => assert.fail(`it got in by ${transport.route}`),
			(error: unknown) => error,
		);
		assert.ok(failure instanceof ConnectionError, String(failure));
		assert.match(failure.message, /no key to try; the server offers publickey,.*gssapi-with-mic$/);
		assert.match(
			failure.hint ?? "",
			/\(ssh-copy-id installs a key, kinit gets a Kerberos ticket\)$/,
		);
	});
});
