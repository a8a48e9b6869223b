import assert from "node:assert/strict";
import { createPublicKey, randomBytes, verify } from "node:crypto";
import { describe, it } from "node:test";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { authService, type TokenSource } from "../../../src/buildkit/auth.js";
import { serveGrpc } from "../../../src/buildkit/grpc/grpc-server.js";
import * as auth from "../../../src/buildkit/proto/gen/auth_pb.js";
import { DeliveryError } from "../../../src/errors.js";
import { frame, GrpcPeer } from "../../support/grpc-peer.js";
import { duplexPair } from "./duplex-pair.js";

const SERVICE = "/moby.filesync.v1.Auth";

/** Makes one call and takes its answer apart. */
async function call(source: TokenSource, method: string, request: Uint8Array) {
	const [ours, theirs] = duplexPair();
	const failures: unknown[] = [];
	const { methods } = authService(async () => undefined, source);
	const server = serveGrpc(ours, { methods, onFailure: (_, error) => failures.push(error) });
	const peer = new GrpcPeer(theirs);
	const { status, message, responses } = await peer.call(`${SERVICE}/${method}`, frame(request));
	server.close();
	await server.closed;
	return { status, message, response: responses[0] ?? Buffer.alloc(0), failures };
}

function source(parts: Partial<TokenSource>): TokenSource {
	const unwanted = () => assert.fail("not wanted");
	return { seedFor: unwanted, fetch: unwanted, ...parts };
}

const withSeed = (seed: string) => source({ seedFor: async () => Buffer.from(seed) });

async function publicKey(seed: string, salt: string): Promise<Buffer> {
	const request = toBinary(
		auth.GetTokenAuthorityRequestSchema,
		create(auth.GetTokenAuthorityRequestSchema, { host: "ghcr.io", salt: Buffer.from(salt) }),
	);
	const { response } = await call(withSeed(seed), "GetTokenAuthority", request);
	return Buffer.from(fromBinary(auth.GetTokenAuthorityResponseSchema, response).publicKey);
}

describe("registry tokens for BuildKit", () => {
	it("stand under a key that is the same for the same machine and daemon, and for no other", async () => {
		const key = await publicKey("seed", "salt");
		assert.equal(key.length, 32);
		assert.deepEqual(await publicKey("seed", "salt"), key);
		assert.notDeepEqual(await publicKey("other", "salt"), key);
		assert.notDeepEqual(await publicKey("seed", "other"), key);
	});

	it("are proved to be of this machine by NaCl's signature", async () => {
		const payload = randomBytes(32);
		const request = toBinary(
			auth.VerifyTokenAuthorityRequestSchema,
			create(auth.VerifyTokenAuthorityRequestSchema, {
				host: "ghcr.io",
				salt: Buffer.from("salt"),
				payload,
			}),
		);
		const { response } = await call(withSeed("seed"), "VerifyTokenAuthority", request);
		const signed = fromBinary(auth.VerifyTokenAuthorityResponseSchema, response).signed;
		assert.deepEqual(Buffer.from(signed.subarray(64)), payload);
		const x = (await publicKey("seed", "salt")).toString("base64url");
		const key = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
		assert.ok(verify(null, payload, key, signed.subarray(0, 64)));
	});

	it("are left to the daemon, in the status that it takes for that, where there are none here", async () => {
		const none = source({ seedFor: async () => undefined });
		const { status, failures } = await call(none, "GetTokenAuthority", Buffer.from("\n\x01x"));
		assert.deepEqual([status, failures], ["14", []]);
	});

	it("are fetched for what the registry's challenge names", async () => {
		const wanted = {
			host: "ghcr.io",
			realm: "https://ghcr.io/token",
			service: "ghcr.io",
			scopes: ["repository:me/app:pull", "repository:me/base:pull"],
		};
		const request = toBinary(
			auth.FetchTokenRequestSchema,
			create(auth.FetchTokenRequestSchema, { ...wanted, clientId: "buildkit-client" }),
		);
		const fetch = source({
			async fetch(asked) {
				assert.deepEqual(asked, wanted);
				return { token: "t0ken", expiresIn: 300.5, issuedAt: 1_700_000_000 };
			},
		});
		const { response } = await call(fetch, "FetchToken", request);
		const { token, expiresIn, issuedAt } = fromBinary(auth.FetchTokenResponseSchema, response);
		assert.deepEqual([token, expiresIn, issuedAt], ["t0ken", 300n, 1_700_000_000n]);
	});

	it("tell the daemon alone why there is none, as the build ends with that", async () => {
		const fetch = source({
			async fetch() {
				throw new DeliveryError("no token for x: it does not accept the login");
			},
		});
		const { status, message, failures } = await call(fetch, "FetchToken", Buffer.alloc(0));
		assert.deepEqual([status, message], ["16", "no token for x: it does not accept the login"]);
		assert.deepEqual(failures, []);
	});
});
