import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { fileURLToPath } from "node:url";
import { rbuildHere } from "../../support/called-program.js";
import { type Finished, finished, rbuild } from "../../support/cli.js";
import {
	closesAfter,
	hangsUp,
	type Route,
	refuses,
	sendsLine,
	speaksSsh,
	startFakeDaemon,
	streams,
	truncates,
} from "../../support/fake-daemon.js";
import { noPermissions, without } from "../../support/this-system.js";

const command = fileURLToPath(new URL("../../../../bin/rbuild.js", import.meta.url));

let directory: string;
before(() => {
	directory = mkdtempSync(join(tmpdir(), "rbuild-test-"));
	chmodSync(directory, 0o755);
});
after(() => rmSync(directory, { recursive: true, force: true }));

function context(files: Readonly<Record<string, string>>): string {
	const root = mkdtempSync(join(directory, "context-"));
	chmodSync(root, 0o755);
	for (const [name, content] of Object.entries(files)) writeFileSync(join(root, name), content);
	return root;
}

/** Runs rbuild and expects one line that says what is wrong, a hint perhaps, and the exit code. */
async function fails(
	args: readonly string[],
	expected: { code: number; error: RegExp; hint?: RegExp },
	run: (args: readonly string[]) => Promise<Finished> = rbuildHere,
): Promise<void> {
	const { code, stdout, stderr } = await run(args);
	const lines = stderr.split("\n").filter((line) => /^(error|hint): /.test(line));
	assert.match(lines[0] ?? stderr, expected.error);
	if (expected.hint) assert.match(lines[1] ?? "no hint", expected.hint);
	assert.ok(lines.length <= 2, stderr);
	assert.doesNotMatch(stderr, /^\s+at /m);
	assert.equal(stdout, "");
	assert.equal(code, expected.code);
}

/** Without BuildKit there is no session that a fake would have to know. */
const classic: Readonly<Record<string, Route>> = {
	"GET /_ping": (_request, response) => {
		response.writeHead(200, { "Api-Version": "1.47", Ostype: "linux", "Builder-Version": "1" });
		response.end("OK");
	},
};

suite("bad input: the context", () => {
	const nowhere = ["--on", "unix:///nonexistent.sock"];

	test("a folder that is not there", () =>
		fails(["missing", ...nowhere], {
			code: 3,
			error: /^error: the build context missing does not exist$/,
		}));

	test("a command of docker's, where no box is named either", () =>
		fails(["ps"], {
			code: 3,
			error: /^error: the build context ps does not exist$/,
			hint: /^hint: it was looked for at /,
		}));

	test("a misspelt command", () =>
		fails(["contxt"], {
			code: 2,
			error: /neither a directory nor a command/,
			hint: /rbuild context/,
		}));

	test("a file in place of a folder", () =>
		fails(["package.json", ...nowhere], {
			code: 3,
			error: /^error: the build context package\.json is a file/,
		}));

	test("an empty folder", () =>
		fails([context({}), ...nowhere], {
			code: 3,
			error: /^error: there is no Dockerfile in /,
			hint: /-f/,
		}));

	test("a bad line in .dockerignore", () =>
		fails(["context", context({ Dockerfile: "FROM scratch\n", ".dockerignore": "ok\n\n[a-\n" })], {
			code: 3,
			error: /^error: \.dockerignore:3: /,
		}));

	test("a folder to look into that is not there", () =>
		fails(["context", "missing"], {
			code: 3,
			error: /^error: the build context missing does not/,
		}));

	test("a .dockerignore that would never end", { skip: without("mkfifo") }, async () => {
		const root = context({ Dockerfile: "FROM scratch\n" });
		execFileSync("mkfifo", [join(root, ".dockerignore")]);
		await fails(["context", root], { code: 3, error: /^error: \.dockerignore is not a regular/ });
	});

	test("an unreadable file", { skip: noPermissions }, async () => {
		const root = context({ Dockerfile: "FROM scratch\nCOPY . .\n", secret: "x" });
		chmodSync(join(root, "secret"), 0);
		const daemon = await startFakeDaemon({ routes: classic });
		try {
			await fails(
				[root, "--on", daemon.url],
				{ code: 3, error: /^error: .*secret.*(EACCES|permission)/i },
				(args) => rbuild(args, { obeysModes: true }),
			);
		} finally {
			await daemon.stop();
		}
	});

	test("a standard input that cannot be read", { skip: process.platform === "win32" }, async () => {
		const root = context({ Dockerfile: "FROM scratch\n" });
		const readOf = async (redirection: string, ...args: readonly string[]) => {
			const line = `exec "$0" "$@" ${redirection}`;
			const child = spawn("sh", ["-c", line, process.execPath, command, ...args]);
			const { code, stderr } = await finished(child);
			assert.equal(code, 3);
			return stderr.match(/^error: .*$/m)?.[0];
		};
		const reason = "error: cannot read the standard input: ";
		assert.equal(await readOf(`<${root}`, "-", ...nowhere), `${reason}it is a directory`);
		const writing = `0>${join(root, "file")}`;
		const badDescriptor = `${reason}bad file descriptor`;
		assert.equal(await readOf(writing, "-", ...nowhere), badDescriptor);
		assert.equal(await readOf(writing, root, "-f", "-", ...nowhere), badDescriptor);
		assert.equal(await readOf(writing, "context", root, "-f", "-"), badDescriptor);
	});

	test("nothing on standard input", () =>
		fails(["-", ...nowhere], { code: 3, error: /^error: standard input is empty/ }));
});

