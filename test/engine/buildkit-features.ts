import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, suite, test } from "node:test";
import { removeImage } from "../../src/engine/images.js";
import { callFrontend } from "../../src/index.js";
import { BASE_IMAGE } from "../support/base-image.js";
import type { Box } from "../support/box.js";
import { type Finished, rbuild } from "../support/cli.js";
import { imageFile, imageListing } from "../support/image-contents.js";

const signal = new AbortController().signal;

export interface FeaturePeer {
	readonly major: number;
	readonly builder: "buildkit" | "classic";
	open(): Promise<Box>;
}

/** What rbuild asks of BuildKit beyond a plain build, and what it says of a daemon that cannot do it. */
export function testBuildKitFeatures({ major, builder, open }: FeaturePeer): void {
	let box: Box;
	let directory: string;
	/** Names of the images that were built. */
	const built: string[] = [];

	before(async () => {
		box = await open();
		directory = mkdtempSync(join(tmpdir(), "rbuild-features-"));
	});
	after(async () => {
		rmSync(directory, { recursive: true, force: true });
		// The box may be one that others use, too.
		for (const name of built) await removeImage(box.engine, name, signal).catch(() => {});
		await box[Symbol.asyncDispose]();
	});

	function context(files: Readonly<Record<string, string>>): string {
		const root = mkdtempSync(join(directory, "context-"));
		for (const [name, content] of Object.entries(files)) {
			mkdirSync(dirname(join(root, name)), { recursive: true });
			writeFileSync(join(root, name), content);
		}
		return root;
	}

	async function run(...args: string[]): Promise<Finished> {
		return rbuild([...args, ...box.flags, "--network", "none"]);
	}

	async function build(name: string, ...args: string[]): Promise<Finished> {
		const result = await run(...args, "-t", name);
		assert.equal(result.code, 0, result.stderr);
		built.push(name);
		return result;
	}

	async function refused(...args: string[]): Promise<string> {
		const root = context({ Dockerfile: `FROM ${BASE_IMAGE}\nCOPY . /c\n`, file: "x" });
		const { code, stderr } = await run(root, ...args);
		assert.equal(code, 5, stderr);
		assert.doesNotMatch(stderr, /upload/);
		assert.match(stderr, /^hint: /m);
		return /^error: (.*)$/m.exec(stderr)?.[1] ?? "";
	}

	if (builder === "classic") {
		test("refuses before the upload what only BuildKit can do", async () => {
			const flags: [flag: string, args: string[]][] = [
				["--build-context", ["--build-context", "base=docker-image://alpine"]],
				["--no-cache-filter", ["--no-cache-filter", "base"]],
				["--cache-to type=inline", ["--cache-to", "type=inline"]],
				["--allow", ["--allow", "network.host"]],
				["--sbom \\(--attest type=sbom\\)", ["--sbom", "true"]],
				["--call check", ["--check"]],
			];
			for (const [flag, args] of flags) {
				assert.match(await refused(...args), new RegExp(`has no BuildKit, which ${flag} needs$`));
			}
		});
		return;
	}

	test("refuses before the upload what takes the containerd image store", async () => {
		const flags: [flag: string, args: string[]][] = [
			["--cache-to type=registry", ["--cache-to", "type=registry,ref=127.0.0.1:1/cache"]],
			["--cache-from type=gha", ["--cache-from", "type=gha,token=x,url=http://127.0.0.1:1/"]],
			["--annotation", ["--annotation", "a=b"]],
			["--provenance \\(--attest type=provenance\\)", ["--provenance", "mode=max"]],
			["--sbom \\(--attest type=sbom\\)", ["--attest", "type=sbom"]],
			["--output type=image,compression", ["--output", "type=image,compression=zstd"]],
		];
		for (const [flag, args] of flags) {
			const error = await refused(...args);
			assert.match(error, new RegExp(`lacks the containerd image store, which ${flag} needs$`));
		}
	});

	test("refuses a frontend without a name before the upload", async () => {
		const error = await refused("--build-arg", "BUILDKIT_SYNTAX=");
		assert.match(error, /^the build argument BUILDKIT_SYNTAX is empty/);
	});

	test("takes an attestation that is not wanted for none", async () => {
		const root = context({ Dockerfile: `FROM ${BASE_IMAGE}\n` });
		await build(
			"attest-none",
			root,
			"--provenance",
			"false",
			"--attest",
			"type=sbom,disabled=true",
		);
	});

	test("passes on what the daemon does not allow steps to do", async () => {
		const root = context({ Dockerfile: `FROM ${BASE_IMAGE}\n` });
		const { code, stderr } = await run(root, "--allow", "security.insecure");
		assert.equal(code, 1);
		assert.match(
			stderr,
			/^error: .*security\.insecure is not allowed by build daemon configuration/m,
		);
		assert.match(stderr, /^hint: .*daemon\.json/m);
		assert.doesNotMatch(stderr, /upload/);
		await build("allowed", root, "--allow", "network.host");
	});

	test("builds the stages of --no-cache-filter again, and no others", async () => {
		const root = context({
			Dockerfile: [
				`FROM ${BASE_IMAGE} AS kept`,
				"RUN cat /proc/sys/kernel/random/uuid > /kept",
				`FROM ${BASE_IMAGE} AS again`,
				"RUN cat /proc/sys/kernel/random/uuid > /again",
				`FROM ${BASE_IMAGE}`,
				"COPY --from=kept /kept /",
				"COPY --from=again /again /",
			].join("\n"),
		});
		const ids = async (...args: string[]) => {
			await build("filtered", root, ...args);
			return {
				kept: await imageFile(box.engine, "filtered", "/kept"),
				again: await imageFile(box.engine, "filtered", "/again"),
			};
		};
		const first = await ids();
		assert.deepEqual(await ids("--transfer", "sync"), first);
		const second = await ids("--no-cache-filter", "again");
		assert.equal(second.kept, first.kept);
		assert.notEqual(second.again, first.again);
	});

	test("puts the cache into the image with --cache-to type=inline", async () => {
		const root = context({ Dockerfile: `FROM ${BASE_IMAGE}\nRUN echo inline > /inline\n` });
		// The record is in the config of the image, where no API but a registry's shows it.
		await build("inline:no", root, "--transfer", "sync");
		await build("inline:yes", root, "--cache-to", "type=inline");
		await build("inline:arg", root, "--build-arg", "BUILDKIT_INLINE_CACHE=1", "--transfer", "sync");
		const [no, yes, arg] = await Promise.all(
			["inline:no", "inline:yes", "inline:arg"].map((name) => configOf(box, name)),
		);
		assert.ok(!("moby.buildkit.cache.v0" in (no ?? {})));
		assert.ok("moby.buildkit.cache.v0" in (yes ?? {}));
		assert.ok("moby.buildkit.cache.v0" in (arg ?? {}));
	});

	test("builds a tar and a Dockerfile from standard input by the session, too", async () => {
		const root = context({
			"sub/Dockerfile": `FROM ${BASE_IMAGE}\nCOPY file /c/\n`,
			file: "in a tar",
		});
		for (const flag of ["-c", "-cz"]) {
			const input = execFileSync("tar", [flag, "."], { cwd: root });
			const args = ["-", "-f", "sub/Dockerfile", "--no-cache-filter", "x", "-t", "stdin-tar"];
			const { code, stderr } = await rbuild([...args, ...box.flags], { input });
			assert.equal(code, 0, stderr);
			assert.equal(await imageFile(box.engine, "stdin-tar", "/c/file"), "in a tar");
			assert.match(stderr, /^uploaded [\d.]+ k?B/m);
		}
		const { code, stderr } = await rbuild(
			["-", "--no-cache-filter", "x", "-t", "stdin-text", ...box.flags],
			{ input: `FROM ${BASE_IMAGE}\nENV A=b\n` },
		);
		assert.equal(code, 0, stderr);
		built.push("stdin-tar", "stdin-text");
	});

	test("mounts what RUN --mount asks for: files, caches and memory", async () => {
		const root = context({
			file: "bound",
			Dockerfile: [
				`FROM ${BASE_IMAGE} AS other`,
				"RUN echo from a stage > /stage",
				`FROM ${BASE_IMAGE}`,
				"RUN --mount=type=bind,target=/context --mount=type=bind,from=other,source=/stage,target=/stage \\",
				"    cat /context/file /stage > /bound",
				"RUN --mount=type=cache,id=solve-test,target=/cache touch /cache/kept && ls /cache > /cached",
				"RUN --mount=type=tmpfs,target=/memory grep -o '/memory tmpfs' /proc/mounts > /tmpfs; touch /memory/x",
			].join("\n"),
		});
		await build("mounts", root, "--transfer", "sync");
		assert.equal(await imageFile(box.engine, "mounts", "/bound"), "boundfrom a stage\n");
		assert.equal(await imageFile(box.engine, "mounts", "/cached"), "kept\n");
		assert.equal(await imageFile(box.engine, "mounts", "/tmpfs"), "/memory tmpfs\n");
	});

	test("tells of a failed step of a long Dockerfile, too", async () => {
		// BuildKit quotes all of it in the status of the call, which node cannot read from 64 KiB on.
		const lines = Array.from({ length: 4000 }, (_, at) => `# a comment, line ${at}`);
		const failing = [`FROM ${BASE_IMAGE}`, ...lines, "RUN echo the last words; exit 7"];
		const root = context({ Dockerfile: failing.join("\n") });
		const { code, stderr } = await run(root, "--transfer", "sync");
		assert.equal(code, 1, stderr);
		assert.match(stderr, /^error: .*RUN echo the last words; exit 7 failed: exit code: 7$/m);
		assert.match(stderr, /Dockerfile:4002/);
	});

	if (major < 23) {
		test("refuses before the upload what came with a later Docker", async () => {
			const flags: [flag: string, since: number, args: string[]][] = [
				["--build-context", 23, ["--build-context", "base=docker-image://alpine"]],
				["--call targets", 24, ["--call", "targets"]],
				["--call check", 27, ["--check"]],
			];
			for (const [flag, since, args] of flags) {
				const error = await refused(...args);
				assert.match(
					error,
					new RegExp(`is Docker 20\\.10\\S*, and ${flag} came with ${since}\\.0$`),
				);
			}
		});

		test("refuses a host-gateway that the daemon does not tell", async () => {
			const error = await refused("--add-host", "me:host-gateway", "--transfer", "sync");
			assert.match(error, /does not resolve host-gateway$/);
		});
		return;
	}

	suite("of a newer Docker", () => {
		test("takes named contexts: a directory with its own .dockerignore, and an image", async () => {
			const root = context({
				Dockerfile: [
					"FROM base",
					"COPY --from=other . /other",
					"COPY --from=context sub /sub",
					"COPY main /",
				].join("\n"),
				".dockerignore": "kept\n",
				main: "main",
			});
			const other = context({ ".dockerignore": "ignored\n", kept: "x", ignored: "x", main: "no" });
			const reserved = context({ "sub/file": "x" });
			const args = [
				...["--build-context", `other=${other}`, "--build-context", `context=${reserved}`],
				...["--build-context", `base=docker-image://${BASE_IMAGE}`],
			];
			const { stderr } = await build("named", root, ...args);
			assert.deepEqual(await imageListing(box.engine, "named", "/other"), [
				"-rw-r--r-- other/.dockerignore",
				"-rw-r--r-- other/kept",
				"-rw-r--r-- other/main",
				"drwxr-xr-x other/",
			]);
			assert.deepEqual(await imageListing(box.engine, "named", "/sub"), [
				"-rw-r--r-- sub/file",
				"drwxr-xr-x sub/",
			]);
			assert.equal(await imageFile(box.engine, "named", "/main"), "main");
			assert.equal(stderr.match(/^uploaded /gm)?.length, 1);
			// What the first build sent is still there.
			writeFileSync(join(other, "kept"), "changed");
			await build("named", root, ...args);
			assert.equal(await imageFile(box.engine, "named", "/other/kept"), "changed");
		});

		test("sends a named context once, also where nothing is taken of the main one", async () => {
			const root = context({ Dockerfile: `FROM ${BASE_IMAGE}\nCOPY --from=lib data /\n` });
			const lib = context({ data: "x".repeat(5000) });
			for (const sent of [/^sent +1 file, 5 kB/m, /^sent +nothing$/m]) {
				const { stderr } = await build("named-only", root, "--build-context", `lib=${lib}`);
				assert.match(stderr, sent);
			}
		});

		// Of one, nothing else can be taken; of the other, more might be: then it is sent whole.
		for (const base of ["scratch", BASE_IMAGE]) {
			test(`asks once for a named context of which several instructions take parts, on ${base}`, async () => {
				const copies = ["a b /c/", "links /links", "kept* .dockerignore /kept/"];
				const text = [`FROM ${base}`, ...copies.map((copy) => `COPY --from=lib ${copy}`)].join(
					"\n",
				);
				const lib = context({
					".dockerignore": "ignored\nkept\n!kept/this\n",
					...{ a: "a".repeat(1000), b: "b", "links/of": "l", unused: "u".repeat(900) },
					...{ "kept/this": "k", "kept/other": "o", "ignored/x": "x" },
				});
				symlinkSync("../a", join(lib, "links/to-a"));
				const args = [context({ Dockerfile: text }), "--build-context", `lib=${lib}`];
				const { stderr } = await build("named-joint", ...args);
				assert.equal(stderr.match(/\[context lib\S* load/g)?.length, 1, stderr);
				assert.equal(stderr.match(/^uploaded /gm)?.length, 1, stderr);
				const listing = async (folder: string) =>
					imageListing(box.engine, "named-joint", `/${folder}`);
				assert.deepEqual(
					[...(await listing("c")), ...(await listing("kept")), ...(await listing("links"))],
					[
						...["-rw-r--r-- c/a", "-rw-r--r-- c/b", "drwxr-xr-x c/"],
						...["-rw-r--r-- kept/.dockerignore", "-rw-r--r-- kept/this", "drwxr-xr-x kept/"],
						...["-rw-r--r-- links/of", "drwxr-xr-x links/", "lrwxrwxrwx links/to-a -> ../a"],
					],
				);
				assert.match((await build("named-joint", ...args)).stderr, /^sent +nothing$/m);
				writeFileSync(join(lib, "b"), "changed");
				assert.match((await build("named-joint", ...args)).stderr, /^sent +1 file, 7 B/m);
				assert.equal(await imageFile(box.engine, "named-joint", "/c/b"), "changed");
			});
		}

		test("fails for what cannot be read of a named context only where that is taken", async () => {
			const lib = context({ a: "a", b: "b", "locked/x": "x" });
			chmodSync(join(lib, "locked"), 0o000);
			const built = (base: string, copy: string) => {
				const text = `FROM ${base}\nCOPY --from=lib a /\nCOPY --from=lib ${copy} /c/\n`;
				const args = [context({ Dockerfile: text }), "--build-context", `lib=${lib}`];
				return rbuild([...args, ...box.flags], { obeysModes: true });
			};
			for (const base of ["scratch", BASE_IMAGE]) {
				const { code, stderr } = await built(base, "b");
				assert.equal(code, 0, stderr);
				const failing = await built(base, ".");
				assert.equal(failing.code, 3, failing.stderr);
				assert.match(failing.stderr, /^error: cannot read locked in the build context: perm/m);
			}
			chmodSync(join(lib, "locked"), 0o755);
		});

		test("tells with --dry-run what it would send of named contexts, too", async () => {
			const text = `FROM ${BASE_IMAGE}\nCOPY . /c\nCOPY --from=lib data /\n`;
			const root = context({ Dockerfile: text });
			const lib = context({ data: "x".repeat(5000) });
			const args = [root, "--build-context", `lib=${lib}`];
			assert.match((await run(...args, "--dry-run")).stdout, /^send +at most 2 files, 5\.\d+ kB/m);
			await build("named-dry", ...args);
			assert.match((await run(...args, "--dry-run")).stdout, /^send +nothing: /m);
			writeFileSync(join(lib, "data"), "changed");
			assert.match((await run(...args, "--dry-run")).stdout, /^send +at most 1 file, 7 B/m);
		});

		test("takes a named context beside a tar from standard input", async () => {
			const input = `FROM ${BASE_IMAGE}\nCOPY --from=files a /\n`;
			const files = context({ a: "from a directory" });
			const args = ["-", "--build-context", `files=${files}`, "-t", "named-stdin", ...box.flags];
			const { code, stderr } = await rbuild(args, { input });
			assert.equal(code, 0, stderr);
			built.push("named-stdin");
			assert.equal(await imageFile(box.engine, "named-stdin", "/a"), "from a directory");
			writeFileSync(join(files, ".env"), "API_TOKEN=q7Zr4wVx0Lm\n");
			const denied = await rbuild([...args, "--secrets", "deny"], { input });
			assert.equal(denied.code, 3, denied.stderr);
			assert.match(
				denied.stderr,
				/^error: the build context files holds .*: \.env:1 \(a credential\)$/m,
			);
		});

		test("takes heredocs", async () => {
			const root = context({
				Dockerfile: `FROM ${BASE_IMAGE}\nCOPY <<A <<B /c/\na\nA\nb\nB\nRUN <<EOF\necho c > /c/C\nEOF\n`,
			});
			await build("heredocs", root, "--transfer", "sync");
			assert.deepEqual(await imageListing(box.engine, "heredocs", "/c"), [
				"-rw-r--r-- c/A",
				"-rw-r--r-- c/B",
				"-rw-r--r-- c/C",
				"drwxr-xr-x c/",
			]);
		});

		test("resolves host-gateway", async () => {
			const root = context({
				Dockerfile: `FROM ${BASE_IMAGE}\nRUN grep me$ /etc/hosts > /hosts\n`,
			});
			await build("gateway", root, "--add-host", "me:host-gateway", "--transfer", "sync");
			assert.match(await imageFile(box.engine, "gateway", "/hosts"), /^\d+\.\d+\.\d+\.\d+\s+me$/m);
		});

		test("prints what the Dockerfile is criticised for, and exits with 1", async () => {
			const root = context({ Dockerfile: `FROM ${BASE_IMAGE} as a\nMAINTAINER me\n` });
			for (const args of [["--check"], ["--call", "check"]]) {
				const { code, stdout, stderr } = await run(root, ...args);
				assert.equal(code, 1, stderr);
				assert.match(
					stdout,
					/^Check complete, 2 warnings have been found!\n\nWARNING: FromAsCasing/,
				);
				assert.match(stdout, /^WARNING: MaintainerDeprecated.*\n.*\nDockerfile:2$/m);
			}
			const { code, stdout } = await run(root, "--call", "check,format=json");
			assert.equal(code, 1);
			const { warnings } = JSON.parse(stdout) as { warnings: { ruleName: string }[] };
			assert.deepEqual(
				warnings.map(({ ruleName }) => ruleName),
				["FromAsCasing", "MaintainerDeprecated"],
			);
		});

		test("has nothing against a good Dockerfile, and builds nothing", async () => {
			const root = context({ Dockerfile: `FROM ${BASE_IMAGE}\nRUN false\n` });
			const { code, stdout, stderr } = await run(root, "--check");
			assert.equal(stdout, "Check complete, no warnings found.\n");
			assert.equal(code, 0, stderr);
		});

		test("answers the library what it prints", async () => {
			const root = context({ Dockerfile: `FROM ${BASE_IMAGE} AS a\nRUN false\nMAINTAINER me\n` });
			const options = { context: root, on: `unix://${box.socketPath}` };
			const check = await callFrontend("check", options);
			assert.equal(check.isFine, false);
			assert.equal(check.failure, undefined);
			assert.match(check.text, /MaintainerDeprecated/);
			assert.equal(JSON.parse(check.json).warnings.length, 1);
			const targets = await callFrontend("targets", options);
			assert.equal(targets.isFine, true);
			assert.deepEqual(
				JSON.parse(targets.json).targets.map(({ name }: { name: string }) => name),
				["a"],
			);
			const asked = callFrontend("check", { ...options, push: true, tags: ["x"] });
			await assert.rejects(asked, /^UsageError: --check and --call build nothing to /);
		});

		test("exits with 0 whatever there is to criticise, where that is asked for", async () => {
			const root = context({ Dockerfile: `FROM ${BASE_IMAGE}\nMAINTAINER me\n` });
			const { code, stdout } = await run(root, "--call", "check,ignorestatus=true");
			assert.match(stdout, /MaintainerDeprecated/);
			assert.equal(code, 0);
		});

		test("says which line cannot be checked", async () => {
			const root = context({ Dockerfile: `FROM ${BASE_IMAGE}\nRUNN make\n` });
			for (const args of [["--check"], ["--call", "targets"]]) {
				const { code, stderr } = await run(root, ...args);
				assert.equal(code, 1, stderr);
				assert.match(stderr, /^error: Dockerfile:2: unknown instruction: RUNN/m);
			}
		});

		test("says which line is wrong where no step and no parser failed", async () => {
			const Dockerfile = `FROM ${BASE_IMAGE}\nCOPY --chmod=zzz a \\\n  /\n`;
			const root = context({ Dockerfile, a: "" });
			for (const args of [["--check"], ["--transfer", "tar"], ["--transfer", "sync"]]) {
				const { code, stderr } = await run(root, ...args);
				assert.equal(code, 1, stderr);
				assert.match(stderr, / 2 \| >>> COPY --chmod=zzz a \\\n +3 \| >>> +\/\n/);
				assert.match(stderr, /^error: Dockerfile:2: invalid syntax$/m);
			}
			const alone = await rbuild(["-", ...box.flags], { input: Dockerfile });
			assert.match(alone.stderr, /^error: stdin:2: invalid syntax$/m);
		});

		test("prints the stages and the arguments of a Dockerfile", async () => {
			const root = context({
				Dockerfile: `ARG ONE=1\nFROM ${BASE_IMAGE} AS first\nARG TWO=2\nRUN echo $TWO\n`,
			});
			const targets = await run(root, "--call", "targets");
			assert.match(targets.stdout, /^first/m);
			const outline = await run(root, "--call", "outline");
			assert.match(outline.stdout, /^TWO\s+2/m);
			assert.equal(outline.code, 0, outline.stderr);
		});
	});
}

/** The image's config as `docker save` has it. */
async function configOf(box: Box, name: string): Promise<Record<string, unknown>> {
	const { body } = await box.engine.request({ method: "GET", path: `/images/${name}/get`, signal });
	const chunks: Buffer[] = [];
	for await (const chunk of body) chunks.push(chunk as Buffer);
	const input = Buffer.concat(chunks);
	const file = (path: string) =>
		JSON.parse(
			execFileSync("tar", ["-xO", "-f", "-", path], { input, maxBuffer: 1 << 28 }).toString(),
		);
	const [{ Config: config }] = file("manifest.json") as [{ Config: string }];
	return file(config) as Record<string, unknown>;
}
