import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
	chmodSync,
	cpSync,
	mkdirSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	rmSync,
	writeFileSync,
} from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { inspectImage } from "../../src/engine/images.js";
import { BASE_IMAGE } from "../support/base-image.js";
import { type Box, startBox } from "../support/box.js";
import { fillIn, runAction } from "../support/composite-action.js";
import { blocksOf } from "../support/guide.js";
import { type Registry, startRegistry, whyNoRegistry } from "../support/registry.js";
import { suiteWithDockerd } from "../support/requirement.js";
import { runScript } from "../support/script.js";
import { startSshAgent } from "../support/ssh-programs.js";
import { type Sshd, startSshd } from "../support/sshd.js";
import { parseYaml } from "../support/yaml.js";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const { signal } = new AbortController();

suiteWithDockerd("the GitHub Action and the guides", () => {
	let directory: string;
	let box: Box;
	let sshd: Sshd;
	let registry: Registry;
	let project: string;
	/** What stands for ssh://builder@box.example. */
	let on: string;
	let key: string;
	let knownHosts: string;

	before(async () => {
		const why = whyNoRegistry();
		if (why !== undefined) throw new Error(why);
		directory = mkdtempSync(join(tmpdir(), "rbuild-guides-"));
		const inside = (name: string) => {
			mkdirSync(join(directory, name));
			return join(directory, name);
		};
		[box, sshd, registry] = await Promise.all([
			startBox(),
			startSshd({ directory: inside("sshd") }),
			startRegistry(),
		]);
		on = `ssh://${sshd.user}@${sshd.host}:${sshd.port}${box.socketPath}`;
		key = readFileSync(sshd.clientKeyFile, "utf8");
		knownHosts = readFileSync(sshd.knownHostsFile, "utf8");
		project = inside("project");
		writeFileSync(
			join(project, "Dockerfile"),
			`FROM ${BASE_IMAGE}\nARG TITLE=none\nLABEL title=$TITLE\n`,
		);
		const programs = inside("bin");
		const rbuild = join(programs, "rbuild");
		// The flags are for what a user's own ~/.ssh would say.
		writeFileSync(
			rbuild,
			`#!/bin/sh\nexec ${process.execPath} ${root}/bin/rbuild.js "$@" $RBUILD_TEST_FLAGS\n`,
		);
		writeFileSync(join(programs, "sudo"), '#!/bin/sh\nexec "$@"\n');
		for (const name of ["rbuild", "sudo"]) chmodSync(join(programs, name), 0o755);
	});
	after(async () => {
		await Promise.all([box?.[Symbol.asyncDispose](), sshd?.stop(), registry?.stop()]);
		rmSync(directory, { recursive: true, force: true });
	});

	const path = () => `${join(directory, "bin")}:${process.env.PATH}`;

	function temporary(): string {
		return mkdtempSync(join(directory, "temporary-"));
	}

	function here(text: string): string {
		return text
			.replaceAll("ssh://builder@box.example", on)
			.replaceAll("registry.example", registry.host)
			.replaceAll(
				"ssh-keyscan -t ed25519 box.example",
				`ssh-keyscan -p ${sshd.port} -t ed25519 ${sshd.host}`,
			);
	}

	function act(
		inputs: Readonly<Record<string, string>>,
		env = {},
		during = new AbortController().signal,
	) {
		const usual = { on, "ssh-key": key, "known-hosts": knownHosts };
		const job = { cwd: project, temporary: temporary(), env, signal: during };
		return runAction(root, { ...usual, ...inputs }, job);
	}

	function leavesNoKey({ temporary, stdout, stderr }: Awaited<ReturnType<typeof act>>): void {
		assert.deepEqual(readdirSync(temporary), []);
		const secret = key.split("\n")[2] ?? "";
		for (const text of [stdout, stderr]) assert.equal(text.includes(secret), false);
	}

	suite("the action", () => {
		test("builds and pushes, with outputs and a summary", async () => {
			const tags = `${registry.host}/app:1\n${registry.host}/app:2`;
			const run = await act({ tags, push: "true", args: '--label "who=the action"' });
			assert.equal(run.code, 0, run.stdout + run.stderr);
			const { "image-id": imageId = "", digest = "", metadata = "" } = run.outputs;
			const image = await inspectImage(box.engine, `${registry.host}/app:2`, signal);
			assert.equal(imageId, image.id);
			assert.equal(image.labels.who, "the action");
			assert.ok(image.digests.includes(`${registry.host}/app@${digest}`), digest);
			assert.deepEqual(JSON.parse(metadata).tags, tags.split("\n"));
			assert.ok(run.summary.includes(`| Image | \`${imageId}\` |\n`), run.summary);
			assert.match(run.summary, /\| Context sent \| [\d.]+ k?B \(\w+\) \|/);
			leavesNoKey(run);
		});

		test("fails as the build does, and keeps no key", async () => {
			const run = await act({ file: "Missing" });
			assert.equal(run.code, 3, run.stderr);
			assert.deepEqual(run.outputs, { "image-id": "", digest: "", metadata: "" });
			leavesNoKey(run);
		});

		test("reads the report where the job wants it", async () => {
			const file = join(project, "report.json");
			const run = await act({ args: `--metadata-file=${file}` });
			assert.equal(run.code, 0, run.stdout + run.stderr);
			const { imageId } = JSON.parse(readFileSync(file, "utf8"));
			assert.equal(run.outputs["image-id"], imageId);
		});

		test("has no outputs of what builds nothing", async () => {
			const run = await act({ args: "--dry-run" });
			assert.equal(run.code, 0, run.stdout + run.stderr);
			assert.deepEqual(run.outputs, { "image-id": "", digest: "", metadata: "" });
			const { stderr } = await act({ args: "--call=outline" });
			// Docker can do it from 24 on.
			assert.doesNotMatch(stderr, /--metadata-file/);
		});

		test("does not guess what push may mean", async () => {
			const run = await act({ push: "yes" });
			assert.equal(run.code, 1);
			assert.match(run.stdout, /^::error::rbuild: push: "yes" is neither true nor false$/m);
			leavesNoKey(run);
		});

		test("ends when the job is cancelled, and keeps no key", async () => {
			writeFileSync(
				join(project, "Slow"),
				`FROM ${BASE_IMAGE}\nRUN echo going on; sleep 100; true\n`,
			);
			const cancel = new AbortController();
			const running = act({ file: "Slow" }, {}, cancel.signal);
			const ended = running.then(() => true);
			while (!(await isBuilding()) && !(await Promise.race([ended, setTimeout(50)])));
			cancel.abort();
			const run = await running;
			assert.equal(run.code, 130, run.stdout + run.stderr);
			leavesNoKey(run);
		});

		test("checks the host key, and says what is wrong with a key", async () => {
			const other = knownHosts.replace(/:\d+/, ":1");
			const unknown = await act({ "known-hosts": other });
			assert.equal(unknown.code, 4);
			assert.match(unknown.stderr, /host key unknown/);
			leavesNoKey(unknown);
			const open = await act({ args: "--label 'x\n::add-mask::y" });
			assert.equal(open.code, 1);
			assert.match(open.stdout, /^::error::rbuild: args: .*%0A::add-mask::y$/m);
			leavesNoKey(open);
			const broken = await act({ "ssh-key": key.slice(0, 80) });
			assert.equal(broken.code, 1);
			assert.match(broken.stdout, /^::error::rbuild: ssh-add does not take the ssh-key: /m);
			leavesNoKey(broken);
		});
	});

	test("the action makes a fresh checkout ready", async () => {
		const checkout = join(temporary(), "rbuild");
		for (const part of ["action", "bin", "src", "esbuild.js", "package.json", "tsconfig.json"]) {
			cpSync(join(root, part), join(checkout, part), { recursive: true });
		}
		// What "npm ci" brings.
		const programs = temporary();
		const npm = `#!/bin/sh\ntest "$1" = ci && ln -s ${join(root, "node_modules")} .\n`;
		writeFileSync(join(programs, "npm"), npm, { mode: 0o755 });
		const script = `node ${checkout}/action/prepare.js && node ${checkout}/bin/rbuild.js --version`;
		const env = { PATH: `${programs}:${process.env.PATH}` };
		const { code, stdout, stderr } = await runScript(script, { cwd: project, env });
		assert.equal(code, 0, stdout + stderr);
		assert.match(stdout, /^\d+\.\d+\.\d+$/m);
	});

	/** Whether the step that goes on is there, as a process of this machine. */
	async function isBuilding(): Promise<boolean> {
		for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
			const line = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
			if (line.includes("echo going on; sleep 100; true")) return true;
		}
		return false;
	}

	test("github-actions.md", async () => {
		const [workflow = ""] = blocksOf(root, "github-actions.md", "yaml");
		const { jobs } = parseYaml(here(workflow)) as never as {
			jobs: { image: { steps: Record<string, never>[] } };
		};
		const values: Record<string, string> = {
			"secrets.BOX_SSH_KEY": key,
			"vars.BOX_KNOWN_HOSTS": knownHosts,
			"github.sha": "0123abc",
			"secrets.DOCKER_AUTH_CONFIG": '{"auths":{}}',
		};
		const filled = (map: Record<string, string> = {}) =>
			Object.fromEntries(Object.entries(map).map(([name, text]) => [name, fillIn(text, values)]));
		let ran = 0;
		for (const { uses = "", id, env, with: inputs, run } of jobs.image.steps) {
			if (run !== undefined) {
				const script = fillIn(run, values);
				const { code, stdout } = await runScript(script, { cwd: project, env: {} });
				assert.equal(code, 0);
				assert.match(stdout, /^pushed as sha256:[0-9a-f]{64}$/m);
			} else if (/\/rbuild@/.test(uses)) {
				const done = await act(filled(inputs), filled(env));
				assert.equal(done.code, 0, done.stdout + done.stderr);
				for (const [name, value] of Object.entries(done.outputs)) {
					values[`steps.${id}.outputs.${name}`] = value;
				}
			} else continue;
			ran += 1;
		}
		assert.equal(ran, 2);
		const image = await inspectImage(box.engine, `${registry.host}/app:0123abc`, signal);
		assert.equal(image.labels.title, "from CI");
	});

	test("gitlab-ci.md", async () => {
		const [text = ""] = blocksOf(root, "gitlab-ci.md", "yaml");
		const { image: job } = parseYaml(here(text)) as never as {
			image: { variables: Record<string, string>; before_script: string[]; script: string[] };
		};
		const [other = ""] = blocksOf(root, "gitlab-ci.md", "sh");
		const files = temporary();
		writeFileSync(join(files, "key"), key.replaceAll("\n", "\r\n"));
		writeFileSync(join(files, "known_hosts"), knownHosts);
		const prefix = temporary();
		// What stands for rbuild in npm's registry, and a place that is not this machine's.
		const npm = `npm() { test "$*" = 'install --global rbuild' && command npm install --global --prefix ${prefix} --prefer-offline --ignore-scripts ${packed(prefix)} >&2; }`;
		const lines = [
			...["trap 'ssh-agent -k' EXIT", npm],
			...job.before_script,
			...job.script,
			other,
		];
		const { code, stdout, stderr } = await runScript(lines.join("\n"), {
			cwd: project,
			env: {
				...{ ...job.variables, PATH: `${prefix}/bin:${process.env.PATH}`, TMPDIR: files },
				...{ BOX_SSH_KEY: join(files, "key"), BOX_KNOWN_HOSTS: join(files, "known_hosts") },
				...{ CI_REGISTRY_IMAGE: `${registry.host}/lab`, CI_COMMIT_SHA: "4567def" },
				...{ GITLAB_CI: "true", CI: "true" },
			},
		});
		assert.equal(code, 0, stderr);
		const metadata = JSON.parse(readFileSync(join(project, "metadata.json"), "utf8"));
		assert.deepEqual(metadata.tags, [`${registry.host}/lab:4567def`]);
		assert.match(stdout, /^✔ login +agent key /m);
	});

	/** @returns the package as npm's registry would have it */
	function packed(folder: string): string {
		const argv = ["pack", "--silent", "--ignore-scripts", "--pack-destination", folder];
		const { status, stdout, stderr } = spawnSync("npm", argv, { cwd: root, encoding: "utf8" });
		assert.equal(status, 0, stderr);
		return join(folder, stdout.trim());
	}

	test("mac-arm64.md", async () => {
		using agent = startSshAgent(join(temporary(), "a"), [sshd.clientKeyFile]);
		const config = temporary();
		const sshConfig = join(config, "ssh_config");
		writeFileSync(sshConfig, `UserKnownHostsFile ${sshd.knownHostsFile}\n`);
		const blocks = blocksOf(root, "mac-arm64.md", "sh").map(here);
		assert.equal(blocks.length, 3);
		const { code, stdout, stderr } = await runScript(blocks.join("\n"), {
			cwd: project,
			env: {
				...{ PATH: path(), SSH_AUTH_SOCK: agent.socketPath, DOCKER_CONFIG: config },
				...{ RBUILD_TEST_FLAGS: `--ssh-config ${sshConfig}`, XDG_CACHE_HOME: config },
			},
		});
		assert.equal(code, 0, stderr);
		assert.match(stdout, /^x86box\nx86box\n✔ box +.*x86box/);
		assert.ok(readFileSync(join(project, "app.tar.gz")).length > 100_000);
		assert.equal(stderr.match(/^pushed /gim)?.length, 1, stderr);
	});

	suite("box-setup.md", () => {
		test("makes a user who may use Docker, and a key", async () => {
			const [accounts = "", makeKey = ""] = blocksOf(root, "box-setup.md", "sh");
			const etc = join(temporary(), "etc");
			mkdirSync(etc);
			// The machine's own accounts and homes are out of reach.
			const inNamespace = [
				`cp /etc/passwd /etc/group /etc/shadow /etc/gshadow /etc/login.defs /etc/nsswitch.conf ${etc}`,
				`grep -q ^docker: ${etc}/group || echo docker:x:3999: >> ${etc}/group`,
				`mkdir ${etc}/default ${etc}/skel && mount --bind ${etc} /etc && mount -t tmpfs none /home`,
				accounts,
				"id -nG builder && ls /home",
			].join("\n");
			const script = `unshare --mount bash -e -c '${inNamespace}'\n${makeKey}`;
			const cwd = temporary();
			const { code, stdout, stderr } = await runScript(script, { cwd, env: { PATH: path() } });
			assert.equal(code, 0, stderr);
			assert.match(stdout, /^builder docker\nbuilder\nssh-ed25519 \S+ rbuild$/m);
		});

		test("keeps and shows the host key", async () => {
			const [, , onBox = "", keyscan = ""] = blocksOf(root, "box-setup.md", "sh");
			const cwd = temporary();
			const [hostKey = ""] = sshd.hostKeyFiles;
			const there = onBox.replace("/etc/ssh/ssh_host_ed25519_key", hostKey);
			const script = there + here(keyscan);
			const { code, stdout } = await runScript(script, { cwd, env: {} });
			assert.equal(code, 0);
			const [shown, seen, ...more] = stdout.match(/^256 SHA256:\S+/gm) ?? [];
			assert.equal(shown, seen);
			assert.deepEqual(more, []);
			assert.equal(
				readFileSync(join(cwd, "box_known_hosts"), "utf8").includes(knownHosts.trim()),
				true,
			);
		});

		test("lets all of a user's keys run one command and no more", async () => {
			const [block = ""] = blocksOf(root, "box-setup.md", "sshd_config");
			// At the end, as a Match goes on until there; an included one goes on until the end of its file.
			const file = join(temporary(), "at-the-end");
			const here = block
				.replace("User builder", `User ${sshd.user}`)
				.replace("docker system", `docker -H unix://${box.socketPath} system`);
			writeFileSync(file, here);
			await using other = await startSshd({ config: [`Include ${file}`] });
			const [, , , , doctor = ""] = blocksOf(root, "box-setup.md", "sh");
			const script = doctor.replace("ssh://builder@box.example", other.alias);
			const env = { PATH: path(), RBUILD_TEST_FLAGS: `--ssh-config ${other.sshConfigFile}` };
			const { code, stdout, stderr } = await runScript(script, { cwd: project, env });
			assert.equal(code, 0, stdout + stderr);
			assert.match(stdout, /^✔ docker socket +ssh, dial-stdio$/m);
		});

		const [socketOnly = "", command = ""] = blocksOf(root, "box-setup.md", "authorized_keys");
		for (const [line, route] of [
			[socketOnly, "ssh, streamlocal"],
			[command, "ssh, dial-stdio"],
		] as const) {
			test(`lets a key do this and no more: ${line.split(" ssh-")[0]}`, async () => {
				const file = join(directory, "sshd/authorized_keys");
				const earlier = readFileSync(file);
				const publicKey = readFileSync(`${sshd.clientKeyFile}.pub`, "utf8").trim();
				const here = line
					.replace(/ssh-ed25519 .*/, publicKey)
					.replace("/var/run/docker.sock", box.socketPath)
					.replace("docker system", `docker -H unix://${box.socketPath} system`);
				writeFileSync(file, here);
				const [, , , , doctor = ""] = blocksOf(root, "box-setup.md", "sh");
				const place = `ssh://${sshd.alias}${box.socketPath}`;
				const script = doctor.replace("ssh://builder@box.example", place);
				const flags = `--ssh-config ${sshd.sshConfigFile}`;
				const env = { PATH: path(), RBUILD_TEST_FLAGS: flags };
				try {
					const { code, stdout, stderr } = await runScript(script, { cwd: project, env });
					assert.equal(code, 0, stdout + stderr);
					assert.match(stdout, new RegExp(`^✔ docker socket +${route}$`, "m"));
					// ssh's own client as the attacker: neither a shell, nor a port, nor another socket.
					const ssh = (...args: string[]) =>
						spawnSync("ssh", ["-F", sshd.sshConfigFile, ...args], { encoding: "utf8", input: "" });
					assert.doesNotMatch(ssh(sshd.alias, "echo in").stdout, /^in$/m);
					const port = ssh("-W", `127.0.0.1:${sshd.port}`, sshd.alias);
					assert.doesNotMatch(port.stdout, /SSH-2\.0/);
					assert.match(port.stderr, /prohibited|denied/);
					if (route !== "ssh, streamlocal") return;
					using agent = startSshAgent(join(temporary(), "a"), []);
					const other = script.replace(box.socketPath, agent.socketPath);
					const { stdout: said } = await runScript(other, { cwd: project, env });
					assert.match(said, /^✘ docker socket/m);
				} finally {
					writeFileSync(file, earlier);
				}
			});
		}
	});
});
