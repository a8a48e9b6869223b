import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { homedir, hostname, tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import type { Environment } from "../../../../../src/environment.js";
import { UsageError } from "../../../../../src/errors.js";
import { interpretOptions } from "../../../../../src/transport/ssh/config/interpret-options.js";
import { readSshConfig } from "../../../../../src/transport/ssh/config/ssh-config-file.js";
import { querySshConfig } from "../../../../../src/transport/ssh/config/ssh-config-query.js";
import type {
	SshSettings,
	SshTarget,
} from "../../../../../src/transport/ssh/config/ssh-settings.js";

const never = new AbortController().signal;
const windows = process.platform === "win32" ? "the paths are those of Unix" : false;

/** Configurations by file name; "main" is the one that is named, INCLUDES stands for its folder. */
interface Case {
	readonly files: Readonly<Record<string, string>>;
	/** What the user might write after --on ssh:// */
	readonly hosts: readonly string[];
}

const CASES: Readonly<Record<string, Case>> = {
	"sections, wildcards and negation": {
		files: {
			main: `User top
Host web1 web2
  HostName %h.example.com
  Port 2201
Host web* !web9
  User web
  Port 2202
  IdentityFile ~/.ssh/web
Host *.lab !secret.lab
  HostName 10.0.0.7
  User lab
  IdentityFile /keys/%h-%r-%n
Host ?ot
  Port 77
Host UPPER
  Port 78
Host 10.1.*
  Port 79
Host 2001:db8::*
  Port 80
Host *
  IdentityFile ~/.ssh/any
  IdentityFile ~/.ssh/any
  Port 2222
`,
		},
		hosts: [
			...["web1", "web2", "web3", "web9", "a.lab", "secret.lab", "dot", "UPPER", "upper"],
			...["10.1.2.3", "10.2.1.1", "2001:db8::5", "ann@web1", "ann@web3:9", "Web1.Example.COM"],
		],
	},
	"quotes, equals signs, comments and line ends": {
		files: {
			main: [
				"Host=\"quoted\" 'single' plain # comment",
				'\tHostName = "spaced.example"\r',
				'  User "a b"',
				"  IdentityFile '/keys/one two'",
				'  IdentityFile "/keys/with \\"quote\\""',
				"  IdentityFile /keys/escaped\\ blank # another",
				"# Port 1",
				"  pOrT=7",
				"",
				"Host hash#tag",
				"  Port 8",
				"Host tabs",
				"\tUser\tann\t",
				"  UserKnownHostsFile /a /b",
				"Host odd",
				'  HostName=odd"er".example',
				"  IdentitiesOnly TRUE",
				"  ConnectTimeout 1m30s",
				"  ServerAliveInterval 15",
				"  ServerAliveCountMax 4",
				"Host last",
				"  ConnectTimeout none\f",
			].join("\n"),
		},
		hosts: ["quoted", "single", "plain", "hash", "hash#tag", "tabs", "odd", "last", "none"],
	},
	"conditions of Match": {
		files: {
			main: `Match host *.fin final
  Port 901
Match originalhost alias1,alias2
  HostName real.example
Match host real.example
  User matched
Match host REAL.example user matched
  Port 902
Match user ann
  IdentityFile /keys/ann
Match !user ann host *.example
  IdentityFile /keys/other
Match localuser nobody-at-all
  Port 903
Match exec "test %h = runs -o %n = runs"
  Port 904
Match exec "exit 1"
  Port 905
Match !exec "exit 1" host notrun
  Port 906
Match canonical host never-first
  Port 912
Match all
  IdentityFile /keys/all
Match final all
  IdentityFile /keys/final
Match host real.example final
  IdentityFile /keys/final-real
Host real.example
  IdentityFile /keys/host-of-final
Match !final host once
  User first-pass
Match final host once
  Port 913
`,
		},
		hosts: [
			...["a.fin", "alias1", "alias2", "ann@alias1", "real.example", "runs", "notrun"],
			...["bob@runs", "never-first", "once", "x.example"],
		],
	},
	includes: {
		files: {
			main: `Include INCLUDES/parts/*.conf INCLUDES/nothing-there
Host inside
  Include INCLUDES/conditional
  Port 11
Match host other
  Include INCLUDES/conditional
Include INCLUDES/parts/.hidden
Include INCLUDES/p*s/deep/?.cfg INCLUDES/parts/[xy]
Host *
  Port 12
`,
			"parts/10-one.conf": "Host *\n  User ten\nHost parts\n  HostName ten.example\n",
			"parts/20-two.conf": "User twenty\nHost parts\n  Port 20\n",
			"parts/.hidden": "Host hidden\n  HostName hidden.example\n",
			"parts/.unread.conf": "Host *\n  HostName unread.example\n",
			"parts/deep/1.cfg": "Host deep\n HostName one.example\n",
			"parts/x": "Host deep\n IdentityFile /keys/x\n",
			"parts/z": "Host deep\n IdentityFile /keys/z\n",
			conditional:
				"HostName conditional.example\nHost nobody\n  Port 99\nMatch all\n  HostKeyAlias all\n",
		},
		hosts: ["parts", "inside", "other", "hidden", "deep", "else"],
	},
	"known hosts, agents and tokens": {
		files: {
			main: `Host tokens
  HostName %h.%%.example
  Port 5
  User ann
  UserKnownHostsFile ~/kh-%h /kh/%k-%r-%p "\${RBUILD_KEYS}/kh" /kh/%u/%d/%i/%l/%L/%n/%C
  IdentityAgent ~/agent-%r.sock
  IdentityFile \${RBUILD_KEYS}/id_%h
  IdentityFile %d/%u/%i/%L/%l/%C
  HostKeyAlias Lab-%h
Host agents
  IdentityAgent SSH_AUTH_SOCK
Host agentenv
  IdentityAgent $RBUILD_KEYS
Host agentbrace
  IdentityAgent \${RBUILD_KEYS}/agent
Host onepassword
  IdentityAgent "~/Library/Group Containers/2BUA8C4S2C.com.1password/t/agent.sock"
Host linuxpassword
  IdentityAgent %d/.1password/agent.sock
Host noagent
  IdentityAgent none
  UserKnownHostsFile none
  GlobalKnownHostsFile /g1 /g2
  IdentityFile none
Host strict1
  StrictHostKeyChecking yes
  HashKnownHosts yes
Host strict2
  StrictHostKeyChecking off
Host strict3
  StrictHostKeyChecking accept-new
Host alias
  HostKeyAlias LAB
  AddressFamily inet6
  BindAddress 127.0.0.9
Host commands
  KnownHostsCommand /bin/keys "%H" # here
  ProxyUseFdpass yes
`,
		},
		hosts: [
			...["tokens", "agents", "agentenv", "agentbrace", "noagent", "strict1", "strict2"],
			...["strict3", "alias", "commands", "bob@tokens:6", "onepassword", "linuxpassword"],
		],
	},
	"jump hosts and proxies": {
		files: {
			main: `Host jump1
  ProxyJump gate
Host jump2
  ProxyJump ann@outer:2201,ssh://gate:77,[10.0.0.1]:7
Host jump3
  ProxyJump none
  ProxyCommand nc %h %p
Host jump4
  ProxyCommand = nc -x "proxy:1" %h %p # %r@%n %%
  ProxyJump gate
Host jump5
  ProxyCommand none
  ProxyJump gate
Host jump6
  ProxyJump gate
  ProxyCommand nc %h %p
Host jump7
  HostName %h.example
  HostKeyAlias Key
  ProxyCommand connect %n %k %r
Host jump8
  ProxyJump none
Host jump*
  User jumper
Host *
  ProxyJump last
`,
		},
		hosts: ["jump1", "jump2", "jump3", "jump4", "jump5", "jump6", "jump7", "jump8", "rest"],
	},
	algorithms: {
		files: {
			main: `Host one
  Ciphers aes256-ctr,aes128-gcm@openssh.com
  MACs hmac-sha2-512,umac-64@openssh.com
  KexAlgorithms sntrup761x25519-sha512@openssh.com,ecdh-sha2-nistp256,curve25519-sha256
  HostKeyAlgorithms rsa-sha2-256,ssh-ed25519-cert-v01@openssh.com,ssh-ed25519
Host more
  Ciphers +aes128-cbc
  KexAlgorithms +diffie-hellman-group14-sha1
  HostKeyAlgorithms +ssh-rsa
  MACs +hmac-md5
Host fewer
  Ciphers -aes*-ctr
  KexAlgorithms -ecdh*,curve25519-sha256
  MACs -*-etm@openssh.com
  HostKeyAlgorithms -ecdsa*
Host first
  Ciphers ^aes256-gcm@openssh.com
  MACs ^hmac-sha2-512
  KexAlgorithms ^diffie-hellman-group14-sha256
  HostKeyAlgorithms ^rsa-sha2-512
Host unknown
  Ciphers 3des-cbc
  MACs umac-64@openssh.com
`,
		},
		hosts: ["one", "more", "fewer", "first", "unknown", "default"],
	},
};

suite("readSshConfig", { skip: windows }, () => {
	let home: string;
	before(async () => {
		home = await mkdtemp(join(tmpdir(), "rbuild-ssh-config-"));
		await mkdir(join(home, ".ssh"));
	});
	after(() => rm(home, { recursive: true }));

	function environment(changed: Partial<Environment> = {}): Environment {
		return {
			variables: { PATH: process.env.PATH, RBUILD_KEYS: "/keys", SSH_AUTH_SOCK: "/run/agent" },
			homeDirectory: homedir(),
			userName: userInfo().username,
			machineName: hostname(),
			userId: userInfo().uid,
			platform: process.platform,
			workingDirectory: home,
			sshConfigFile: join(home, "main"),
			...changed,
		};
	}

	async function write(files: Readonly<Record<string, string>>): Promise<void> {
		for (const [name, text] of Object.entries(files)) {
			const path = join(home, name);
			await mkdir(join(path, ".."), { recursive: true });
			await writeFile(path, text.replaceAll("INCLUDES", home));
			await chmod(path, 0o600);
		}
	}

	/** Reads them from ~/.ssh, the one there is. */
	async function read(host: string, config: string, keyword: string) {
		await write({ ".ssh/config": config });
		const { sshConfigFile: _, ...rest } = environment({ homeDirectory: home });
		return (await readSshConfig({ kind: "ssh", host }, rest, never)).get(keyword);
	}

	const noSsh = spawnSync("ssh", ["-V"]).error && "there is no ssh to compare with";
	suite("says what ssh -G says", { skip: noSsh ?? false }, () => {
		const count = Object.values(CASES).reduce((sum, { hosts }) => sum + hosts.length, 0);
		test("of at least 60 hosts", () => assert.ok(count >= 60, String(count)));

		for (const [name, { files, hosts }] of Object.entries(CASES)) {
			for (const host of hosts) {
				test(`${name}: ${host}`, async () => {
					await write(files);
					const target = targetOf(host);
					const machine = environment();
					const queried = await querySshConfig(target, machine, never);
					assert.ok(queried);
					const own = await readSshConfig(target, machine, never);
					assert.deepEqual(
						comparable(interpretOptions(own, target, machine)),
						comparable(interpretOptions(queried, target, machine)),
					);
					const jump = queried.get("proxyjump");
					assert.deepEqual(bare(own.get("proxyjump")), bare(jump));
				});
			}
		}
	});

	test("takes the first value, and collects every IdentityFile", async () => {
		const config = "User top\nIdentityFile a\nHost box\n  User x\n  IdentityFile b\n";
		assert.deepEqual(await read("box", config, "user"), ["top"]);
		assert.deepEqual(await read("box", config, "identityfile"), ["a", "b"]);
	});

	test("knows the conditions that came with OpenSSH 9.4 and later", async () => {
		const config = `Host tagged
  Tag special
Match tagged special,other
  Port 1
Match host=inline user=!root,*
  Port 2
Match localnetwork 127.0.0.0/8 host local
  Port 3
Match localnetwork 203.0.113.0/24
  Port 4
Match sessiontype shell command "" tagged ""
  Port 5
`;
		for (const [host, port] of [
			["tagged", "1"],
			["inline", userInfo().username === "root" ? "5" : "2"],
			["local", "3"],
			["else", "5"],
		] as const) {
			assert.deepEqual(await read(host, config, "port"), [port], host);
		}
	});

	test("looks for relative includes in ~/.ssh, and expands their tokens", async () => {
		await write({ ".ssh/one.conf": "User included\n", ".ssh/box.conf": "Port 9\n" });
		assert.deepEqual(await read("box", "Include one.*\nUser late\n", "user"), ["included"]);
		assert.deepEqual(await read("box", "Include ~/.ssh/one.conf\n", "user"), ["included"]);
		assert.deepEqual(await read("box", "Include %n.conf\n", "port"), ["9"]);
		assert.deepEqual(await read("box", "Include nothing-there\nUser late\n", "user"), ["late"]);
	});

	test("names file and line of what it cannot understand", async () => {
		for (const [line, reason] of [
			["Port x", 'bad port "x"'],
			["Port 70000", 'bad port "70000"'],
			["Port", 'no argument after keyword "Port"'],
			["Port 1 2", "keyword port extra arguments at end of line"],
			['User "open', "invalid quotes"],
			['"', 'no keyword in """'],
			["IdentitiesOnly maybe", '"maybe" is neither yes nor no'],
			[
				"StrictHostKeyChecking sure",
				'"sure" is not supported: use yes, true, no, off, false, ask, accept-new',
			],
			["ConnectTimeout soon", '"soon" is not a time'],
			["ProxyJump a,,b", 'bad ProxyJump "a,,b"'],
			["ProxyJump -oProxyCommand=x", 'bad ProxyJump "-oProxyCommand=x"'],
			["Match", 'no argument after keyword "Match"'],
			["Match user", "Match user needs an argument"],
			["Match moon full", 'unknown Match condition "moon"'],
			["Match user x all", '"all" cannot be combined with other Match conditions'],
		] as const) {
			await assert.rejects(
				read("box", `# first\n${line}\n`, "port"),
				(error) =>
					error instanceof UsageError &&
					error.message === `${join(home, ".ssh", "config")}:2: ${reason}`,
				line,
			);
		}
	});

	test("names file and line also where ssh is asked", { skip: noSsh ?? false }, async () => {
		await write({ main: "User x\nPortt 7\n" });
		await assert.rejects(
			querySshConfig({ kind: "ssh", host: "box" }, environment(), never),
			(error) =>
				error instanceof UsageError &&
				error.message.startsWith("ssh cannot read its configuration for box: ") &&
				error.message.includes(`${join(home, "main")}:2: Bad configuration option`),
		);
	});

	test("is not asked of an ssh that does nothing for a user id without a name", {
		skip: windows,
	}, async () => {
		const bin = await mkdtemp(join(home, "bin-"));
		const refusal = "No user exists for uid 4242";
		await writeFile(join(bin, "ssh"), `#!/bin/sh\necho ${refusal} >&2\nexit 255\n`, {
			mode: 0o755,
		});
		const nameless = { ...environment(), variables: { PATH: `${bin}:${process.env.PATH}` } };
		assert.equal(await querySshConfig({ kind: "ssh", host: "box" }, nameless, never), undefined);
	});

	test("does not take tokens and variables that mean nothing", async () => {
		await assert.rejects(read("box", "HostName %z\n", "hostname"), /unknown token "%z"/);
		await assert.rejects(
			// biome-ignore lint/suspicious/noTemplateCurlyInString: ssh_config's own syntax.
			read("box", "IdentityAgent ${NOWHERE_SET}/x\n", "identityagent"),
			/\$\{NOWHERE_SET\} has no value/,
		);
	});

	test("ends where files include each other", async () => {
		const config = `Include ${join(home, ".ssh", "config")}\n`;
		await assert.rejects(read("box", config, "user"), /include each other in a loop/);
	});

	test("refuses a file that others may write to", async () => {
		await write({ ".ssh/config": "User x\n" });
		await chmod(join(home, ".ssh", "config"), 0o666);
		const { sshConfigFile: _, ...rest } = environment({ homeDirectory: home });
		await assert.rejects(
			readSshConfig({ kind: "ssh", host: "box" }, rest, never),
			/bad owner or permissions on .*config: others may write to it/,
		);
	});

	test("says when the file that was named is not there", async () => {
		const missing = environment({ sshConfigFile: join(home, "none-there") });
		await assert.rejects(
			readSshConfig({ kind: "ssh", host: "box" }, missing, never),
			/cannot read the ssh config file .*none-there/,
		);
	});
});

function targetOf(text: string): SshTarget {
	const [, user, host = "", port] = /^(?:(.*)@)?(.*?)(?::(\d+))?$/.exec(text) ?? [];
	const plain = text.includes("::");
	return {
		kind: "ssh",
		host: plain ? text : host,
		...(user === undefined || plain ? {} : { user }),
		...(port === undefined || plain ? {} : { port: Number(port) }),
	};
}

/** Without what differs between OpenSSH 9 and 10: keys that it tries by itself, its order of ciphers. */
function comparable(settings: SshSettings) {
	const { identityFiles, algorithms, environment: _, ...rest } = settings;
	return {
		...rest,
		algorithms: { ...algorithms, ciphers: algorithms.ciphers.toSorted() },
		identityFiles: identityFiles.filter((file) => !/id_(xmss|dsa|mldsa\w*)$/.test(file)),
	};
}

/** ssh prints addresses in brackets and without "ssh://", and says nothing in place of "none". */
function bare(jump: readonly string[] | undefined): string | undefined {
	const text = jump?.[0]?.replace(/[[\]]|ssh:\/\//g, "");
	return text === "none" ? undefined : text;
}
