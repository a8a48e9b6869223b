import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { TransferChoice } from "../../src/build/plan/options.js";
import { inspectImage } from "../../src/engine/images.js";
import { BASE_IMAGE } from "../support/base-image.js";
import type { Box } from "../support/box.js";
import { finished, rbuild, startRbuild } from "../support/cli.js";
import { imageFile, imageListing } from "../support/image-contents.js";

const signal = new AbortController().signal;

/** Docker's classic builder warns of it before each step where the kernel's net.ipv4.ip_forward is 0. */
const OF_THIS_MACHINE = "IPv4 forwarding is disabled. Networking will not work.";

/** A machine to build on, and what is known of it beforehand. */
export interface Peer {
	readonly builder: "buildkit" | "classic";
	readonly product: "docker" | "podman";
	readonly major: number;
	/** The value of --transfer; absent: none is given. */
	readonly transfer?: TransferChoice;
	open(): Promise<Box>;
}

/** What a user of rbuild may expect of every daemon; to be called within a suite. */
export function testRemoteBuilds(peer: Peer): void {
	let box: Box;
	let directory: string;
	/** For every build of a directory. */
	let flags: readonly string[];

	before(async () => {
		box = await peer.open();
		flags = [...box.flags, ...(peer.transfer ? ["--transfer", peer.transfer] : [])];
		directory = mkdtempSync(join(tmpdir(), "rbuild-test-"));
	});
	after(async () => {
		rmSync(directory, { recursive: true, force: true });
		await box[Symbol.asyncDispose]();
	});

	/** A context of its own for each test. */
	function context(files: Readonly<Record<string, string>>): string {
		const root = mkdtempSync(join(directory, "context-"));
		for (const [name, content] of Object.entries(files)) {
			mkdirSync(dirname(join(root, name)), { recursive: true });
			writeFileSync(join(root, name), content);
		}
		return root;
	}

	async function build(...args: string[]) {
		const result = await rbuild([...args, ...flags]);
		assert.equal(result.code, 0, result.stderr);
		return result;
	}

	test("builds the image with exactly the files that .dockerignore leaves in", async () => {
		const root = context({
			Dockerfile: `FROM ${BASE_IMAGE}\nCOPY src /c\n`,
			".dockerignore": "**/*.log\n!src/keep.log\nsrc/left-out\n",
			"src/main.c": "int main;",
			"src/debug.log": "x",
			"src/keep.log": "kept",
			"src/left-out/deep/file": "x",
		});
		execFileSync("sh", ["-ec", "mkdir src/empty; ln -s main.c src/link; chmod 4755 src/main.c"], {
			cwd: root,
		});
		await build(root, "-t", "files");
		assert.deepEqual(await imageListing(box.engine, "files", "/c"), [
			"-rw-r--r-- c/keep.log",
			// Docker's classic COPY drops setuid by itself: it changes the owner after the mode.
			peer.builder === "classic" ? "-rwxr-xr-x c/main.c" : "-rwsr-xr-x c/main.c",
			"drwxr-xr-x c/",
			"drwxr-xr-x c/empty/",
			"lrwxrwxrwx c/link -> main.c",
		]);
	});

	test("tells of credentials before they are sent, never what they are, and keeps them where it must", async () => {
		const value = ["q7Zr4", "Vx0Lm", "T2b9K"].join("w");
		const root = context({
			Dockerfile: `FROM ${BASE_IMAGE}\nCOPY . /c\n`,
			".dockerignore": "left-out\n",
			".env": `PORT=1\nAPI_TOKEN=${value}\n`,
			"deep/.npmrc": `_authToken=${value}\n`,
			"left-out/.env": `API_TOKEN=${value}\n`,
		});
		const warned = await build(root, "-t", "secrets");
		const warning =
			/^warning: the build context holds what looks like credentials: \.env:2 \(a credential\), deep\/\.npmrc:1 \(an npm login\)\nhint: .*--secrets off.*\n[\s\S]*^sending /m;
		assert.match(warned.stderr, warning);
		const json = await build(root, "-t", "secrets", "--progress", "json");
		const events = json.stderr
			.trim()
			.split("\n")
			.map((line) => JSON.parse(line));
		const [{ findings }] = events.filter(({ type }) => type === "secrets");
		assert.deepEqual(findings, [
			{ path: ".env", what: "a credential", line: 2 },
			{ path: "deep/.npmrc", what: "an npm login", line: 1 },
		]);

		const denied = await rbuild([root, "-t", "secrets", "--secrets", "deny", ...flags]);
		assert.equal(denied.code, 3, denied.stderr);
		assert.match(denied.stderr, /^error: the build context holds what looks like credentials: /m);
		assert.doesNotMatch(denied.stderr, /^sending |^uploaded /m);
		for (const { stdout, stderr } of [warned, json, denied]) {
			assert.ok(!`${stdout}${stderr}`.includes(value));
		}

		const off = await build(root, "-t", "secrets", "--secrets", "off");
		assert.doesNotMatch(off.stderr, /credentials/);
		writeFileSync(join(root, ".dockerignore"), "# rbuild:allow-secret **/.*\nleft-out\n");
		const allowed = await build(root, "-t", "secrets", "--secrets", "deny");
		assert.doesNotMatch(allowed.stderr, /credentials/);
	});

	test("does not mind credentials that are not sent, as nothing takes them", async () => {
		const value = ["q7Zr4", "Vx0Lm", "T2b9K"].join("w");
		const root = context({
			Dockerfile: `FROM ${BASE_IMAGE}\nCOPY app /app\n`,
			Taking: `FROM ${BASE_IMAGE}\nCOPY app /app\nCOPY de* /deep\n`,
			".env": `API_TOKEN=${value}\n`,
			Mounting: `FROM ${BASE_IMAGE}\nCOPY app /app\nRUN --mount=type=tmpfs,target=/t true\n`,
			"app/main": "main",
			"deep/.npmrc": `_authToken=${value}\n`,
		});
		const deny = (...more: string[]) =>
			rbuild([root, "-t", "secrets", "--secrets", "deny", ...flags, ...more]);
		const transfers = peer.builder === "buildkit" ? ["auto", "tar", "sync"] : ["auto"];
		for (const transfer of transfers) {
			const { code, stderr } = await deny("--transfer", transfer);
			assert.equal(code, 0, stderr);
			assert.doesNotMatch(stderr, /credentials/);
			const taking = await deny("--transfer", transfer, "-f", join(root, "Taking"));
			assert.equal(taking.code, 3);
			assert.match(taking.stderr, /credentials: deep\/\.npmrc:1 \(an npm login\)$/m);
		}
		if (peer.builder === "buildkit") {
			// BuildKit asks a sync for all of it, then.
			const mounting = (transfer: string) =>
				deny("--transfer", transfer, "-f", join(root, "Mounting"));
			assert.match((await mounting("sync")).stderr, /credentials: \.env:1 .*, deep\/\.npmrc:1 /);
			assert.equal((await mounting("tar")).code, 0);
		}
		const whole = await deny("--transfer", "tar", "--no-minimal");
		assert.equal(whole.code, 3);
		assert.match(whole.stderr, /credentials: \.env:1 .*, deep\/\.npmrc:1 /);
	});

	test("hands every option of the build to the daemon", async () => {
		const root = context({
			"docker/Prod": [
				`FROM ${BASE_IMAGE} AS wanted`,
				"ARG GIVEN",
				"ARG FROM_ENVIRONMENT",
				"RUN echo $GIVEN $FROM_ENVIRONMENT > /args; cat /etc/hosts > /hosts; df /dev/shm > /shm; ulimit -n > /files",
				"FROM scratch",
			].join("\n"),
		});
		// BuildKit of 20.10 does not know these two.
		const isLimited = peer.builder === "classic" || peer.major >= 23;
		const limits = ["--shm-size", "32m", "--ulimit", "nofile=100:200"];
		if (!isLimited) {
			for (const [flag = "", value = ""] of [limits.slice(0, 2), limits.slice(2)]) {
				const file = join(root, "docker/Prod");
				const { code, stderr } = await rbuild([root, "-f", file, flag, value, ...flags]);
				assert.equal(code, 5, stderr);
				assert.match(
					stderr,
					new RegExp(`is Docker 20\\.10\\.\\S+, and ${flag} came with 23\\.0$`, "m"),
				);
			}
		}
		const { code, stderr } = await rbuild(
			[
				root,
				...["-f", join(root, "docker/Prod"), "--target", "wanted"],
				...["-t", "options:1", "-t", "options:2", "--label", "a.b=c", "--label", "d"],
				...["--build-arg", "GIVEN=x y", "--build-arg", "FROM_ENVIRONMENT"],
				...["--add-host", "db:10.1.2.3", ...(isLimited ? limits : [])],
				...["--no-cache", "--platform", "linux/amd64"],
				// Without a network, Podman gives no hosts either.
				...(peer.product === "podman" ? [] : ["--network", "none"]),
				...flags,
			],
			{ env: { FROM_ENVIRONMENT: "z" } },
		);
		assert.equal(code, 0, stderr);
		const image = (await box.engine.json({
			method: "GET",
			path: "/images/options:2/json",
			signal,
		})) as { RepoTags: string[]; Config: { Labels: Record<string, string> } };
		// Podman shows the whole name.
		const tags = image.RepoTags.map((tag) => tag.replace("docker.io/library/", "")).sort();
		assert.deepEqual(tags, ["options:1", "options:2"]);
		// Podman adds one of its own.
		const { "io.buildah.version": _, ...labels } = image.Config.Labels;
		assert.deepEqual(labels, { "a.b": "c", d: "" });
		assert.equal(await imageFile(box.engine, "options:1", "/args"), "x y z\n");
		assert.match(await imageFile(box.engine, "options:1", "/hosts"), /^10\.1\.2\.3\s+db$/m);
		if (isLimited) {
			assert.match(await imageFile(box.engine, "options:1", "/shm"), /\s32768\s/);
			assert.equal(await imageFile(box.engine, "options:1", "/files"), "100\n");
		}
	});

	test("leaves a variable without a value to the Dockerfile", async () => {
		const root = context({
			Dockerfile: `FROM ${BASE_IMAGE}\nARG A=default\nRUN echo $A > /a\n`,
		});
		await build(root, "-t", "unset:1", "--build-arg", "A");
		assert.equal(await imageFile(box.engine, "unset:1", "/a"), "default\n");
	});

	test("gives steps the network of the box only if they are to have it", async () => {
		const text = `FROM ${BASE_IMAGE}\nRUN ls /sys/class/net | sort | tr "\\n" " " > /net\n`;
		const root = context({ Dockerfile: text });
		const devices = async (...args: string[]) => {
			await build(root, "-t", "network:1", "--no-cache", ...args);
			return imageFile(box.engine, "network:1", "/net");
		};
		assert.match(await devices("--network", "none"), /^(?!.*eth).*\blo $/);
		const ofBox = await devices("--network", "host");
		// Not every daemon of the tests has a bridge for steps.
		if (peer.product === "podman") assert.notEqual(await devices(), ofBox);
	});

	test("has the rules of one ignore file, and nobody else's", async () => {
		const root = context({
			...{ a: "", b: "", c: "", "f/k": "", "f/other": "" },
			...{ ".dockerignore": "b\n!f/k\nf\n", ".containerignore": "a\n" },
			"Dockerfile.dockerignore": "*\n!a\n!b\n!f\nf/*\n!f/k\n",
			Dockerfile: `FROM ${BASE_IMAGE}\nCOPY . /x/\n`,
		});
		await build(root, "-t", "ignored:1");
		const paths = (await imageListing(box.engine, "ignored:1", "/x")).map((line) =>
			line.replace(/^\S+ x\//, ""),
		);
		// Some builders have the files of the build itself in there, too.
		const own = /^(?:Dockerfile(?:\.dockerignore)?|\.dockerignore|)$/;
		assert.deepEqual(
			paths.filter((path) => !own.test(path)),
			["a", "b", "f/k", "f/"],
		);
	});

	test("builds with the variables and proxies that docker builds with", async () => {
		const root = context({
			Dockerfile: [
				`FROM ${BASE_IMAGE}`,
				"ARG SOURCE_DATE_EPOCH",
				"RUN echo $SOURCE_DATE_EPOCH $HTTP_PROXY $no_proxy > /args",
			].join("\n"),
			"docker/config.json": JSON.stringify({
				proxies: { default: { httpProxy: "http://user:word@proxy:3128", noProxy: "here" } },
			}),
		});
		const { code, stderr } = await rbuild([root, "-t", "as-docker", ...flags], {
			env: {
				SOURCE_DATE_EPOCH: "1700000000",
				DOCKER_CONFIG: join(root, "docker"),
				BUILDKIT_PROGRESS: "plain",
				DOCKER_DEFAULT_PLATFORM: "linux/amd64",
			},
		});
		assert.equal(code, 0, stderr);
		assert.equal(
			await imageFile(box.engine, "as-docker", "/args"),
			"1700000000 http://user:word@proxy:3128 here\n",
		);
	});

	test("takes a Dockerfile from elsewhere or from standard input, and no part of it into the image when it is ignored", async () => {
		const root = context({ file: "content" });
		const elsewhere = join(context({ Other: `FROM ${BASE_IMAGE}\nCOPY file /c/\n` }), "Other");
		await build(root, "-f", elsewhere, "-t", "elsewhere");
		assert.equal(await imageFile(box.engine, "elsewhere", "/c/file"), "content");

		const input = `FROM ${BASE_IMAGE}\nCOPY . /c\n`;
		const { code, stderr } = await rbuild([root, "-f", "-", "-t", "stdin", ...flags], {
			input,
		});
		assert.equal(code, 0, stderr);
		assert.equal(await imageFile(box.engine, "stdin", "/c/file"), "content");
		// BuildKit ignores nothing of a tar: the Dockerfile has to be in it.
		if (peer.builder === "classic" || peer.transfer === "sync") {
			assert.deepEqual(await imageListing(box.engine, "stdin", "/c"), [
				"-rw-r--r-- c/file",
				"drwxr-xr-x c/",
			]);
			const beside = context({
				Dockerfile: input,
				"Dockerfile.dockerignore": "*.md\n",
			});
			writeFileSync(join(root, "b.md"), "");
			await build(root, "-f", join(beside, "Dockerfile"), "-t", "beside");
			assert.deepEqual(await imageListing(box.engine, "beside", "/c"), [
				"-rw-r--r-- c/file",
				"drwxr-xr-x c/",
			]);
			const folder = context({
				"d/Dockerfile": input,
				file: "",
				".dockerignore": "d\n.dockerignore\n",
			});
			await build(folder, "-f", join(folder, "d/Dockerfile"), "-t", "folder");
			// Docker's classic builder, which takes files out again, leaves the folder.
			const left =
				peer.product === "docker" && peer.builder === "classic" ? ["drwxr-xr-x c/d/"] : [];
			assert.deepEqual(await imageListing(box.engine, "folder", "/c"), [
				"-rw-r--r-- c/file",
				"drwxr-xr-x c/",
				...left,
			]);
			const odd = context({ "!D": input, file: "", ".dockerignore": "?D\n.dockerignore\n" });
			await build(odd, "-f", join(odd, "!D"), "-t", "odd-name");
			assert.deepEqual(await imageListing(box.engine, "odd-name", "/c"), [
				"-rw-r--r-- c/file",
				"drwxr-xr-x c/",
			]);
		}
	});

	test("says where a file is missing that a COPY names", async () => {
		const missing = (input: string) => rbuild(["-", ...box.flags], { input });
		const alone = await missing(`FROM ${BASE_IMAGE}\nCOPY none /c/\n`);
		assert.equal(alone.code, 1, alone.stderr);
		assert.match(alone.stderr, /^hint: a Dockerfile on standard input has no build context/m);
		const root = context({
			Dockerfile: `FROM ${BASE_IMAGE}\nCOPY a.md /c/\n`,
			"a.md": "",
			".dockerignore": "*.md\n",
		});
		const ignored = await rbuild([root, ...box.flags]);
		assert.match(ignored.stderr, /^hint: a\.md is left out by \.dockerignore:1: \*\.md$/m);
		const stage = `FROM ${BASE_IMAGE} AS made\nFROM ${BASE_IMAGE}\nCOPY --from=made /none /c/\n`;
		const from = await missing(stage);
		assert.equal(from.code, 1, from.stderr);
		assert.doesNotMatch(from.stderr, /\.dockerignore/);
		if (peer.builder !== "classic")
			assert.match(from.stderr, /^hint: .* --from names does not have it/m);
	});

	test("takes a tar or a Dockerfile as the context from standard input", async () => {
		const root = context({
			"sub/Dockerfile": `FROM ${BASE_IMAGE}\nCOPY file /c/\n`,
			file: "in a tar",
		});
		for (const [name, flag] of [
			["plain", "-c"],
			["gzip", "-cz"],
		] as const) {
			const input = execFileSync("tar", [flag, "."], { cwd: root });
			const args = ["-", "-f", "sub/Dockerfile", "-t", name, ...box.flags];
			const { code, stderr } = await rbuild(args, { input });
			assert.equal(code, 0, stderr);
			assert.equal(await imageFile(box.engine, name, "/c/file"), "in a tar");
		}
		const input = `FROM ${BASE_IMAGE}\nRUN echo made > /made\n`;
		const { code, stderr } = await rbuild(["-", "-t", "text", ...box.flags], { input });
		assert.equal(code, 0, stderr);
		assert.equal(await imageFile(box.engine, "text", "/made"), "made\n");
	});

	test("reports what was done, to people and to scripts", async () => {
		const root = context({
			Dockerfile: `FROM ${BASE_IMAGE}\nCOPY a /\n`,
			".dockerignore": "ignored\n",
			a: "12345",
			"ignored/b": "123",
		});
		const iidfile = join(directory, "iid");
		const metadata = join(directory, "metadata.json");
		const { stdout, stderr } = await build(
			root,
			...["-t", "report", "--iidfile", iidfile, "--metadata-file", metadata],
		);
		const { id } = await inspectImage(box.engine, "report", signal);
		const report = JSON.parse(readFileSync(metadata, "utf8"));
		assert.equal(stdout, "");
		assert.ok(stderr.includes(`${id.slice(7, 19)}, report:latest`));
		assert.match(stderr, new RegExp(`^where +on ${box.on}$`, "m"));
		assert.match(stderr, /^context +3 files, \d+ B/m);
		assert.equal(readFileSync(iidfile, "utf8"), id);
		assert.equal(report.imageId, id);
		assert.deepEqual(report.tags, ["report:latest"]);
		assert.equal(report.engine.builder, peer.builder);
		assert.equal(report.context.files, 3);
		assert.equal(report.context.ignored.files, report.context.ignored.complete ? 1 : 0);
		assert.ok(report.wire.sent > 2_000 && report.wire.sent < 40_000, String(report.wire.sent));
		assert.deepEqual(
			readdirSync(directory).filter((name) => name.endsWith(".tmp")),
			[],
		);
	});

	test("prints the image id and nothing else with -q", async () => {
		const root = context({ Dockerfile: `FROM ${BASE_IMAGE}\nRUN echo quiet\n` });
		const { stdout, stderr } = await build(root, "-t", "quiet", "-q");
		assert.equal(stdout, `${(await inspectImage(box.engine, "quiet", signal)).id}\n`);
		assert.equal(stderr, "");
	});

	test("prints every event as a line of JSON", async () => {
		const root = context({ Dockerfile: `FROM ${BASE_IMAGE}\nRUN echo hello from the step\n` });
		const { stderr } = await build(root, "--progress", "json", "--no-cache");
		const events = stderr
			.trimEnd()
			.split("\n")
			.map((line) => JSON.parse(line))
			.filter(({ type, message }) => type !== "warning" || message !== OF_THIS_MACHINE);
		const types = new Set(events.map(({ type }) => type));
		const all = ["connect", "context", "done", "log", "reach", "step", "transfer", "upload"];
		assert.deepEqual([...types].sort(), all);
		assert.ok(
			events.some(({ type, text }) => type === "log" && text.includes("hello from the step")),
		);
		assert.ok(events.every(({ time }) => !Number.isNaN(Date.parse(time))));
	});

	test("shows the end of the log, the line and exit code 1 when a step fails", async () => {
		const root = context({
			Dockerfile: `FROM ${BASE_IMAGE}\n\nRUN echo the last words; exit 7\n`,
		});
		const { code, stderr } = await rbuild([root, "-t", "failing", ...flags]);
		assert.equal(code, 1);
		assert.match(stderr, /^error: .*RUN echo the last words; exit 7.* failed: exit code: 7$/m);
		assert.match(stderr, /Dockerfile:3/);
		assert.match(stderr, /the last words\n/);
	});

	test("says which line of the Dockerfile is no Dockerfile", async () => {
		const root = context({ Dockerfile: `FROM ${BASE_IMAGE}\nRUNN make\n` });
		const { code, stderr } = await rbuild([root, ...flags]);
		assert.equal(code, 1);
		assert.match(stderr, /^error: .*unknown instruction: "?RUNN/im);
		assert.match(stderr, /Dockerfile:2/);
	});

	for (const transfer of peer.builder === "buildkit" ? ["tar", "sync"] : ["tar"]) {
		test(`stops the remote build of a ${transfer} at Ctrl-C, and exits with 130`, async () => {
			const command = `sleep ${8_600_000_000 + process.pid}${peer.major}${transfer.length}`;
			const root = context({ Dockerfile: `FROM ${BASE_IMAGE}\nRUN ${command}\n` });
			const child = startRbuild([root, ...flags, "--transfer", transfer]);
			const result = finished(child);
			await until("the step runs", () => pidOf(command) !== undefined);
			child.kill("SIGINT");
			const { code, stderr } = await result;
			assert.equal(code, 130, stderr);
			assert.match(stderr, /^error: interrupted$/m);
			if (peer.product === "podman") {
				// Podman's own client cannot stop it either.
				assert.match(stderr, /^warning: podman finishes the step that is running/m);
				const left = pidOf(command) ?? assert.fail("the step is gone: the warning can go, too");
				process.kill(left, "SIGKILL");
			}
			await until("the step is gone", () => pidOf(command) === undefined);
		});
	}

	test("notes old flags of docker's and goes on", async () => {
		const root = context({ Dockerfile: `FROM ${BASE_IMAGE}\n` });
		const { stderr } = await build(root, "--rm", "--force-rm=false", "--compress");
		for (const flag of ["rm", "force-rm", "compress"]) {
			assert.match(stderr, new RegExp(`warning: --${flag} has no effect`));
		}
	});

	test("refuses a platform that would be emulated, before anything is sent", async () => {
		const root = context({ Dockerfile: "FROM scratch\nCOPY Dockerfile /\n" });
		const refused = await rbuild([root, "--platform", "linux/arm64", ...flags]);
		assert.equal(refused.code, 5);
		assert.match(refused.stderr, /is linux\/amd64 and cannot run linux\/arm64 natively/);
		assert.doesNotMatch(refused.stderr, /upload/);
		await build(root, "-t", "arm", "--platform", "linux/arm64", "--allow-emulation");
		assert.equal((await inspectImage(box.engine, "arm", signal)).platform, "linux/arm64");
	});
}

/** Of a process on this machine, be it in a container. */
function pidOf(commandLine: string): number | undefined {
	const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
	const found = pids.find((pid) => {
		try {
			const words = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
			return words.join(" ").trim() === commandLine;
		} catch {
			return false;
		}
	});
	return found === undefined ? undefined : Number(found);
}

/** Polls, with a limit that only something that hangs reaches. */
async function until(what: string, condition: () => boolean): Promise<void> {
	const deadline = Date.now() + 60_000;
	while (!condition()) {
		assert.ok(Date.now() < deadline, `waited in vain until ${what}`);
		await sleep(20);
	}
}
