import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, suite, test } from "node:test";
import type { Environment } from "../../../src/environment.js";
import { ConnectionError, UsageError } from "../../../src/errors.js";
import {
	localDaemon,
	namedBoxes,
	namedTarget,
	type TargetOptions,
	usualTarget,
} from "../../../src/target/choose-target.js";
import { writeContext } from "../../../src/target/context-changes.js";
import { contextFolders } from "../../../src/target/context-store.js";
import { useContext } from "../../../src/target/docker-config.js";
import { formatTarget } from "../../../src/target/parse-target.js";
import { posixOnly } from "../../support/this-system.js";

function environment(variables: Record<string, string>, homeDirectory = "/nowhere"): Environment {
	return {
		variables,
		homeDirectory,
		userName: "ann",
		platform: "linux",
		workingDirectory: "/",
	};
}

/** As a build with one box does. */
async function chooseTarget(options: TargetOptions & { on?: string }, from: Environment) {
	const { names, namedBy } = namedBoxes(options.on, from);
	const [name] = names;
	if (name === undefined) return await usualTarget(options, from);
	return await namedTarget(name, namedBy, options, from);
}

suite("which box was named", () => {
	const named = (on: string | readonly string[] | undefined, RBUILD_ON: string) =>
		namedBoxes(on, environment({ RBUILD_ON }));

	test("is --on before RBUILD_ON", () => {
		assert.deepEqual(named("first", "second"), { names: ["first"], namedBy: "--on" });
		assert.deepEqual(named(["a", "b"], "second").names, ["a", "b"]);
	});

	test("is all that RBUILD_ON names, with commas or blanks in between", () => {
		assert.deepEqual(named(undefined, "a, b,c  d").names, ["a", "b", "c", "d"]);
		assert.deepEqual(named(undefined, "").names, []);
	});
});

suite("the daemon of this machine", () => {
	let home: string;
	beforeEach(async () => {
		home = await mkdtemp(join(tmpdir(), "rbuild-local-"));
	});
	afterEach(() => rm(home, { recursive: true }));
	const chosen = async (variables: Record<string, string>, platform: NodeJS.Platform = "linux") =>
		localDaemon({ ...environment(variables, home), platform });

	for (const host of ["unix:///run/x.sock", "tcp://localhost:2375", "tcp://127.0.0.1:2375"]) {
		test(`is that of DOCKER_HOST=${host}`, async () => {
			const { target, chosenBy } = await chosen({ DOCKER_HOST: host });
			assert.equal(formatTarget(target), host);
			assert.equal(chosenBy, "DOCKER_HOST");
		});
	}

	test("is that of the docker context in use", async () => {
		const content = {
			host: "unix:///run/colima.sock",
			description: "",
			skipTlsVerify: false,
			tls: {},
		};
		await writeContext({ name: "colima", ...content }, environment({}, home));
		await useContext("colima", environment({}, home));
		const { target } = await chosen({});
		assert.deepEqual(target, { kind: "unix", socketPath: "/run/colima.sock" });
		const named = await chosen({ DOCKER_CONTEXT: "colima" });
		assert.match(named.chosenBy, /"colima", by DOCKER_CONTEXT/);
	});

	for (const host of ["ssh://box", "tcp://box:2375"]) {
		test(`is not ${host}, but one with a usual socket`, { skip: posixOnly }, async (t) => {
			if (existsSync("/var/run/docker.sock")) return t.skip("this machine has a daemon of its own");
			const socket = join(home, ".colima/default/docker.sock");
			await mkdir(dirname(socket), { recursive: true });
			const server = createServer().listen(socket);
			await once(server, "listening");
			const { target } = await chosen({ DOCKER_HOST: host });
			assert.deepEqual(target, { kind: "unix", socketPath: socket });
			server.close();
		});
	}

	test("has docker's pipe on Windows", async () => {
		const { target } = await chosen({}, "win32");
		assert.equal(formatTarget(target), "npipe:////./pipe/docker_engine");
	});

	test("is missed before anything is built", async (t) => {
		if (existsSync("/var/run/docker.sock")) return t.skip("this machine has a daemon of its own");
		await assert.rejects(chosen({ DOCKER_HOST: "ssh://box" }), {
			name: "DeliveryError",
			message: "there is no docker or podman on this machine to load the image into",
		});
	});
});

