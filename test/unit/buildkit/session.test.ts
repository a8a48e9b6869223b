import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { authService, type FindLogin } from "../../../src/buildkit/auth.js";
import { newSessionId, openSession, type SessionOptions } from "../../../src/buildkit/session.js";
import type { Engine, EngineRequest } from "../../../src/engine/engine.js";
import { UsageError } from "../../../src/errors.js";
import type { BuildEvent } from "../../../src/events.js";
import { frame, GrpcPeer } from "../../support/grpc-peer.js";
import { NO_TOKENS } from "../../support/token-source.js";
import { duplexPair } from "./duplex-pair.js";

const AUTH = "/moby.filesync.v1.Auth";
const CREDENTIALS = `${AUTH}/Credentials`;

const authOf = (findLogin: FindLogin) => authService(findLogin, NO_TOKENS);

/** A daemon that takes POST /session and is the gRPC client on it. */
async function open(options: Omit<SessionOptions, "id">, signal = new AbortController().signal) {
	const [ours, theirs] = duplexPair();
	const requests: (EngineRequest & { protocol: string })[] = [];
	const engine = {
		async hijack(request: EngineRequest & { protocol: string }) {
			requests.push(request);
			return ours;
		},
	} as unknown as Engine;
	const events: BuildEvent[] = [];
	const run = { signal, emit: (event: BuildEvent) => void events.push(event) };
	const session = await openSession(engine, { id: "one", ...options }, run);
	return { session, peer: new GrpcPeer(theirs), events, request: requests[0], ours };
}

const hostRequest = (host: string) =>
	frame(Buffer.from(`\n${String.fromCharCode(host.length)}${host}`));

describe("a BuildKit session", () => {
	it("says which one it is and what it serves, a header for each method", async () => {
		const { session, request } = await open({
			services: [authOf(async () => undefined)],
			name: "app",
			sharedKey: "key",
		});
		assert.equal(request?.path, "/session");
		assert.equal(request?.protocol, "h2c");
		assert.deepEqual(request?.headers, {
			"X-Docker-Expose-Session-Uuid": "one",
			"X-Docker-Expose-Session-Name": "app",
			"X-Docker-Expose-Session-Sharedkey": "key",
			"X-Docker-Expose-Session-Grpc-Method": [
				"/grpc.health.v1.Health/Check",
				CREDENTIALS,
				...["GetTokenAuthority", "VerifyTokenAuthority", "FetchToken"].map(
					(name) => `${AUTH}/${name}`,
				),
			],
		});
		await session[Symbol.asyncDispose]();
	});

	it("has the name of any folder, in UTF-8 and without what no header may hold", async () => {
		for (const [name, header] of [
			["grün", "gr\u00c3\u00bcn"],
			["日本", "\u00e6\u0097\u00a5\u00e6\u009c\u00ac"],
			["new\nline\0\x7f", "newline"],
		] as const) {
			const { session, request } = await open({ services: [], name });
			assert.equal(request?.headers?.["X-Docker-Expose-Session-Name"], header);
			await session[Symbol.asyncDispose]();
		}
	});

	it("can have an id of its own each time", () => {
		const ids = [newSessionId(), newSessionId()];
		for (const id of ids) assert.match(id, /^[0-9a-f]{32}$/);
		assert.equal(new Set(ids).size, 2);
	});

	it("gives the login for the very host that the daemon asks for", async () => {
		const asked: string[] = [];
		const { session, peer } = await open({
			services: [
				authOf(async (host) => {
					asked.push(host);
					return host === "ghcr.io" ? { username: "me", secret: "pw" } : undefined;
				}),
			],
		});
		const known = await peer.call(CREDENTIALS, hostRequest("ghcr.io"));
		assert.deepEqual(String(known.responses[0]), "\n\x02me\x12\x02pw");
		const unknown = await peer.call(CREDENTIALS, hostRequest("docker.io"));
		assert.deepEqual(
			[unknown.status, unknown.responses[0]?.length],
			["0", 0],
			"no login, no error",
		);
		assert.deepEqual(asked, ["ghcr.io", "docker.io"]);
		await session[Symbol.asyncDispose]();
	});

	it("warns when it cannot answer", async () => {
		const { session, peer, events } = await open({
			services: [
				authOf(async () => {
					throw new UsageError("docker-credential-x is not installed", { hint: "install it" });
				}),
			],
		});
		await peer.call(CREDENTIALS, hostRequest("ghcr.io"));
		assert.deepEqual(events, [
			{
				type: "warning",
				message: `the daemon asked for ${CREDENTIALS}, and that failed: docker-credential-x is not installed`,
				hint: "install it",
			},
		]);
		await session[Symbol.asyncDispose]();
	});

	it("warns of a bug without the bug's own words", async () => {
		const { session, peer, events } = await open({
			services: [
				authOf(async () => {
					throw new TypeError("pw=hunter2");
				}),
			],
		});
		await peer.call(CREDENTIALS, hostRequest("ghcr.io"));
		assert.deepEqual(events, [
			{
				type: "warning",
				message: `the daemon asked for ${CREDENTIALS}, and that failed: TypeError in rbuild`,
			},
		]);
		await session[Symbol.asyncDispose]();
	});

	it("closes the connection when it is disposed of", async () => {
		const { session, ours } = await open({ services: [] });
		await session[Symbol.asyncDispose]();
		await session.closed;
		assert.equal(ours.destroyed, true);
	});

	it("is closed when the daemon ends it", async () => {
		const { session, peer } = await open({ services: [] });
		peer.session.close();
		await session.closed;
	});

	it("ends with the run", async () => {
		const controller = new AbortController();
		const { session, ours } = await open({ services: [] }, controller.signal);
		controller.abort();
		await session.closed;
		assert.equal(ours.destroyed, true);
	});

	it("ends at once when the run was stopped while it was opened", async () => {
		const { session } = await open({ services: [] }, AbortSignal.abort());
		await session.closed;
	});
});
