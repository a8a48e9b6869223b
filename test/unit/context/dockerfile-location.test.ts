import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, suite, test } from "node:test";
import { locateDockerfile } from "../../../src/context/dockerfile-location.js";
import { ContextError } from "../../../src/errors.js";
import { noSuchNames, noSymlinks } from "../../support/this-system.js";

const isWindows = process.platform === "win32";

suite("the Dockerfile of a directory", () => {
	let base: string;
	let root: string;

	beforeEach(async () => {
		base = await realpath(await mkdtemp(join(tmpdir(), "rbuild-test-")));
		root = join(base, "context");
		await mkdir(join(root, "docker"), { recursive: true });
	});
	afterEach(() => rm(base, { recursive: true }));

	async function locate(file?: string, stdin: string | Buffer = "") {
		const found = await locateDockerfile({
			root,
			file,
			workingDirectory: base,
			readStdin: async () => Buffer.from(stdin),
		});
		return {
			name: found.displayName,
			text: Buffer.from(found.content).toString(),
			path: found.pathInContext,
			ignore: found.ignore && [found.ignore.file, Buffer.from(found.ignore.content).toString()],
		};
	}

	test("is ROOT/Dockerfile, with the .dockerignore beside it", { skip: noSuchNames }, async () => {
		await writeFile(join(root, "Dockerfile"), "FROM a");
		await writeFile(join(root, "dockerfile"), "FROM b");
		await writeFile(join(root, ".dockerignore"), "x");
		assert.deepEqual(await locate(), {
			name: "Dockerfile",
			text: "FROM a",
			path: "Dockerfile",
			ignore: [".dockerignore", "x"],
		});
	});

	test("is ROOT/dockerfile where there is no other", async () => {
		await writeFile(join(root, "dockerfile"), "FROM b");
		assert.equal((await locate()).path, "dockerfile");
	});

	test("is not said not to exist where node cannot name it, as its path is not UTF-8", () =>
		assert.rejects(locate("caf\ufffd/Dockerfile"), {
			message: "cannot open the Dockerfile caf\ufffd/Dockerfile: its path is not UTF-8",
			hint: "rename it, or give it on standard input with -f -",
		}));

	test("is what -f names, seen from the working directory", async () => {
		await writeFile(join(root, "docker", "prod"), "FROM p");
		assert.equal((await locate("context/docker/prod")).path, "docker/prod");
		await assert.rejects(
			locate("docker/prod"),
			/^ContextError: the Dockerfile docker\/prod does not exist/,
		);
	});

	test("brings its own .dockerignore, which wins", async () => {
		await writeFile(join(root, "docker", "prod"), "FROM p");
		await writeFile(join(root, "docker", "prod.dockerignore"), "own");
		await writeFile(join(root, ".dockerignore"), "common");
		assert.deepEqual((await locate("context/docker/prod")).ignore, [
			"docker/prod.dockerignore",
			"own",
		]);
	});

	test("may lie outside of the context", async () => {
		await writeFile(join(base, "Elsewhere"), "FROM e");
		await writeFile(join(base, "Elsewhere.dockerignore"), "there");
		const found = await locate("Elsewhere");
		assert.equal(found.path, undefined);
		assert.equal(found.text, "FROM e");
		assert.deepEqual(found.ignore, [join(base, "Elsewhere.dockerignore"), "there"]);
	});

	test("is outside when it is a link that leads outside, and has its target's path inside", {
		skip: noSymlinks,
	}, async () => {
		await writeFile(join(base, "Elsewhere"), "FROM e");
		await symlink("../Elsewhere", join(root, "Dockerfile"));
		assert.equal((await locate()).path, undefined);
		await writeFile(join(root, "docker", "prod"), "FROM p");
		await symlink("context/docker/prod", join(base, "Link"));
		assert.equal((await locate("Link")).path, "docker/prod");
	});

	test("is no pipe that nobody named, which would be waited for", { skip: isWindows }, async () => {
		execFileSync("mkfifo", [join(root, "Dockerfile")]);
		await assert.rejects(locate(), {
			name: "ContextError",
			message: `the Dockerfile in ${root} is not a regular file`,
			hint: "name another one with -f",
		});
	});

	test("comes from standard input for -f -, with the context's .dockerignore", async () => {
		await writeFile(join(root, ".dockerignore"), "x");
		assert.deepEqual(await locate("-", "FROM s"), {
			name: "stdin",
			text: "FROM s",
			path: undefined,
			ignore: [".dockerignore", "x"],
		});
		await assert.rejects(locate("-", ""), ContextError);
	});

	test("is missed with the folder it was looked for in", async () => {
		await assert.rejects(locate(), {
			name: "ContextError",
			message: `there is no Dockerfile in ${root}`,
			hint: "name it with -f if it has another name",
		});
	});

	test("is missed with the file that may be meant", async () => {
		for (const name of ["Containerfile", "Dockerfile.dev", "app.Dockerfile"]) {
			await writeFile(join(root, "Dockerfile.dockerignore"), "");
			await writeFile(join(root, name), "FROM a");
			const hint = `name it with -f, such as -f ${join("context", name)}`;
			await assert.rejects(locate(), { message: `there is no Dockerfile in ${root}`, hint });
			await rm(join(root, name));
		}
	});

	test("cannot be a directory", async () => {
		await assert.rejects(locate("context/docker"), {
			name: "ContextError",
			message: "cannot read the Dockerfile context/docker: it is a directory",
			hint: "name a file with -f, such as -f docker/Dockerfile",
		});
	});

	test("is named by its folder where it has the usual name and cannot be read", {
		skip: noSymlinks,
	}, async () => {
		await symlink("Dockerfile", join(root, "Dockerfile"));
		await assert.rejects(locate(), {
			name: "ContextError",
			message: `cannot read the Dockerfile in ${root}: too many levels of symbolic links`,
			hint: "look at where it leads",
		});
	});

	test("is refused in UTF-16, as Windows PowerShell writes it, and so are the rules", async () => {
		const hint = /^save it as UTF-8; /;
		const reason = "it is text in UTF-16, which no builder reads";
		const little = Buffer.from("\uFEFFFROM a", "utf16le");
		const big = Buffer.from(little).swap16();
		for (const content of [little, big]) {
			await writeFile(join(root, "Dockerfile"), content);
			await assert.rejects(locate(), (error) => {
				assert.ok(error instanceof ContextError);
				assert.equal(error.message, `cannot read the Dockerfile in ${root}: ${reason}`);
				assert.match(error.hint ?? "", hint);
				return true;
			});
			await assert.rejects(locate("context/Dockerfile"), {
				message: `cannot read the Dockerfile context/Dockerfile: ${reason}`,
			});
			await assert.rejects(locate("-", content), {
				message: `cannot read the Dockerfile on standard input: ${reason}`,
			});
		}
		await writeFile(join(root, "Dockerfile"), "\uFEFFFROM a");
		assert.equal((await locate()).text, "\uFEFFFROM a");
		await writeFile(join(root, ".dockerignore"), "\uFEFFnode_modules", "utf16le");
		await assert.rejects(locate(), { message: `cannot read .dockerignore: ${reason}` });
	});
});
