import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { Environment } from "../../../../src/environment.js";
import { UsageError } from "../../../../src/errors.js";
import { parseQueryAnswer } from "../../../../src/transport/ssh/ssh-config-query.js";
import { interpretOptions, type SshTarget } from "../../../../src/transport/ssh/ssh-settings.js";

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
		assert.deepEqual(settings(""), {
			alias: "box",
			sshArguments: "box",
			hostName: "box",
			port: 22,
			user: "ann",
			identityFiles: ["ed25519", "ecdsa", "rsa"].map((type) => `/home/ann/.ssh/id_${type}`),
			identitiesOnly: false,
			agentSocket: "/run/agent",
			userKnownHostsFiles: ["/home/ann/.ssh/known_hosts", "/home/ann/.ssh/known_hosts2"],
			globalKnownHostsFiles: ["/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2"],
			hostKeyAlias: undefined,
			strictHostKeyChecking: "ask",
			hashKnownHosts: false,
			connectTimeoutMs: 15_000,
			batchMode: false,
			environment,
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

	test("replace %h in HostName with the name that was given", () => {
		assert.equal(settings("hostname %h.lab.example\n").hostName, "box.lab.example");
	});

	test("name the agent's socket", () => {
		assert.equal(settings("identityagent none\n").agentSocket, undefined);
		assert.equal(settings("identityagent ~/agent\n").agentSocket, "/home/ann/agent");
		assert.equal(settings("identityagent SSH_AUTH_SOCK\n").agentSocket, "/run/agent");
		assert.equal(settings("identityagent $KEYS\n").agentSocket, "/keys");
		assert.equal(settings("", {}, { variables: {} }).agentSocket, undefined);
		assert.match(
			settings("", {}, { variables: {}, platform: "win32" }).agentSocket ?? "",
			/openssh-ssh-agent$/,
		);
	});

	test("refuse a jump host or proxy in place of going around it", () => {
		for (const option of ["proxyjump gate", "proxycommand nc %h %p"]) {
			assert.throws(
				() => settings(`${option}\n`),
				(error) => error instanceof UsageError && /not supported yet/.test(error.message),
			);
		}
		assert.equal(settings("proxycommand none\n").hostName, "box");
	});
});
