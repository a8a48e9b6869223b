import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { inspect } from "node:util";
import type { Environment } from "../../../../src/environment.js";
import { DeliveryError, InterruptedError, UsageError } from "../../../../src/errors.js";
import type { BuildEvent } from "../../../../src/events.js";
import {
	registryAuths,
	registryCredentials,
} from "../../../../src/image/credentials/registry-credentials.js";
import { posixOnly } from "../../../support/this-system.js";

const SECRET = "hunter2-s3cret";
const HUB = "https://index.docker.io/v1/";
const basic = (password: string) => Buffer.from(`me:${password}`).toString("base64");

describe("registry credentials", () => {
	let home: string;
	let events: BuildEvent[];

	beforeEach(() => {
		home = mkdtempSync(join(tmpdir(), "rbuild-credentials-"));
		events = [];
	});
	afterEach(() => rmSync(home, { recursive: true }));

	const write = (path: string, content: unknown, mode = 0o600) => {
		mkdirSync(dirname(join(home, path)), { recursive: true });
		const text = typeof content === "string" ? content : JSON.stringify(content);
		writeFileSync(join(home, path), text, { mode });
	};
	const dockerConfig = (content: unknown) => write(".docker/config.json", content);
	/** A credential helper; it keeps what it was asked in the file `asked`. */
	const helper = (name: string, script: string) =>
		write(
			`bin/docker-credential-${name}`,
			`#!/bin/sh\nregistry=$(cat)\necho "$@ $registry" >>${home}/asked\n${script}\n`,
			0o755,
		);
	const asked = () => readFileSync(join(home, "asked"), "utf8");

	const source = (
		variables: Record<string, string> = {},
		signal = new AbortController().signal,
	) => {
		const environment: Environment = {
			variables: { PATH: `${home}/bin:/usr/bin:/bin`, ...variables },
			homeDirectory: home,
			userName: "me",
			platform: "linux",
			workingDirectory: home,
		};
		return registryCredentials(environment, { emit: (event) => void events.push(event), signal });
	};
	const credentialsFor = (registry: string, variables?: Record<string, string>) =>
		source(variables).credentialsFor(registry);
	const login = (serveraddress: string, password = SECRET) => ({
		...{ serveraddress, username: "me", password },
	});

	it("are none where there is no file, or an empty one", async () => {
		assert.equal(await credentialsFor("ghcr.io"), undefined);
		dockerConfig("");
		assert.equal(await credentialsFor("ghcr.io"), undefined);
	});

	describe("in config.json", () => {
		it("are user and password in base64", async () => {
			dockerConfig({ auths: { "ghcr.io": { auth: basic(`${SECRET}:with:colons`) } } });
			assert.deepEqual(await credentialsFor("ghcr.io"), login("ghcr.io", `${SECRET}:with:colons`));
			assert.equal(await credentialsFor("quay.io"), undefined);
		});

		it("are an identity token rather than the user that stands beside it", async () => {
			dockerConfig({
				auths: { "a.azurecr.io": { auth: basic(""), identitytoken: SECRET } },
			});
			assert.deepEqual(await credentialsFor("a.azurecr.io"), {
				serveraddress: "a.azurecr.io",
				identitytoken: SECRET,
			});
		});

		it("are a registry token", async () => {
			dockerConfig({ auths: { "ghcr.io": { registrytoken: SECRET } } });
			assert.deepEqual(await credentialsFor("ghcr.io"), {
				serveraddress: "ghcr.io",
				registrytoken: SECRET,
			});
		});

		it("stand for the Hub under its v1 address", async () => {
			dockerConfig({ auths: { [HUB]: { auth: basic(SECRET) } } });
			assert.deepEqual(await credentialsFor("docker.io"), login(HUB));
		});

		for (const key of [
			...["https://reg.example.com:5000/v1/", "http://reg.example.com:5000"],
			...["reg.example.com:5000/v2/", "https://reg.example.com:5000"],
		]) {
			it(`are found by host under ${key}`, async () => {
				dockerConfig({ auths: { [key]: { auth: basic(SECRET) } } });
				assert.deepEqual(
					await credentialsFor("reg.example.com:5000"),
					login("reg.example.com:5000"),
				);
				assert.equal(await credentialsFor("reg.example.com"), undefined);
			});
		}

		it("are looked for in the folder that DOCKER_CONFIG names", async () => {
			write("elsewhere/config.json", { auths: { "ghcr.io": { auth: basic(SECRET) } } });
			assert.deepEqual(
				await credentialsFor("ghcr.io", { DOCKER_CONFIG: join(home, "elsewhere") }),
				login("ghcr.io"),
			);
		});

		it("may stand behind a byte order mark, as editors on Windows write it", async () => {
			dockerConfig(`\ufeff${JSON.stringify({ auths: { "ghcr.io": { auth: basic(SECRET) } } })}`);
			assert.deepEqual(await credentialsFor("ghcr.io"), login("ghcr.io"));
		});

		it("give way to DOCKER_AUTH_CONFIG, and come before podman's auth.json", async () => {
			dockerConfig({ auths: { "b.io": { auth: basic("docker") } } });
			const podman = { "b.io": { auth: basic("podman") }, "c.io": { auth: basic("podman") } };
			write("run/containers/auth.json", { auths: podman });
			const inline = { auths: { "a.io": { auth: basic("inline") } } };
			const credentials = source({
				DOCKER_AUTH_CONFIG: JSON.stringify(inline),
				XDG_RUNTIME_DIR: join(home, "run"),
			});
			assert.deepEqual(await credentials.credentialsFor("a.io"), login("a.io", "inline"));
			assert.deepEqual(await credentials.credentialsFor("b.io"), login("b.io", "docker"));
			assert.deepEqual(await credentials.credentialsFor("c.io"), login("c.io", "podman"));
		});

		for (const [what, content] of [
			["is not JSON", `{"auths": {"ghcr.io": {"auth": "${SECRET}"} oops}`],
			["is a list", [SECRET]],
			["has auths that are text", { auths: SECRET }],
			["has an entry that is text", { auths: { "ghcr.io": SECRET } }],
			["has an auth that is no text", { auths: { "ghcr.io": { auth: [SECRET] } } }],
			["has an auth without a user", { auths: { "ghcr.io": { auth: btoa(SECRET) } } }],
			["has a credsStore that is no text", { credsStore: { [SECRET]: 1 } }],
		] as const) {
			it(`name the file, and show none of it, when it ${what}`, async () => {
				dockerConfig(content);
				await assert.rejects(credentialsFor("ghcr.io"), (error: UsageError) => {
					assert.ok(error instanceof UsageError);
					assert.ok(error.message.startsWith(`cannot read ${join(home, ".docker/config.json")}: `));
					assert.ok(!error.message.includes("\n"));
					assertShowsNone(error);
					return true;
				});
			});
		}
	});

	describe("from a helper", { skip: posixOnly }, () => {
		const answer = (username: string) =>
			`echo '${JSON.stringify({ ServerURL: "x", Username: username, Secret: SECRET })}'`;

		it("are asked for by credsStore, with the registry on standard input only", async () => {
			dockerConfig({ credsStore: "test", auths: { "ghcr.io": {} } });
			helper("test", answer("me"));
			assert.deepEqual(await credentialsFor("ghcr.io"), login("ghcr.io"));
			assert.equal(asked(), "get ghcr.io\n");
		});

		it("are asked for once for each registry, and for no other", async () => {
			dockerConfig({ credsStore: "test", auths: { "ghcr.io": {}, "quay.io": {} } });
			helper("test", answer("me"));
			const credentials = source();
			await Promise.all([1, 2].map(() => credentials.credentialsFor("ghcr.io")));
			await credentials.credentialsFor("ghcr.io");
			assert.equal(asked(), "get ghcr.io\n");
		});

		it("come from the registry's own helper before the store, and for the Hub too", async () => {
			dockerConfig({ credsStore: "other", credHelpers: { [HUB]: "test" } });
			helper("test", answer("me"));
			assert.deepEqual(await credentialsFor("docker.io"), login(HUB));
			assert.equal(asked(), `get ${HUB}\n`);
		});

		it("are an identity token for the user <token>", async () => {
			dockerConfig({ credsStore: "test" });
			helper("test", answer("<token>"));
			assert.deepEqual(await credentialsFor("ghcr.io"), {
				serveraddress: "ghcr.io",
				identitytoken: SECRET,
			});
		});

		it("are none when it does not know the registry", async () => {
			dockerConfig({ credsStore: "test" });
			helper("test", "echo credentials not found in native keychain; exit 1");
			assert.equal(await credentialsFor("ghcr.io"), undefined);
			assert.deepEqual(events, []);
		});

		it("that is missing are replaced by what the file has, with a warning", async () => {
			dockerConfig({ credsStore: "gone", auths: { "ghcr.io": { auth: basic(SECRET) } } });
			assert.deepEqual(await credentialsFor("ghcr.io"), login("ghcr.io"));
			assert.equal(events.length, 1);
			assert.match(inspect(events), /docker-credential-gone.*config\.json.*not on the PATH/);
			assertShowsNone(events);
		});

		it("that fails are an error with its words", async () => {
			dockerConfig({ credsStore: "test" });
			helper("test", "echo the keychain is locked; exit 1");
			await assert.rejects(credentialsFor("ghcr.io"), {
				name: "DeliveryError",
				message:
					"cannot get the credentials of ghcr.io: docker-credential-test failed: the keychain is locked",
			});
		});

		for (const [what, script] of [
			["prints a secret and fails", `${answer("me")}; exit 3`],
			["prints a secret and then breaks off", `printf '{"Username": "me", "Secret": "${SECRET}'`],
			["prints something else", `echo '["${SECRET}"]'`],
			["complains with a secret on stderr", `echo ${SECRET} >&2; exit 1`],
		] as const) {
			it(`that ${what} are an error which does not show it`, async () => {
				dockerConfig({ credsStore: "test" });
				helper("test", script);
				await assert.rejects(credentialsFor("ghcr.io"), (error) => {
					assert.ok(error instanceof DeliveryError);
					assertShowsNone(error);
					return true;
				});
			});
		}

		it("are given up when the run is interrupted", async () => {
			dockerConfig({ credsStore: "test" });
			helper("test", "exec sleep 60");
			const controller = new AbortController();
			const credentials = source({}, controller.signal).credentialsFor("ghcr.io");
			setImmediate(() => controller.abort());
			await assert.rejects(credentials, InterruptedError);
		});
	});

	const elsewhere = process.platform !== "win32" && "it is about Windows";
	it("come from a helper that is a script, as one may be on Windows", {
		skip: elsewhere,
	}, async () => {
		dockerConfig({ credHelpers: { "gcr.io": "cloud" } });
		const answer = JSON.stringify({ ServerURL: "x", Username: "me", Secret: SECRET });
		const script = `@echo off\r\nif not "%1"=="get" exit 3\r\necho ${answer}\r\n`;
		write("a folder (x86)/docker-credential-cloud.cmd", script);
		const variables = {
			...(process.env as Record<string, string>),
			PATH: join(home, "a folder (x86)"),
		};
		const environment: Environment = {
			...{ variables, homeDirectory: home, userName: "me", platform: "win32" },
			workingDirectory: home,
		};
		const { signal } = new AbortController();
		const credentials = registryCredentials(environment, { emit() {}, signal });
		assert.deepEqual(await credentials.credentialsFor("gcr.io"), login("gcr.io"));
	});

	it("for a classic build are those of the registries that are named", async () => {
		const entry = { auth: basic(SECRET) };
		dockerConfig({ auths: { "ghcr.io": entry, "quay.io": entry, [HUB]: entry } });
		assert.deepEqual(await registryAuths(["ghcr.io", "docker.io", "other.io"], source()), {
			"ghcr.io": login("ghcr.io"),
			[HUB]: login(HUB),
		});
	});
});

function assertShowsNone(value: unknown): void {
	const shown = inspect(value, { depth: null, showHidden: true });
	assert.ok(!shown.includes(SECRET), shown);
	assert.ok(!shown.includes(basic(SECRET)) && !shown.includes(btoa(SECRET)), shown);
}
