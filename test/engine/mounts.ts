import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { removeImage } from "../../src/engine/images.js";
import { BASE_IMAGE } from "../support/base-image.js";
import type { Box } from "../support/box.js";
import { type CliOptions, finished, rbuild, startRbuild } from "../support/cli.js";
import { imageFile } from "../support/image-contents.js";
import { copySshPrograms, makeKey, startSshAgent } from "../support/ssh-programs.js";

/** No step needs a network, or may be left out because it has been run before. */
const STEPS = ["--no-cache", "--network", "none"];

const signal = new AbortController().signal;

/** Image names of this run: the lab is there for others, too. */
const TAG = `mounts-${randomBytes(4).toString("hex")}`;

interface Kind {
	readonly open: () => Promise<Box>;
	readonly transfers: readonly string[];
	/** Whether steps may mount ssh agents, too. */
	readonly agents: boolean;
}

/** What steps may mount of this machine: secrets and ssh agents, beside each transfer. */
export function testMounts({ open, transfers, agents }: Kind): void {
	let box: Box;
	let directory: string;
	let key: string;

	before(async () => {
		box = await open();
		directory = mkdtempSync(join(tmpdir(), "rbuild-mounts-"));
		key = makeKey(join(directory, "id_ed25519"), "ed25519");
	});
	after(async () => {
		await removeImage(box.engine, TAG, signal).catch(() => {});
		rmSync(directory, { recursive: true, force: true });
		await box[Symbol.asyncDispose]();
	});

	const at = (name: string) => join(directory, name);

	function context(...steps: readonly string[]): string {
		const root = mkdtempSync(at("context-"));
		writeFileSync(join(root, "Dockerfile"), [`FROM ${BASE_IMAGE}`, ...steps].join("\n"));
		return root;
	}

	function contextWithSsh(...steps: readonly string[]): string {
		const programs = [
			"ENV PATH=/bin:/usr/bin",
			"COPY root /",
			"COPY key.pub message /",
			"RUN echo root:x:0:0::/:/bin/sh > /etc/passwd",
		];
		const root = context(...programs, ...steps);
		copySshPrograms(join(root, "root"));
		copyFileSync(`${key}.pub`, join(root, "key.pub"));
		writeFileSync(join(root, "message"), "to be signed");
		return root;
	}

	function run(root: string, args: readonly string[], options?: CliOptions) {
		return rbuild([root, ...box.flags, ...STEPS, ...args], options);
	}

	async function build(root: string, args: readonly string[], options?: CliOptions) {
		const { code, stderr } = await run(root, ["-t", TAG, ...args], options);
		assert.equal(code, 0, stderr);
	}

	const skip = agents ? false : "this builder mounts no agents";

	for (const transfer of transfers) {
		test(`gives steps the secrets they mount, beside a ${transfer}`, async () => {
			const root = context(
				// Modes and sums only: the image must not hold them.
				"RUN --mount=type=secret,id=file,required=true md5sum < /run/secrets/file > /file",
				"RUN --mount=type=secret,id=variable,required=true md5sum < /run/secrets/variable > /variable",
				"RUN --mount=type=secret,id=NAMED,required=true md5sum < /run/secrets/NAMED > /named",
				"RUN --mount=type=secret,id=file,target=/again md5sum < /again > /file2",
				"RUN --mount=type=secret,id=absent [ ! -e /run/secrets/absent ]",
			);
			const value = randomBytes(500 * 1024);
			writeFileSync(at("secret file"), value);
			const env = { TOKEN: randomBytes(8).toString("hex"), NAMED: "näme" };
			await build(
				root,
				[
					...["--transfer", transfer, "--secret", `id=file,src=${at("secret file")}`],
					...["--secret", "type=env,id=variable,src=TOKEN", "--secret", "id=NAMED"],
				],
				{ env },
			);
			assert.equal(await imageFile(box.engine, TAG, "/file"), md5sum(value));
			assert.equal(await imageFile(box.engine, TAG, "/file2"), md5sum(value));
			assert.equal(await imageFile(box.engine, TAG, "/variable"), md5sum(env.TOKEN));
			assert.equal(await imageFile(box.engine, TAG, "/named"), md5sum(env.NAMED));
		});

		test(`lets steps use a real ssh agent, beside a ${transfer}`, { skip }, async () => {
			using agent = startSshAgent(at(`${transfer}.sock`), [key]);
			const root = contextWithSsh(
				"RUN --mount=type=ssh ssh-add -L > /keys; ! ssh-add -D && ! ssh-add -x < /dev/null",
				"RUN --mount=type=ssh ssh-keygen -Y sign -f /key.pub -n test /message",
			);
			await build(root, ["--transfer", transfer, "--ssh", "default"], {
				env: { SSH_AUTH_SOCK: agent.socketPath },
			});
			assert.equal(await imageFile(box.engine, TAG, "/keys"), readFileSync(`${key}.pub`, "utf8"));
			isSignature(await imageFile(box.engine, TAG, "/message.sig"));
			assert.match(agent.list(), /ED25519/);
		});
	}

	test("lets steps use keys from files, each agent by its id", { skip }, async () => {
		const others = ["rsa", "ecdsa"].map((type) => makeKey(at(type), type));
		const root = contextWithSsh(
			"RUN --mount=type=ssh,id=one ssh-add -L > /one",
			"RUN --mount=type=ssh,id=two ssh-add -L > /two",
			"RUN --mount=type=ssh,id=one ssh-keygen -Y sign -f /key.pub -n test /message",
		);
		await build(root, ["--ssh", `one=${key}`, "--ssh", `two=${others.join(",")}`]);
		const shown = (files: readonly string[]) =>
			files.map((file) => readFileSync(`${file}.pub`, "utf8")).join("");
		assert.equal(await imageFile(box.engine, TAG, "/one"), shown([key]));
		assert.equal(await imageFile(box.engine, TAG, "/two"), shown(others));
		isSignature(await imageFile(box.engine, TAG, "/message.sig"));
	});

	test("names a secret that was not given, and the flag to give it", async () => {
		for (const given of [[], ["--secret", "id=other,env=PATH"]]) {
			const root = context("RUN --mount=type=secret,id=wanted,required=true true");
			const { code, stderr } = await run(root, given);
			assert.equal(code, 1, stderr);
			assert.match(
				stderr,
				/^error: .* secret (wanted( not found)?: not|required but no secret with id "wanted") found$/m,
			);
			assert.match(stderr, /^hint: .*--secret id=wanted,src=FILE/m);
			assert.doesNotMatch(stderr, /^warning/m);
		}
	});

	test("names an ssh agent that was not given, and the flag to give it", { skip }, async () => {
		for (const given of [[], ["--ssh", `other=${key}`]]) {
			const root = context("RUN --mount=type=ssh,id=wanted,required=true true");
			const { code, stderr } = await run(root, given);
			assert.equal(code, 1, stderr);
			assert.match(stderr, /^error: .*: no SSH key "wanted" forwarded from the client$/m);
			assert.match(stderr, /^hint: .*--ssh wanted/m);
			assert.doesNotMatch(stderr, /^warning/m);
		}
	});

	test("says that an agent died while the build ran", { skip }, async () => {
		const agent = startSshAgent(at("dying.sock"), [key]);
		const root = contextWithSsh(
			"RUN --mount=type=ssh ssh-add -l && echo the agent is here && while sleep 1; do ssh-add -l || exit 9; done",
		);
		const child = startRbuild([
			root,
			...box.flags,
			...STEPS,
			"--ssh",
			`default=${at("dying.sock")}`,
		]);
		child.stderr?.on("data", (text: Buffer) => {
			if (text.includes("the agent is here\n")) agent[Symbol.dispose]();
		});
		const { code, stderr } = await finished(child);
		assert.equal(code, 1, stderr);
		assert.match(
			stderr,
			new RegExp(`^warning: .*the ssh agent at ${at("dying.sock")} does not answer`, "m"),
		);
		assert.match(stderr, /^error: .*exit code: 9$/m);
	});

	test("shows nothing of a secret, whatever is shown, and however the build ends", async () => {
		const secrets = [randomBytes(12).toString("hex"), randomBytes(12).toString("hex")];
		writeFileSync(at("shown"), secrets[0] ?? "");
		const given = ["--secret", `id=a,src=${at("shown")}`, "--secret", "id=b,env=HIDDEN"];
		const metadata = at("metadata.json");
		const ssh = agents ? ["--ssh", `default=${key}`] : [];
		const flags = [...given, ...ssh, "--debug", "--metadata-file", metadata];
		const pem = readFileSync(key, "utf8").split("\n")[3] ?? assert.fail();
		for (const end of ["true", "false"]) {
			for (const progress of ["json", "plain"]) {
				for (const transfer of transfers) {
					const mounts = ["secret,id=a", "secret,id=b", ...(agents ? ["ssh"] : [])];
					const root = context(
						`RUN ${mounts.map((type) => `--mount=type=${type}`).join(" ")} ls -l /run/secrets; ${end}`,
					);
					const how = ["-v", "--progress", progress, "--transfer", transfer];
					const env = { HIDDEN: secrets[1] ?? "" };
					const { code, stdout, stderr } = await run(root, [...flags, ...how], { env });
					assert.equal(code, end === "true" ? 0 : 1, stderr);
					const written = stdout + stderr + readFileSync(metadata, "utf8");
					for (const secret of [...secrets, pem]) {
						assert.ok(!written.includes(secret), stderr);
						assert.ok(!written.includes(Buffer.from(secret).toString("base64")));
					}
				}
			}
		}
	});

	test("has no step see a secret but those that mount it", async () => {
		const value = randomBytes(12).toString("hex");
		// Not as it would be found in the Dockerfile.
		const search = `grep -r '${value.slice(0, 12)}''${value.slice(12)}'`;
		const root = context(
			"COPY . /all",
			`RUN if ${search} /all /etc /run /tmp /var 2> /dev/null; then exit 9; fi`,
			`RUN --mount=type=bind,target=/context if ${search} /context; then exit 9; fi`,
			"RUN find /all > /copied",
		);
		await build(root, ["--secret", "id=hidden,env=HIDDEN"], { env: { HIDDEN: value } });
		const copied = await imageFile(box.engine, TAG, "/copied");
		assert.deepEqual(copied.trimEnd().split("\n").sort(), ["/all", "/all/Dockerfile"]);
	});

	test("takes a socket without an agent for what it is, before anything is sent", async () => {
		const server = createServer((socket) => socket.end("hello\n")).listen(at("other.sock"));
		const root = context("RUN --mount=type=ssh true");
		const { code, stderr } = await run(root, ["--ssh", `default=${at("other.sock")}`]);
		server.close();
		assert.equal(code, 2);
		assert.match(stderr, /^error: .*other\.sock is a socket, but no ssh agent answers on it$/m);
		assert.doesNotMatch(stderr, /connect|upload/);
	});

	function isSignature(signature: string): void {
		writeFileSync(at("signature"), signature);
		const flags = ["-Y", "check-novalidate", "-n", "test", "-s", at("signature")];
		execFileSync("ssh-keygen", flags, { input: "to be signed", stdio: ["pipe", "pipe", "pipe"] });
	}
}

/** @param flags of what this builder cannot mount */
export function testMountsAreRefused(
	open: () => Promise<Box>,
	flags: readonly ("--secret" | "--ssh")[],
): void {
	test(`has ${flags.join(" and ")} refused before anything is sent`, async () => {
		await using box = await open();
		const root = mkdtempSync(join(tmpdir(), "rbuild-mounts-"));
		writeFileSync(join(root, "Dockerfile"), `FROM ${BASE_IMAGE}\n`);
		const key = makeKey(join(root, "key"), "ed25519");
		const values = { "--secret": "id=a,env=PATH", "--ssh": `default=${key}` };
		for (const flag of flags) {
			const value = values[flag];
			const { code, stderr } = await rbuild([root, ...box.flags, flag, value]);
			assert.equal(code, 5, stderr);
			assert.match(stderr, new RegExp(`^error: .* has no BuildKit, which ${flag} needs$`, "m"));
			assert.match(stderr, /^hint: /m);
			assert.doesNotMatch(stderr, /upload/);
		}
		rmSync(root, { recursive: true });
	});
}

function md5sum(value: Buffer | string): string {
	return execFileSync("md5sum", { input: value, encoding: "utf8" });
}
