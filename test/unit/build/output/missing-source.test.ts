import assert from "node:assert/strict";
import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, describe, it } from "node:test";
import { buildFailed } from "../../../../src/build/output/build-output.js";

const FILES = ["README.md", "app/main.ts", "docker/app.conf", "docker/Dockerfile", "logs/a.log"];
const RULES = "# what is not sent\n*.md\nlogs\n!logs/*.txt\n";

describe("what a builder does not find in the context", () => {
	let root: string;

	before(async () => {
		root = await realpath(await mkdtemp(join(tmpdir(), "rbuild-missing-")));
		for (const file of FILES) {
			await mkdir(dirname(join(root, file)), { recursive: true });
			await writeFile(join(root, file), "");
		}
		const { platform } = process;
		if (platform === "win32") return;
		await symlink("../../elsewhere", join(root, "app/out"));
		await symlink("/etc", join(root, "app/etc"));
		await symlink("../README.md", join(root, "app/readme"));
		await symlink("logs", join(root, "log"));
		await symlink("loop", join(root, "loop"));
	});

	after(() => rm(root, { recursive: true }));

	async function hintOf(error: string, instruction: string, dockerfile = "docker/Dockerfile") {
		const step = { name: `[1/1] ${instruction}`, error, logTail: [] };
		const failure = await buildFailed(error, step, {
			displayName: dockerfile,
			content: Buffer.from("FROM scratch\n"),
			context: {
				root,
				ignore: { content: Buffer.from(RULES), file: ".dockerignore" },
				dockerfile,
			},
		});
		return failure.hint;
	}

	/** The hint for that instruction, where BuildKit says that this is not there. */
	function hintFor(missing: string, instruction = `COPY ${missing} /x/`) {
		return hintOf(`"/${missing}": not found`, instruction);
	}

	it("is told by the line that leaves it out", async () => {
		assert.equal(await hintFor("README.md"), "README.md is left out by .dockerignore:2: *.md");
		assert.equal(await hintFor("logs"), "logs is left out by .dockerignore:3: logs");
		assert.equal(await hintFor("logs/a.log"), "logs/a.log is left out by .dockerignore:3: logs");
	});

	it("is told so in the words of other builders, too", async () => {
		for (const error of [
			'failed to compute cache key: "/README.md" not found: not found',
			"COPY failed: file not found in build context or excluded by .dockerignore: stat README.md: file does not exist",
			'building at STEP "COPY README.md /": checking on sources under "/b": copier: stat: "/README.md": no such file or directory',
			'building at STEP "COPY README.md /": reading "/b/README.md": error during bulk transfer for copier.request{Request:"GET", Globs:[]string{"/README.md"}}: copier: get: lstat "/README.md"("/x"): lstat /x: no such file or directory',
			'checking if cached image exists from a previous build: unable to get createdBy for the node: generating checksum for directory "README.md" in "/b": lstat /b/README.md: no such file or directory',
		]) {
			const hint = await hintOf(error, "COPY README.md /");
			assert.equal(hint, "README.md is left out by .dockerignore:2: *.md", error);
		}
	});

	it("is told of the folder that a pattern is looked for in", async () => {
		const buildkit = "lstat /logs: no such file or directory";
		const podman =
			'building at STEP "COPY logs/*.log /": checking on sources under "/b": Rel: can\'t make relative to /b; copier: stat: ["/logs/*.log"]: no such file or directory';
		for (const error of [buildkit, podman]) {
			for (const instruction of ["COPY logs/*.log /", 'COPY ["./logs/[a].log", "/"]']) {
				const hint = await hintOf(error, instruction);
				assert.equal(hint, "logs is left out by .dockerignore:3: logs", error);
			}
		}
		const absent = await hintOf("lstat /dist: no such file or directory", "COPY ./dist/* /");
		assert.equal(absent, `there is no dist in the build context, ${root}`);
		const own = await hintOf("lstat /var/lib/docker: no such file or directory", "COPY var /");
		assert.match(own ?? "", /see `rbuild context`$/);
	});

	it("is told to be behind a link", { skip: process.platform === "win32" }, async () => {
		assert.equal(
			await hintFor("app/readme"),
			"app/readme is a link to ../README.md; README.md is left out by .dockerignore:2: *.md",
		);
		assert.equal(
			await hintFor("log/a.log"),
			"log is a link to logs; logs/a.log is left out by .dockerignore:3: logs",
		);
		for (const [path, target] of [
			["app/out/x", "../../elsewhere"],
			["app/etc/passwd", "/etc"],
		] as const) {
			const link = dirname(path);
			assert.equal(
				await hintFor(path),
				`${link} is a link to ${target}, which is not in the build context`,
			);
		}
		assert.match((await hintFor("loop/x")) ?? "", /^loop is a link to loop[,;]/);
	});

	it("is told to be called otherwise", async () => {
		const absent = (path: string) => `there is no ${path} in the build context, ${root}`;
		assert.equal(
			await hintFor("app/Main.ts"),
			`${absent("app/Main.ts")}; did you mean app/main.ts?`,
		);
		assert.equal(await hintFor("apps/main.ts"), `${absent("apps/main.ts")}; did you mean app?`);
		for (const path of ["other", "ap"]) assert.equal(await hintFor(path), absent(path));
	});

	it("is told to be beside the Dockerfile, where no path begins", async () => {
		const hint = await hintFor("app.conf");
		assert.match(hint ?? "", /^there is no app\.conf in .*; did you mean docker\/app\.conf\?$/);
		const atTheTop = await hintOf('"/app.conf": not found', "COPY app.conf /", "Dockerfile");
		assert.doesNotMatch(atTheTop ?? "", /did you mean/);
	});

	it("is told to be above the context, where it is written so", async () => {
		for (const instruction of ["COPY ../app /x/", 'ADD ["a","./../app","/x"]']) {
			assert.match((await hintFor("app", instruction)) ?? "", /^a build sees nothing above/);
		}
		assert.match((await hintFor("none", "COPY none ../x/")) ?? "", /^there is no none/);
	});

	it("is left at the general hint where nothing tells more", async () => {
		for (const path of ["app/main.ts", "none*", "docker"]) {
			assert.match((await hintFor(path)) ?? "", /see `rbuild context`$/, path);
		}
	});
});
