import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, win32 } from "node:path";
import { after, before, suite, test } from "node:test";
import type { Environment } from "../../../../../src/environment.js";
import { UsageError } from "../../../../../src/errors.js";
import { interpretOptions } from "../../../../../src/transport/ssh/config/interpret-options.js";
import { parseQueryAnswer } from "../../../../../src/transport/ssh/config/ssh-config-query.js";
import {
	type SshSettings,
	type SshTarget,
	sshSettings,
} from "../../../../../src/transport/ssh/config/ssh-settings.js";

const environment: Environment = {
	variables: { SSH_AUTH_SOCK: "/run/agent", KEYS: "/keys" },
	homeDirectory: "/home/ann",
	userName: "ann",
	platform: "linux",
	workingDirectory: "/work",
};

function settings(config: string, target: Partial<SshTarget> = {}, changed?: Partial<Environment>) {
	return interpretOptions(
		parseQueryAnswer(config),
		{ kind: "ssh", host: "box", ...target },
		{ ...environment, ...changed },
	);
}

suite("ssh settings", { skip: process.platform === "win32" }, () => {
	test("have OpenSSH's defaults", () => {
		const { algorithms, environment: _, ...rest } = settings("");
		assert.deepEqual(algorithms.ciphers.slice(0, 1), ["aes128-gcm@openssh.com"]);
		assert.deepEqual(rest, {
			alias: "box",
			sshArguments: "box",
			trustArguments: "box",
			hostName: "box",
			port: 22,
			user: "ann",
			addressFamily: undefined,
			bindAddress: undefined,
			proxy: undefined,
			onlySsh: undefined,
			keepAlive: undefined,
			identityFiles: ["rsa", "ecdsa", "ecdsa_sk", "ed25519", "ed25519_sk"].map(
				(type) => `/home/ann/.ssh/id_${type}`,
			),
			identitiesOnly: false,
			agentSocket: "/run/agent",
			userKnownHostsFiles: ["/home/ann/.ssh/known_hosts", "/home/ann/.ssh/known_hosts2"],
			globalKnownHostsFiles: ["/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2"],
			hostKeyAlias: undefined,
			strictHostKeyChecking: "ask",
			hashKnownHosts: false,
			connectTimeoutMs: 15_000,
			batchMode: false,
			login: {
				methods: ["publickey", "keyboard-interactive", "password"],
				passwordPrompts: 3,
				certificateFiles: [],
				pkcs11Provider: undefined,
				gssapi: false,
			},
		});
	});

	test("follow what ssh -G printed", () => {
		const read = settings(
			"hostname 10.0.0.7\nport 2222\nuser bob\nidentitiesonly yes\nhostkeyalias lab\nstricthostkeychecking true\nhashknownhosts yes\nconnecttimeout 3\nuserknownhostsfile /a /b\n",
		);
		assert.equal(read.hostName, "10.0.0.7");
		assert.equal(read.port, 2222);
		assert.equal(read.user, "bob");
		assert.equal(read.identitiesOnly, true);
		assert.equal(read.hostKeyAlias, "lab");
		assert.equal(read.strictHostKeyChecking, "yes");
		assert.equal(read.hashKnownHosts, true);
		assert.equal(read.connectTimeoutMs, 3000);
		assert.deepEqual(read.userKnownHostsFiles, ["/a", "/b"]);
	});

	test("let the target outweigh the configuration", () => {
		const read = settings("port 2222\nuser bob\n", { user: "eve", port: 7 });
		assert.deepEqual([read.user, read.port, read.sshArguments], ["eve", 7, "-p 7 eve@box"]);
	});

	test("replace ~, variables and %-tokens in paths", () => {
		const read = settings(
			// biome-ignore lint/suspicious/noTemplateCurlyInString: ssh_config's own syntax.
			"hostname real\nport 7\nuser bob\nidentityfile ~/.ssh/a b\nidentityfile %d/%n-%h-%p-%r-%u%%x\nidentityfile ${KEYS}/k\nidentityfile relative\nidentityfile none\n",
		);
		assert.deepEqual(read.identityFiles, [
			"/home/ann/.ssh/a b",
			"/home/ann/box-real-7-bob-ann%x",
			"/keys/k",
			"/work/relative",
		]);
	});

	test("name the agent's socket", () => {
		assert.equal(settings("identityagent none\n").agentSocket, undefined);
		assert.equal(settings("identityagent ~/agent\n").agentSocket, "/home/ann/agent");
		assert.equal(settings("identityagent SSH_AUTH_SOCK\n").agentSocket, "/run/agent");
		assert.equal(settings("identityagent $KEYS\n").agentSocket, "/keys");
		assert.equal(settings("identityagent $NOT_SET\n").agentSocket, undefined);
		const onePassword = "Library/Group Containers/2BUA8C4S2C.com.1password/t/agent.sock";
		assert.equal(
			settings(`identityagent ~/${onePassword}\n`).agentSocket,
			`/home/ann/${onePassword}`,
		);
		const launchd = "/private/tmp/com.apple.launchd.Xy1/Listeners";
		const variables = { SSH_AUTH_SOCK: launchd };
		assert.equal(settings("", {}, { variables, platform: "darwin" }).agentSocket, launchd);
		const pipe = "\\\\.\\pipe\\other-agent";
		assert.equal(settings(`identityagent ${pipe}\n`, {}, { platform: "win32" }).agentSocket, pipe);
		assert.equal(settings("", {}, { variables: {} }).agentSocket, undefined);
		assert.match(
			settings("", {}, { variables: {}, platform: "win32" }).agentSocket ?? "",
			/openssh-ssh-agent$/,
		);
	});

	test("read the paths of the ssh programs that there are on Windows", () => {
		const machine = {
			platform: "win32",
			homeDirectory: "C:\\Users\\ann",
			workingDirectory: "D:\\work",
			variables: { ProgramData: "E:\\Data" },
		} as const;
		const read = settings(
			[
				"userknownhostsfile /c/Users/a b/.ssh/known_hosts /cygdrive/d/known_hosts C:\\known_hosts ~/known",
				"globalknownhostsfile __PROGRAMDATA__\\ssh/ssh_known_hosts /etc/ssh/ssh_known_hosts2",
				"identityfile /c/Users/ann/.ssh/id",
				"identityfile /home/ann/.ssh/id",
				"identityfile keys/id",
				"identityagent /d/agent",
			].join("\r\n"),
			{},
			machine,
		);
		assert.deepEqual(read.userKnownHostsFiles, [
			...["c:/Users/a b/.ssh/known_hosts", "d:/known_hosts"],
			...["C:\\known_hosts", "C:\\Users\\ann/known"],
		]);
		const data = join(machine.variables.ProgramData, "ssh");
		const known = ["ssh_known_hosts", "ssh_known_hosts2"];
		assert.deepEqual(read.globalKnownHostsFiles, [
			...["E:\\Data\\ssh/ssh_known_hosts", `${data}/ssh_known_hosts2`],
		]);
		assert.deepEqual(
			settings("", {}, machine).globalKnownHostsFiles,
			known.map((name) => win32.join(data, name)),
		);
		assert.deepEqual(read.identityFiles, [
			...["c:/Users/ann/.ssh/id", "/home/ann/.ssh/id", "D:\\work\\keys\\id"],
		]);
		assert.equal(read.agentSocket, "d:/agent");
		for (const none of ["NUL", "\\\\.\\nul", "/dev/null"]) {
			const { userKnownHostsFiles } = settings(`userknownhostsfile ${none}\n`, {}, machine);
			assert.deepEqual(userKnownHostsFiles, ["/dev/null"]);
		}
		const elsewhere = settings("identityfile /c/Users/ann/.ssh/id\n").identityFiles;
		assert.deepEqual(elsewhere, ["/c/Users/ann/.ssh/id"]);
	});

	test("take over how the connection is made", () => {
		const read = settings(
			"addressfamily inet6\nbindaddress ::1\nbatchmode yes\nserveraliveinterval 20\nserveralivecountmax 5\n",
		);
		assert.equal(read.addressFamily, 6);
		assert.equal(read.bindAddress, "::1");
		assert.equal(read.batchMode, true);
		assert.deepEqual(read.keepAlive, { intervalMs: 20_000, countMax: 5 });
		const impatient = settings("serveraliveinterval 20\nserveralivecountmax 0\n");
		assert.deepEqual(impatient.keepAlive, { intervalMs: 20_000, countMax: 1 });
	});

	test("name what only the ssh program can do", () => {
		assert.equal(settings("proxyusefdpass yes\n").onlySsh, "ProxyUseFdpass");
		assert.equal(settings("revokedhostkeys /r\n").onlySsh, "RevokedHostKeys");
		assert.equal(settings("proxyusefdpass no\nknownhostscommand none\n").onlySsh, undefined);
	});

	test("keep paths with blanks whole that ssh -G prints in a row", () => {
		const read = settings("userknownhostsfile /home/a b/x /home/c d/y\n");
		assert.deepEqual(read.userKnownHostsFiles, ["/home/a b/x", "/home/c d/y"]);
	});

	test("replace the tokens of a ProxyCommand, and no others there", () => {
		const read = settings("hostname real\nhostkeyalias key\nproxycommand nc %h %p %r %n %k %%\n", {
			port: 7,
		});
		const command = "nc real 7 ann box key %";
		assert.deepEqual(read.proxy, { kind: "command", command });
		assert.throws(
			() => settings("proxycommand nc %d\n"),
			(error) => error instanceof UsageError && /unknown token "%d"/.test(error.message),
		);
		assert.equal(settings("proxycommand none\n").proxy, undefined);
	});

	test("know ciphers in the user's order, and in rbuild's where there is none", () => {
		const ciphers = (list: string) => settings(`ciphers ${list}\n`).algorithms.ciphers;
		assert.deepEqual(ciphers("aes256-ctr,aes128-ctr,nobody@knows"), ["aes256-ctr", "aes128-ctr"]);
		const openssh9 =
			"chacha20-poly1305@openssh.com,aes128-ctr,aes192-ctr,aes256-ctr,aes128-gcm@openssh.com,aes256-gcm@openssh.com";
		const openssh10 =
			"chacha20-poly1305@openssh.com,aes128-gcm@openssh.com,aes256-gcm@openssh.com,aes128-ctr,aes192-ctr,aes256-ctr";
		assert.equal(ciphers(openssh9)[0], "aes128-gcm@openssh.com");
		assert.equal(ciphers(openssh10)[0], "aes128-gcm@openssh.com");
		assert.equal(
			settings("kexalgorithms mlkem768x25519-sha256\n").onlySsh,
			"KexAlgorithms mlkem768x25519-sha256",
		);
	});

	suite("of jump hosts", () => {
		let home: string;
		before(async () => {
			home = await mkdtemp(join(tmpdir(), "rbuild-jumps-"));
		});
		after(() => rm(home, { recursive: true }));

		/** The stops of the way, the box last. */
		async function way(config: string, host: string): Promise<string[]> {
			await writeFile(join(home, "config"), config, { mode: 0o600 });
			const machine = { ...environment, sshConfigFile: join(home, "config") };
			// Nothing on this PATH, so that our own reading is asked.
			const variables = { PATH: join(home, "nothing") };
			const signal = new AbortController().signal;
			let stop: SshSettings | undefined = await sshSettings(
				{ kind: "ssh", host },
				{ ...machine, variables },
				signal,
			);
			const names: string[] = [];
			while (stop !== undefined) {
				names.unshift(`${stop.user}@${stop.hostName}:${stop.port}`);
				stop = stop.proxy?.kind === "jump" ? stop.proxy.through : undefined;
			}
			return names;
		}

		test("have their own settings, and the proxies of those", async () => {
			const config =
				"Host box\n ProxyJump bob@near,far:7\nHost near\n HostName near.example\n ProxyJump outer\nHost far\n User eve\n ProxyJump never\n";
			assert.deepEqual(await way(config, "box"), [
				...["ann@outer:22", "bob@near.example:22", "eve@far:7", "ann@box:22"],
			]);
		});

		test("that lead back to themselves are refused", async () => {
			await assert.rejects(
				way("Host *\n ProxyJump gate\n", "box"),
				/^UsageError: ssh config: ProxyJump loop: box -> gate -> gate$/,
			);
			await assert.rejects(
				way("Host box\n ProxyJump a\nHost a\n ProxyJump b\nHost b\n ProxyJump ann@box\n", "box"),
				/ProxyJump loop: box -> a -> b -> box$/,
			);
		});
	});
});