/** A daemon that is fine but for one answer. */
async function failsOn(
	routes: Readonly<Record<string, Route>>,
	expected: { code: number; error: RegExp; hint?: RegExp },
	run?: (args: readonly string[]) => Promise<Finished>,
): Promise<void> {
	const daemon = await startFakeDaemon({ routes: { ...classic, ...routes } });
	try {
		const root = context({ Dockerfile: "FROM scratch\n" });
		await fails([root, "--on", daemon.url], expected, run);
	} finally {
		await daemon.stop();
	}
}

suite("bad input: the daemon", () => {
	test("is not there", () =>
		fails([context({ Dockerfile: "FROM scratch\n" }), "--on", "unix:///nonexistent.sock"], {
			code: 4,
			error: /^error: cannot reach unix:\/\/\/nonexistent\.sock: /,
		}));

	test(
		"is asked for by an ssh program that has no folder for its sockets",
		{
			skip: process.platform === "win32",
		},
		() =>
			fails(
				[
					context({ Dockerfile: "FROM scratch\n" }),
					"--on",
					"box.invalid",
					"--ssh-client",
					"system",
				],
				{
					code: 4,
					error: /with the ssh program: cannot make a folder in \/nonexistent: no such file/,
					hint: /^hint: set TMPDIR to another folder$/,
				},
				(args) => rbuildHere(args, { env: { TMPDIR: "/nonexistent" } }),
			),
	);

	test("is on a host that has no address", () =>
		fails([context({ Dockerfile: "FROM scratch\n" }), "--on", "tcp://no-such-host.invalid:2375"], {
			code: 4,
			error: /^error: cannot reach .*no-such-host\.invalid.*does not resolve/,
		}));

	test("speaks another protocol", () =>
		failsOn({ "GET /_ping": speaksSsh }, { code: 5, error: /^error: .*daemon\.?\S* ?/i }));

	test("refuses the build", () =>
		failsOn(
			{ "POST /build": refuses(500, "no space left on device") },
			{ code: 5, error: /^error: .*refused POST \/build.*no space left on device/ },
		));

	test("sends a line of 10 MB", () =>
		failsOn({ "POST /build": sendsLine(10 << 20) }, { code: 5, error: /line of more than 8 MiB/ }));

	test("ends its answer without an image", () =>
		failsOn(
			{ "POST /build": streams({ stream: "Step 1/2 : FROM scratch\n" }) },
			{ code: 5, error: /in the middle of the build/ },
		));
});

// Seconds later, and so in processes of their own, side by side.
suite("bad input: the daemon, which is tried again,", { concurrency: true }, () => {
	test("hangs up on the build", () =>
		failsOn({ "POST /build": hangsUp }, { code: 4, error: /^error: / }, rbuild));

	test("truncates its answer", () =>
		failsOn(
			{ "POST /build": truncates('{"stream":"Step 1/1') },
			{ code: 4, error: /^error: / },
			rbuild,
		));

	test("closes in the middle of the build", () =>
		failsOn(
			{ "POST /build": closesAfter({ stream: "Step 1/2 : FROM scratch\n" }) },
			{ code: 4, error: /^error: / },
			rbuild,
		));
});

