import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { RegistryAuth } from "../../../../src/engine/registry-auth.js";
import { readChallenge } from "../../../../src/image/credentials/auth-challenge.js";
import { RegistryClient } from "../../../../src/image/registry/registry-client.js";
import type { WebAnswer, WebRequest } from "../../../../src/image/web/web-client.js";

const { signal } = new AbortController();
const LOGIN = { username: "me", password: "s3cret" };
const BEARER = 'Bearer realm="https://auth.example/token?x=1",service="the service"';
const SCOPE = "repository:me/app:pull,push";

type Answer = Partial<WebAnswer> | undefined;

/** A web in which everything is unknown (404) that is not answered. */
function web(answer: (url: URL, request: WebRequest) => Answer) {
	const asked: string[] = [];
	const client = async (url: URL, request: WebRequest): Promise<WebAnswer> => {
		asked.push(`${request.headers?.Authorization ?? "nobody"}: ${request.method ?? "GET"} ${url}`);
		return { status: 404, headers: {}, body: "", ...answer(url, request) };
	};
	return { client, asked };
}

const unauthorized = (challenge: string): Answer => ({
	status: 401,
	headers: { "www-authenticate": challenge },
});

const failing = (code: string) => () => {
	throw Object.assign(new Error("it failed"), { code });
};

const head = (client: RegistryClient) =>
	client.send("/v2/me/app/blobs/x", { method: "HEAD", scopes: [SCOPE], expected: [200] });

const open = (client: ReturnType<typeof web>["client"], login?: RegistryAuth, host = "r.example") =>
	RegistryClient.open(host, login, client, signal, async () => {});

describe("a registry", () => {
	it("is the Docker Hub's by the name that it has as a server", async () => {
		const { client, asked } = web(() => ({ status: 200 }));
		await head(await open(client, undefined, "docker.io"));
		assert.deepEqual(asked, [
			"nobody: GET https://registry-1.docker.io/v2/",
			"nobody: HEAD https://registry-1.docker.io/v2/me/app/blobs/x",
		]);
	});

	it("is shown a password when it asks for one", async () => {
		const { client, asked } = web((_, { headers }) =>
			headers?.Authorization ? { status: 200 } : unauthorized('Basic realm="ECR"'),
		);
		await head(await open(client, LOGIN));
		assert.deepEqual(asked, [
			"nobody: GET https://r.example/v2/",
			"Basic bWU6czNjcmV0: HEAD https://r.example/v2/me/app/blobs/x",
		]);
	});

	it("is shown the token that the user has for it", async () => {
		const { client, asked } = web((_, { headers }) =>
			headers?.Authorization ? { status: 200 } : unauthorized(BEARER),
		);
		await head(await open(client, { registrytoken: "mine" }));
		assert.match(asked[1] ?? "", /^Bearer mine: HEAD/);
	});

	it("is shown a token of its token server, and a new one when that has run out", async () => {
		let tokens = 0;
		let revoked = false;
		const { client, asked } = web((url, { headers }) => {
			if (url.host === "auth.example") {
				tokens += 1;
				return { status: 200, body: JSON.stringify({ token: `t${tokens}`, expires_in: 300 }) };
			}
			const good = headers?.Authorization === (revoked ? "Bearer t2" : "Bearer t1");
			return good ? { status: 200 } : unauthorized(`${BEARER},error="invalid_token"`);
		});
		const registry = await open(client, LOGIN);
		await Promise.all([head(registry), head(registry)]);
		assert.equal(tokens, 1, "two at once share one");
		revoked = true;
		await Promise.all([head(registry), head(registry)]);
		assert.equal(tokens, 2);
		assert.ok(
			asked.includes(
				"Basic bWU6czNjcmV0: GET https://auth.example/token?x=1&service=the+service&scope=repository%3Ame%2Fapp%3Apull%2Cpush",
			),
		);
	});

	it("refuses for good what it refuses with a new token, too", async () => {
		const { client, asked } = web((url) =>
			url.host === "auth.example"
				? { status: 200, body: JSON.stringify({ token: "t", expires_in: 300 }) }
				: unauthorized(BEARER),
		);
		await assert.rejects(head(await open(client)), {
			message: "it answers 401 Unauthorized",
			hint: 'there is no login for r.example on this machine: run "docker login r.example", or add it to ~/.docker/config.json',
		});
		assert.equal(asked.filter((line) => line.includes(" HEAD ")).length, 2);
	});

	it("has what it names on another host asked for without the login", async () => {
		const { client, asked } = web((url, { headers }) => {
			if (url.host === "cdn.example") return { status: 200 };
			if (!headers?.Authorization) return unauthorized("Basic");
			return { status: 307, headers: { location: "https://cdn.example/x?signed=1" } };
		});
		await head(await open(client, LOGIN));
		assert.equal(asked.at(-1), "nobody: HEAD https://cdn.example/x?signed=1");
	});

	it("may not redirect without end", async () => {
		const { client } = web(() => ({ status: 307, headers: { location: "/v2/again" } }));
		await assert.rejects(head(await open(client)), { message: "too many redirects" });
	});

	it("is asked once more where it has taken a request and says nothing, and not without TLS", async () => {
		const { client, asked } = web(({ pathname }) => {
			if (pathname !== "/v2/") failing("UND_ERR_HEADERS_TIMEOUT")();
			return { status: 200 };
		});
		await assert.rejects(head(await open(client)), { message: "the connection stalled" });
		assert.equal(asked.filter((line) => line.includes(" HEAD ")).length, 2);

		const silent = web(failing("UND_ERR_HEADERS_TIMEOUT"));
		await assert.rejects(open(silent.client, undefined, "127.0.0.1:5000"), {
			message: "the connection stalled",
		});
		assert.deepEqual(silent.asked, ["nobody: GET https://127.0.0.1:5000/v2/"]);
	});

	for (const [code, reason, hint] of [
		[
			"DEPTH_ZERO_SELF_SIGNED_CERT",
			/signed by an unknown authority/,
			/\.docker\/certs\.d\/r\.example\/ca\.crt$/,
		],
		["CERT_HAS_EXPIRED", /has expired/, /renew it, or check this machine's clock/],
		["CERT_NOT_YET_VALID", /is not valid yet/, /is the clock of this machine/],
		["INVALID_PURPOSE", /is not one for servers/, /serverAuth$/],
		["ERR_SSL_WRONG_VERSION_NUMBER", /speaks plain HTTP/, /--via daemon/],
		["ENOTFOUND", /no such host/, /can it reach r\.example\? If only the box can: --via daemon/],
		["ECONNRESET", /the connection broke/, /what was pushed is not pushed again/],
	] as const) {
		it(`cannot be pushed to when there is no answer: ${code}`, async () => {
			await assert.rejects(open(web(failing(code)).client), { message: reason, hint });
		});
	}
});

describe("what a registry asks for", () => {
	it("is read from its challenges, of which that with a token counts", () => {
		assert.deepEqual(
			readChallenge([
				'Basic realm="x"',
				'Bearer realm="https://a/t",service="s, \\"t",scope="a b"',
			]),
			{ scheme: "bearer", realm: "https://a/t", service: 's, "t', scopes: ["a", "b"] },
		);
		assert.deepEqual(readChallenge('bearer service=s,realm="https://a/t", Basic realm="y"'), {
			scheme: "bearer",
			...{ realm: "https://a/t", service: "s", scopes: [] },
		});
		assert.deepEqual(readChallenge("Basic"), { scheme: "basic" });
		assert.equal(readChallenge("Negotiate"), undefined);
		assert.equal(readChallenge(undefined), undefined);
	});
});
