import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { suite, test } from "node:test";
import type { Environment } from "../../../src/environment.js";
import { ConnectionError, UsageError } from "../../../src/errors.js";
import { chooseTarget } from "../../../src/target/choose-target.js";

function environment(variables: Record<string, string>, homeDirectory = "/nowhere"): Environment {
	return {
		variables,
		homeDirectory,
		userName: "ann",
		platform: "linux",
		workingDirectory: "/",
	};
}

suite("chooseTarget", () => {
	const all = { RBUILD_ON: "second", DOCKER_HOST: "ssh://third" };

	test("takes --on before all variables", async () => {
		assert.deepEqual(await chooseTarget({ on: "first" }, environment(all)), {
			target: { kind: "ssh", host: "first" },
			chosenBy: "--on",
		});
	});

	test("takes RBUILD_ON before DOCKER_HOST", async () => {
		const chosen = await chooseTarget({}, environment(all));
		assert.deepEqual(chosen, { target: { kind: "ssh", host: "second" }, chosenBy: "RBUILD_ON" });
	});

	test("takes DOCKER_HOST when RBUILD_ON is empty", async () => {
		const chosen = await chooseTarget({}, environment({ ...all, RBUILD_ON: "" }));
		assert.deepEqual(chosen, { target: { kind: "ssh", host: "third" }, chosenBy: "DOCKER_HOST" });
	});

	test("names the variable that makes no sense", async () => {
		await assert.rejects(
			chooseTarget({}, environment({ DOCKER_HOST: "http://box" })),
			(error) => error instanceof UsageError && error.message.startsWith("DOCKER_HOST: "),
		);
	});

	test("does not ignore that TLS was asked for", async () => {
		const variables = { DOCKER_HOST: "tcp://box:2376", DOCKER_TLS_VERIFY: "1" };
		await assert.rejects(chooseTarget({}, environment(variables)), /TLS is not supported yet/);
		const overSsh = { DOCKER_HOST: "ssh://box", DOCKER_TLS_VERIFY: "1" };
		assert.equal((await chooseTarget({}, environment(overSsh))).target.kind, "ssh");
	});

	test("does not ignore a docker context", async () => {
		await assert.rejects(
			chooseTarget({}, environment({ DOCKER_CONTEXT: "prod" })),
			/"prod": docker contexts are not supported yet/,
		);
		assert.equal(
			(await chooseTarget({ on: "box" }, environment({ DOCKER_CONTEXT: "prod" }))).chosenBy,
			"--on",
		);
	});

	suite("without any name", { skip: process.platform === "win32" }, () => {
		async function chosenWith(files: readonly string[], plainFiles: readonly string[] = []) {
			const home = await mkdtemp(join(tmpdir(), "rbuild-target-"));
			const servers = await Promise.all(
				files.map(async (file) => {
					await mkdir(dirname(join(home, file)), { recursive: true });
					const server = createServer().listen(join(home, file));
					await once(server, "listening");
					return server;
				}),
			);
			try {
				for (const file of plainFiles) {
					await mkdir(dirname(join(home, file)), { recursive: true });
					await writeFile(join(home, file), "");
				}
				const variables = { XDG_RUNTIME_DIR: join(home, "run") };
				const { target, chosenBy } = await chooseTarget({}, environment(variables, home));
				assert.equal(chosenBy, "local socket");
				assert.equal(target.kind, "unix");
				return target.socketPath.replace(`${home}/`, "");
			} finally {
				for (const server of servers) {
					server.close();
				}
				await rm(home, { recursive: true });
			}
		}
		// A machine with a daemon of its own has /var/run/docker.sock, which comes before all of these.
		const systemSocket = "/var/run/docker.sock";
		const first = async (files: readonly string[], plain?: readonly string[]) => {
			const chosen = await chosenWith(files, plain);
			return chosen === systemSocket ? files[0] : chosen;
		};

		test("takes docker's socket in the home directory before podman's", async () => {
			const sockets = [".docker/run/docker.sock", "run/docker.sock", "run/podman/podman.sock"];
			assert.equal(await first(sockets), ".docker/run/docker.sock");
		});

		test("takes rootless docker's before podman's", async () => {
			assert.equal(await first(["run/docker.sock", "run/podman/podman.sock"]), "run/docker.sock");
		});

		test("passes over a file that is no socket", async () => {
			const sockets = ["run/podman/podman.sock"];
			assert.equal(await first(sockets, ["run/docker.sock"]), "run/podman/podman.sock");
		});

		test("says what to do when there is no local daemon either", async (t) => {
			const chosen = chooseTarget({}, environment({}));
			if (await chosen.then((each) => each.chosenBy === "local socket").catch(() => false)) {
				t.skip("this machine has a daemon of its own");
				return;
			}
			await assert.rejects(
				chosen,
				(error) =>
					error instanceof ConnectionError &&
					error.failure === "socket-missing" &&
					/--on/.test(error.hint ?? ""),
			);
		});
	});
});