suite("bad input: where results go", () => {
	test("docker's settings, where they must not be changed", {
		skip: process.platform === "win32",
	}, async () => {
		const config = mkdtempSync(join(directory, "docker-"));
		const env = { DOCKER_CONFIG: config };
		const added = await rbuildHere(["hosts", "add", "there", "ssh://me@there"], { env });
		assert.equal(added.code, 0, added.stderr);
		const contexts = join(config, "contexts", "meta");
		for (const folder of [config, contexts]) chmodSync(folder, 0o555);
		for (const [args, error] of [
			[["add", "new", "ssh://me@new"], /^error: cannot write .*meta\.json: permission denied$/],
			[["use", "there"], /^error: cannot write .*config\.json: permission denied$/],
			[["rm", "there"], /^error: cannot remove .*: permission denied$/],
		] as const) {
			const hint = /^hint: .*DOCKER_CONFIG/;
			await fails(["hosts", ...args], { code: 6, error, hint }, (args) =>
				rbuild(args, { env, obeysModes: true }),
			);
		}
	});

	test("a file to save to in a folder that is not there, before anything is sent", () =>
		fails([context({ Dockerfile: "FROM scratch\n" }), "--save", join(directory, "none/app.tar")], {
			code: 6,
			error: /^error: .*none/,
		}));

	test("a folder to save to", () =>
		fails([context({ Dockerfile: "FROM scratch\n" }), "--save", directory], {
			code: 6,
			error: /^error: .*director/,
		}));

	test("a folder for the image id, before anything is sent", () =>
		fails([context({ Dockerfile: "FROM scratch\n" }), "--iidfile", directory], {
			code: 6,
			error: /^error: .*director/,
			hint: /image\.id$/,
		}));

	test("a standard output that is closed", { skip: process.platform === "win32" }, async () => {
		const args = [command, context({ Dockerfile: "FROM scratch\n" }), "-o", "-"];
		const child = spawn("sh", ["-c", 'exec "$0" "$@" >&-', process.execPath, ...args]);
		const { code, stderr } = await finished(child);
		assert.equal(code, 2);
		assert.match(
			stderr,
			/^error: --output - writes to the standard output, which is closed or leads nowhere$/m,
		);
	});

	suite("a full disk behind the standard output", { skip: process.platform !== "linux" }, () => {
		const toFullDisk = (...args: readonly string[]) =>
			finished(
				spawn("sh", ["-c", 'exec "$0" "$@" >/dev/full', process.execPath, command, ...args]),
			);
		const told =
			"error: cannot save to the standard output: no space left on the disk\nhint: make room there, or choose another place\n";

		test("is told once, and ends a command that only prints", async () => {
			await using daemon = await startFakeDaemon();
			const { code, stderr } = await toFullDisk("doctor", "--on", daemon.url);
			assert.equal(stderr, told);
			assert.equal(code, 6);
			assert.deepEqual(daemon.requests, []);
		});

		for (const format of ["table", "json", "tar"]) {
			test(`is told once of a context as ${format}`, async () => {
				const root = context({ Dockerfile: "FROM scratch\n" });
				const { code, stderr } = await toFullDisk("context", root, "--format", format);
				assert.equal(stderr, told);
				assert.equal(code, 6);
			});
		}

		test("is told of what prints and goes well", async () => {
			const { code, stderr } = await toFullDisk("--version");
			assert.equal(stderr, told);
			assert.equal(code, 6);
		});
	});

	test("nothing is wrong with -q where nobody wants the id", {
		skip: process.platform === "win32",
	}, async () => {
		const root = context({ Dockerfile: "FROM scratch\n" });
		const args = [command, root, "-q", "--on", "unix:///nonexistent.sock"];
		const child = spawn(process.execPath, args, { stdio: ["ignore", "ignore", "pipe"] });
		const { code, stderr } = await finished(child);
		assert.match(stderr, /^error: cannot reach unix:/);
		assert.equal(code, 4);
	});

	test("leaves no half-written file behind", async () => {
		const folder = join(directory, "results");
		mkdirSync(folder);
		const root = context({ Dockerfile: "FROM scratch\n" });
		const daemon = await startFakeDaemon({
			routes: {
				...classic,
				"POST /build": streams({ aux: { ID: `sha256:${"0".repeat(64)}` } }),
				"GET /images/get": truncates("not all of it"),
			},
		});
		try {
			const on = ["--on", daemon.url];
			const { code } = await rbuildHere([root, ...on, "--save", join(folder, "app.tar")]);
			assert.ok(code === 6 || code === 5 || code === 4, String(code));
			assert.deepEqual(readdirSync(folder), []);
		} finally {
			await daemon.stop();
		}
	});
});