suite("the target", () => {
	test("is DOCKER_HOST when nothing is named", async () => {
		const chosen = await chooseTarget({}, environment({ DOCKER_HOST: "ssh://third" }));
		assert.deepEqual(chosen, { target: { kind: "ssh", host: "third" }, chosenBy: "DOCKER_HOST" });
	});

	test("is an address of TCP where DOCKER_HOST is a host and a port, and of ssh anywhere else", async () => {
		const { target } = await chooseTarget({}, environment({ DOCKER_HOST: "box:2375" }));
		assert.deepEqual(target, { kind: "tcp", host: "box", port: 2375 });
		const six = await chooseTarget({}, environment({ DOCKER_HOST: "[::1]:2375" }));
		assert.deepEqual(six.target, { kind: "tcp", host: "::1", port: 2375 });
		for (const [on, DOCKER_HOST] of [
			["box:22", ""],
			[undefined, "me@box:22"],
			[undefined, "box"],
		] as const) {
			const chosen = await chooseTarget({ ...(on && { on }) }, environment({ DOCKER_HOST }));
			assert.equal(chosen.target.kind, "ssh");
		}
	});

	test("names the variable that makes no sense", async () => {
		await assert.rejects(
			chooseTarget({}, environment({ DOCKER_HOST: "http://box" })),
			(error) => error instanceof UsageError && error.message.startsWith("DOCKER_HOST: "),
		);
	});

	suite("with TLS", () => {
		const none = { certificate: undefined, key: undefined };
		const tls = { verify: true, ca: "/certs/ca.pem", ...none };
		const DOCKER_CERT_PATH = "/certs";

		test("has docker's port for it, and the CA of DOCKER_CERT_PATH", {
			skip: posixOnly,
		}, async () => {
			const variables = { DOCKER_HOST: "tcp://box", DOCKER_TLS_VERIFY: "1", DOCKER_CERT_PATH };
			const { target } = await chooseTarget({}, environment(variables));
			assert.deepEqual(target, { kind: "tls", host: "box", port: 2376, tls });
		});

		test("is for tcp:// only", async () => {
			const variables = { DOCKER_HOST: "ssh://box", DOCKER_TLS_VERIFY: "1", DOCKER_CERT_PATH };
			assert.equal((await chooseTarget({}, environment(variables))).target.kind, "ssh");
		});

		test("takes docker's flags, relative to the working directory", {
			skip: posixOnly,
		}, async () => {
			const flags = { tlsVerify: true, tlsCaCert: "a.pem", tlsCert: "b.pem", tlsKey: "c.pem" };
			const chosen = await chooseTarget({ on: "tcp://box:1", ...flags }, environment({}));
			const files = { ca: "/a.pem", certificate: "/b.pem", key: "/c.pem" };
			const target = { kind: "tls", host: "box", port: 1, tls: { verify: true, ...files } };
			assert.deepEqual(chosen.target, target);
		});

		for (const [flags, verify] of [
			[{ tls: true }, false],
			[{ tlsVerify: false }, false],
			[{ tls: true, tlsCert: "b.pem" }, false],
			[{ tlsCert: "b.pem" }, true],
		] as const) {
			test(`${verify ? "checks" : "does not check"} with ${JSON.stringify(flags)}`, async () => {
				const chosen = await chooseTarget({ on: "tcp://box", ...flags }, environment({}));
				assert.equal(chosen.target.kind === "tls" && chosen.target.tls.verify, verify);
			});
		}
	});

	suite("of a docker context", () => {
		let home: string;
		let from: (variables?: Record<string, string>) => Environment;

		beforeEach(async () => {
			home = await mkdtemp(join(tmpdir(), "rbuild-contexts-"));
			from = (variables = {}) => environment(variables, home);
			await add("armbox", "ssh://me@arm.example");
			await add("secure", "tcp://10.0.0.5", { ca: Buffer.from("the CA") });
		});
		afterEach(() => rm(home, { recursive: true }));

		function add(name: string, host: string, tls = {}) {
			const content = { name, host, description: "", skipTlsVerify: false, tls };
			return writeContext(content, from());
		}

		const armbox = { kind: "ssh", user: "me", host: "arm.example" };

		test("is named by --on", async () => {
			const chosen = await chooseTarget({ on: "armbox" }, from({ DOCKER_HOST: "ssh://other" }));
			assert.deepEqual(chosen, { target: armbox, chosenBy: 'docker context "armbox", by --on' });
		});

		test("has TLS files of its own, whatever the flags and variables say", async () => {
			const flags = { tlsCaCert: "other.pem" };
			const chosen = await chooseTarget(
				{ on: "secure", ...flags },
				from({ DOCKER_TLS_VERIFY: "1" }),
			);
			const ca = join(contextFolders("secure", from()).tls, "docker", "ca.pem");
			const tls = { verify: true, ca };
			assert.deepEqual(chosen.target, { kind: "tls", host: "10.0.0.5", port: 2376, tls });
		});

		test("gives way to DOCKER_HOST when it is not named", async () => {
			await useContext("armbox", from());
			const variables = { DOCKER_HOST: "ssh://other", DOCKER_CONTEXT: "secure" };
			assert.equal((await chooseTarget({}, from(variables))).chosenBy, "DOCKER_HOST");
		});

		test("is that of DOCKER_CONTEXT before the one in use", async () => {
			await useContext("armbox", from());
			const chosen = await chooseTarget({}, from({ DOCKER_CONTEXT: "secure" }));
			assert.equal(chosen.chosenBy, 'docker context "secure", by DOCKER_CONTEXT');
			const inUse = await chooseTarget({}, from());
			assert.deepEqual(inUse, {
				target: armbox,
				chosenBy: 'docker context "armbox", by docker context use',
			});
		});

		test("is left by --on default", async () => {
			const variables = { DOCKER_CONTEXT: "armbox", DOCKER_HOST: "ssh://other" };
			const chosen = await chooseTarget({ on: "default" }, from(variables));
			assert.equal(chosen.chosenBy, "DOCKER_HOST");
		});

		test("comes before an ssh alias of its name, and says so", async () => {
			await mkdir(join(home, ".ssh"));
			await writeFile(join(home, ".ssh/config"), "Host armbox\n");
			const { chosenBy } = await chooseTarget({ on: "armbox" }, from());
			assert.equal(chosenBy, 'docker context "armbox", by --on; the ssh alias is ssh://armbox');
			const chosen = await chooseTarget({ on: "ssh://armbox" }, from());
			assert.deepEqual(chosen.target, { kind: "ssh", host: "armbox" });
		});

		test("has to be there where docker would want it", async () => {
			await assert.rejects(chooseTarget({}, from({ DOCKER_CONTEXT: "prod" })), {
				name: "UsageError",
				message: 'DOCKER_CONTEXT: there is no docker context "prod"',
			});
			assert.equal((await chooseTarget({ on: "prod" }, from())).target.kind, "ssh");
		});

		test("is a plain tcp one only with leave", async () => {
			await add("open", "tcp://10.0.0.6:2375");
			const { target } = await chooseTarget({ on: "open", insecure: true }, from());
			const open = { kind: "tcp", host: "10.0.0.6", port: 2375 };
			assert.deepEqual(target, { ...open, insecure: true });
			assert.deepEqual((await chooseTarget({ on: "open" }, from())).target, open);
		});
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
			const sockets = [".docker/run/docker.sock", "run/podman/podman.sock"];
			assert.equal(await first(sockets), ".docker/run/docker.sock");
		});

		test("takes rootless docker's before those in the home directory and podman's", async () => {
			const others = [".docker/desktop/docker.sock", "run/podman/podman.sock"];
			assert.equal(await first(["run/docker.sock", ...others]), "run/docker.sock");
		});

		test("passes over a file that is no socket", async () => {
			const sockets = ["run/podman/podman.sock"];
			assert.equal(await first(sockets, ["run/docker.sock"]), "run/podman/podman.sock");
		});

		for (const [whose, file] of [
			["Docker Desktop on macOS", ".docker/run/docker.sock"],
			["Docker Desktop on Linux", ".docker/desktop/docker.sock"],
			["OrbStack", ".orbstack/run/docker.sock"],
			["colima", ".colima/default/docker.sock"],
			["colima by XDG", ".config/colima/default/docker.sock"],
			["Rancher Desktop", ".rd/docker.sock"],
			["lima", ".lima/docker/sock/docker.sock"],
			["podman in lima", ".lima/podman/sock/podman.sock"],
			["a rootless docker", "run/docker.sock"],
			["podman", "run/podman/podman.sock"],
			["podman's machine", ".local/share/containers/podman/machine/podman.sock"],
		] as const) {
			test(`finds ${whose}`, async () => assert.equal(await first([file]), file));
		}

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
