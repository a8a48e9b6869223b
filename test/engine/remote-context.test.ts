import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { type AddressInfo, connect, createServer as createTcpServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { BASE_IMAGE } from "../support/base-image.js";
import { type Box, startBox } from "../support/box.js";
import { rbuild } from "../support/cli.js";
import { imageFile } from "../support/image-contents.js";
import { suiteWithDockerd } from "../support/requirement.js";

const DOCKERFILE = `FROM ${BASE_IMAGE}\nCOPY hello /hello\n`;

/** A git server for the repositories below a directory. */
async function gitServer(directory: string) {
	const reserved = createTcpServer().listen(0, "127.0.0.1");
	await once(reserved, "listening");
	const { port } = reserved.address() as AddressInfo;
	reserved.close();
	await once(reserved, "close");
	const args = ["daemon", "--export-all", "--reuseaddr", "--listen=127.0.0.1"];
	const daemon = spawn("git", [...args, `--port=${port}`, `--base-path=${directory}`], {
		stdio: "ignore",
	});
	while (!(await accepts(port))) await setTimeout(20);
	return {
		url: `git://127.0.0.1:${port}`,
		async [Symbol.asyncDispose]() {
			daemon.kill();
			await once(daemon, "close");
		},
	};
}

async function accepts(port: number): Promise<boolean> {
	const socket = connect(port, "127.0.0.1");
	try {
		await once(socket, "connect");
		return true;
	} catch {
		return false;
	} finally {
		socket.destroy();
	}
}

for (const builder of ["buildkit", "classic"] as const) {
	suiteWithDockerd(`a context that the daemon fetches, ${builder}`, () => {
		let box: Box;
		let directory: string;
		// POST /build, and BuildKit's Solve, which the flag takes.
		const ways = builder === "buildkit" ? [[], ["--no-cache-filter", "stage"]] : [[]];
		before(async () => {
			box = await startBox({ builder });
			directory = mkdtempSync(join(tmpdir(), "rbuild-fetched-"));
		});
		after(async () => {
			rmSync(directory, { recursive: true, force: true });
			await box[Symbol.asyncDispose]();
		});

		test("may be a branch of a git repository", async () => {
			const work = join(directory, "repository");
			mkdirSync(work);
			writeFileSync(join(work, "Dockerfile"), DOCKERFILE);
			writeFileSync(join(work, "hello"), "from git\n");
			const git = (...args: string[]) =>
				execFileSync("git", ["-c", "user.name=test", "-c", "user.email=test@localhost", ...args], {
					cwd: work,
				});
			git("init", "--quiet", "--initial-branch=trunk");
			git("add", ".");
			git("commit", "--quiet", "--message=first");
			await using server = await gitServer(directory);
			const url = `${server.url}/repository#trunk`;
			for (const [at, way] of ways.entries()) {
				const tag = `fetched:${at}`;
				const args = [url, "-q", "-t", tag, ...way, ...box.flags];
				const { code, stdout, stderr } = await rbuild(args);
				assert.equal(code, 0, stderr);
				assert.match(stdout, /^sha256:[0-9a-f]{64}\n$/);
				assert.equal(await imageFile(box.engine, tag, "hello"), "from git\n");
			}
		});

		test("may not be there, or have no such Dockerfile, which fails the build", async () => {
			const page = `<!DOCTYPE html>\n<html>${"<p>It is not here.</p>\n".repeat(200)}</html>`;
			const server = createServer((_request, response) => {
				response.writeHead(404, { "Content-Type": "text/html" }).end(page);
			}).listen(0, "127.0.0.1");
			await once(server, "listening");
			const { port } = server.address() as AddressInfo;
			const missing = await rbuild([`http://127.0.0.1:${port}/context.tar`, ...box.flags]);
			assert.equal(missing.code, 1, missing.stderr);
			assert.match(missing.stderr, /^error: .{1,200} status 404( Not Found)?$/m);
			server.close();

			const input = execFileSync("tar", ["-cf", "-", "-C", directory, "."]);
			const other = await rbuild(["-", "-f", "nope", ...box.flags], { input });
			assert.equal(other.code, 1, other.stderr);
			assert.match(other.stderr, /^error: the build failed: .*nope.*\nhint: name the Dockerfile/m);
		});

		test("may be a compressed tar on a web server", async () => {
			const files = join(directory, "files");
			mkdirSync(files);
			writeFileSync(join(files, "Dockerfile"), DOCKERFILE);
			writeFileSync(join(files, "hello"), "from the web\n");
			const archive = join(directory, "context.tar.gz");
			execFileSync("tar", ["-czf", archive, "-C", files, "."]);
			const server = createServer((_request, response) => {
				response.setHeader("Content-Type", "application/gzip");
				response.end(readFileSync(archive));
			}).listen(0, "127.0.0.1");
			await once(server, "listening");
			const { port } = server.address() as AddressInfo;
			const url = `http://127.0.0.1:${port}/context.tar.gz`;
			for (const [at, way] of ways.entries()) {
				const tag = `downloaded:${at}`;
				const { code, stderr } = await rbuild([url, "-t", tag, ...way, ...box.flags]);
				assert.equal(code, 0, stderr);
				assert.match(stderr, /fetched by the daemon/);
				assert.equal(await imageFile(box.engine, tag, "hello"), "from the web\n");
			}
			server.close();
		});
	});
}
