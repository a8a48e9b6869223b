import assert from "node:assert/strict";
import {
	mkdirSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	rmSync,
	statSync,
	writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { RegistryAuth } from "../../../../src/engine/registry-auth.js";
import type { Environment } from "../../../../src/environment.js";
import { registryTokens } from "../../../../src/image/credentials/registry-tokens.js";
import type { WebAnswer, WebRequest } from "../../../../src/image/web/web-client.js";
import { noPermissions } from "../../../support/this-system.js";

const signal = new AbortController().signal;
const CHALLENGE = 'Basic realm="x", Bearer realm="https://auth.example.com/token",service="s"';
const LOGIN = { username: "me", password: "pass:wörd" };
const REQUEST = {
	host: "registry.example.com",
	realm: "https://auth.example.com/token?x=1",
	service: "the service",
	scopes: ["repository:a:pull", "repository:b:pull,push"],
};

/** A web that answers with a status and headers, or JSON, and knows what it was asked. */
function web(answer: (url: URL, request: WebRequest) => Partial<WebAnswer> | undefined) {
	const asked: { url: string; request: WebRequest }[] = [];
	const client = async (url: URL, request: WebRequest): Promise<WebAnswer> => {
		asked.push({ url: String(url), request });
		const given = answer(url, request);
		if (given === undefined) throw Object.assign(new Error("connect"), { code: "ECONNREFUSED" });
		return { status: 200, headers: {}, body: "", ...given };
	};
	return { client, asked };
}

const token = (fields: object) => ({ body: JSON.stringify(fields) });

describe("registry tokens", () => {
	let directory: string;
	before(() => {
		directory = mkdtempSync(join(tmpdir(), "rbuild-tokens-"));
	});
	after(() => rmSync(directory, { recursive: true, force: true }));

	const environment = (folder = directory): Environment => ({
		variables: { DOCKER_CONFIG: folder },
		homeDirectory: directory,
		userName: "me",
		platform: "linux",
		workingDirectory: directory,
	});

	const open = (
		client: ReturnType<typeof web>["client"],
		login: RegistryAuth | undefined = LOGIN,
		folder = directory,
	) => registryTokens(async () => login, environment(folder), client);

	describe("are got here", () => {
		const challenges = (challenge: string | string[] | undefined) => () => ({
			status: 401,
			headers: { "www-authenticate": challenge },
		});

		it("where registry and token server answer, whatever they say", async () => {
			const { client, asked } = web(challenges(CHALLENGE));
			const tokens = open(client);
			assert.ok(await tokens.seedFor("registry.example.com", signal));
			assert.deepEqual(
				asked.map(({ url, request }) => [url, request.headers]),
				[
					["https://registry.example.com/v2/", undefined],
					["https://auth.example.com/token", undefined],
				],
			);
			await tokens.seedFor("registry.example.com", signal);
			assert.equal(asked.length, 2, "asked once");
		});

		const elsewhere: [string, Parameters<typeof web>[0]][] = [
			["the registry cannot be reached", () => undefined],
			[
				"the token server cannot be reached",
				(url) => (url.host === "auth.example.com" ? undefined : challenges(CHALLENGE)()),
			],
			["the registry wants a password", challenges('Basic realm="https://x"')],
			["the registry wants nothing", challenges(undefined)],
			["the token server has no TLS", challenges('Bearer realm="http://auth.example.com/"')],
			["the token server is on the box", challenges('Bearer realm="https://localhost:5001/"')],
			["the challenge makes no sense", challenges('Bearer realm="no address"')],
		];
		for (const [what, answer] of elsewhere) {
			it(`not where ${what}`, async () => {
				const { client } = web(answer);
				assert.equal(await open(client).seedFor("registry.example.com", signal), undefined);
			});
		}

		it("not for what is on the box's loopback, and nobody on this side's is asked", async () => {
			const { client, asked } = web(challenges(CHALLENGE));
			for (const host of ["localhost:5000", "127.0.0.1", "127.1.2.3:80", "[::1]:5000"]) {
				assert.equal(await open(client).seedFor(host, signal), undefined);
			}
			assert.deepEqual(asked, []);
		});

		it("not without a login: the box can do that as well", async () => {
			const { client, asked } = web(challenges(CHALLENGE));
			const tokens = registryTokens(async () => undefined, environment(), client);
			assert.equal(await tokens.seedFor("registry.example.com", signal), undefined);
			assert.deepEqual(asked, []);
		});

		it("where the user has put the very token into config.json", async () => {
			const { client, asked } = web(() => undefined);
			const tokens = open(client, { registrytoken: "static" });
			assert.ok(await tokens.seedFor("registry.example.com", signal));
			assert.equal((await tokens.fetch(REQUEST, signal)).token, "static");
			assert.deepEqual(asked, []);
		});
	});

	describe("stand under a seed", () => {
		const seedOf = (host: string, folder: string) =>
			open(web(() => undefined).client, { registrytoken: "t" }, folder).seedFor(host, signal);

		it("that stays, in docker's file and beside what is there", {
			skip: noPermissions,
		}, async () => {
			const folder = mkdtempSync(join(directory, "seed-"));
			const file = join(folder, ".token_seed");
			writeFileSync(file, JSON.stringify({ other: { Seed: "b3RoZXI=" } }));
			const seed = await seedOf("ghcr.io", folder);
			assert.equal(seed?.length, 16);
			assert.deepEqual(await seedOf("ghcr.io", folder), seed);
			assert.notDeepEqual(await seedOf("quay.io", folder), seed);
			assert.equal(Buffer.from((await seedOf("other", folder)) ?? []).toString(), "other");
			assert.equal(statSync(file).mode & 0o777, 0o600);
			const hosts = Object.keys(JSON.parse(readFileSync(file, "utf8")));
			assert.deepEqual(hosts, ["other", "ghcr.io", "quay.io"]);
		});

		it("of this build alone where it cannot be kept", async () => {
			const folder = join(directory, "is-not-there");
			assert.notDeepEqual(await seedOf("ghcr.io", folder), await seedOf("ghcr.io", folder));
			const broken = mkdtempSync(join(directory, "broken-"));
			mkdirSync(join(broken, ".token_seed"));
			assert.equal((await seedOf("ghcr.io", broken))?.length, 16);
			assert.deepEqual(readdirSync(broken), [".token_seed"]);
		});
	});

	describe("are asked for", () => {
		it("with a password by GET", async () => {
			const { client, asked } = web(() => token({ token: "t0ken", expires_in: 300 }));
			const made = await open(client).fetch(REQUEST, signal);
			assert.deepEqual([made.token, made.expiresIn], ["t0ken", 300]);
			assert.ok(Math.abs(made.issuedAt - Date.now() / 1000) < 60);
			assert.deepEqual(
				asked.map(({ url, request }) => [request.method, url]),
				[
					[
						undefined,
						"https://auth.example.com/token?x=1&service=the+service&scope=repository%3Aa%3Apull&scope=repository%3Ab%3Apull%2Cpush",
					],
				],
			);
			const login = Buffer.from("me:pass:wörd").toString("base64");
			assert.deepEqual(asked[0]?.request.headers, { Authorization: `Basic ${login}` });
		});

		it("with a password by POST where there is no GET", async () => {
			const { client, asked } = web((_, { method }) =>
				method === "POST" ? token({ access_token: "t0ken" }) : { status: 405 },
			);
			const made = await open(client).fetch(REQUEST, signal);
			assert.deepEqual([made.token, made.expiresIn], ["t0ken", 60]);
			assert.deepEqual(Object.fromEntries(new URLSearchParams(String(asked[1]?.request.body))), {
				grant_type: "password",
				...LOGIN,
				client_id: "rbuild",
				service: "the service",
				scope: "repository:a:pull repository:b:pull,push",
			});
		});

		it("with an identity token by POST", async () => {
			const { client, asked } = web(() =>
				token({ access_token: "t0ken", issued_at: "2026-01-02T03:04:05Z" }),
			);
			const made = await open(client, { identitytoken: "id" }).fetch(REQUEST, signal);
			assert.equal(made.issuedAt, Date.UTC(2026, 0, 2, 3, 4, 5) / 1000);
			assert.equal(asked.length, 1);
			assert.equal(asked[0]?.request.headers?.Authorization, undefined);
			const form = new URLSearchParams(String(asked[0]?.request.body));
			assert.deepEqual(
				[form.get("grant_type"), form.get("refresh_token")],
				["refresh_token", "id"],
			);
		});

		it("by nobody where there is no login", async () => {
			const { client, asked } = web(() => token({ token: "anybody's" }));
			const tokens = registryTokens(async () => undefined, environment(), client);
			assert.equal((await tokens.fetch(REQUEST, signal)).token, "anybody's");
			assert.equal(asked[0]?.request.headers, undefined);
		});

		it("once in their life, for each scope", async () => {
			let life = 300;
			const { client, asked } = web(() => token({ token: "t0ken", expires_in: life }));
			const tokens = open(client);
			await tokens.fetch(REQUEST, signal);
			await tokens.fetch(REQUEST, signal);
			assert.equal(asked.length, 1);
			life = 0.001;
			const other = { ...REQUEST, scopes: ["repository:c:pull"] };
			await tokens.fetch(other, signal);
			await tokens.fetch(other, signal);
			assert.equal(asked.length, 3);
		});

		const failures: [string, Parameters<typeof web>[0], RegExp][] = [
			[
				"401",
				() => ({ status: 401, body: "hunter2" }),
				/it does not accept the login \(401 Unauthorized\)$/,
			],
			["403", () => ({ status: 403 }), /it does not accept the login \(403 Forbidden\)$/],
			["500", () => ({ status: 500, body: "hunter2" }), /it answers 500 Internal Server Error$/],
			["no server", () => undefined, /it cannot be reached: connection refused$/],
			["no JSON", () => ({ body: "hunter2" }), /its answer holds no token$/],
			["null", () => ({ body: "null" }), /its answer holds no token$/],
			["no token", () => token({ token: "" }), /its answer holds no token$/],
		];
		for (const [what, answer, reason] of failures) {
			it(`in vain: ${what}`, async () => {
				await assert.rejects(open(web(answer).client).fetch(REQUEST, signal), (error: Error) => {
					assert.match(
						error.message,
						/^no token for registry\.example\.com from auth\.example\.com: /,
					);
					assert.match(error.message, reason);
					assert.doesNotMatch(String(error.stack), /hunter2|pass:wörd/);
					return true;
				});
			});
		}

		it("over TLS only", async () => {
			const { client, asked } = web(() => token({ token: "t" }));
			for (const realm of ["http://auth.example.com/token", "file:///etc/passwd", "https//x"]) {
				const fetched = open(client).fetch({ ...REQUEST, realm }, signal);
				await assert.rejects(fetched, /its address is not https$/);
			}
			assert.deepEqual(asked, []);
		});
	});
});
