import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { serveGrpc } from "../../../src/buildkit/grpc/grpc-server.js";
import { type ReadSecret, secretsService } from "../../../src/buildkit/secrets.js";
import { UsageError } from "../../../src/errors.js";
import { frame, GrpcPeer } from "../../support/grpc-peer.js";
import { duplexPair } from "./duplex-pair.js";

const GET_SECRET = "/moby.buildkit.secrets.v1.Secrets/GetSecret";

async function ask(read: ReadSecret, id: string) {
	const [ours, theirs] = duplexPair();
	const failures: unknown[] = [];
	const { methods } = secretsService(read);
	const server = serveGrpc(ours, { methods, onFailure: (_, error) => failures.push(error) });
	const request = Buffer.from(`\n${String.fromCharCode(id.length)}${id}`);
	const answer = await new GrpcPeer(theirs).call(GET_SECRET, frame(request));
	server.close();
	await server.closed;
	return { ...answer, failures };
}

describe("the secrets of a session", () => {
	it("are given byte for byte, and may be empty", async () => {
		const bytes = Buffer.from([0, 255, 10]);
		const { responses } = await ask(async () => bytes, "a");
		assert.deepEqual(responses, [Buffer.concat([Buffer.from([10, 3]), bytes])]);
		const empty = await ask(async () => Buffer.alloc(0), "a");
		assert.deepEqual([empty.status, empty.responses.length], ["0", 1]);
	});

	it("are not found by an id that was not given, which is no failure: it may be optional", async () => {
		const { status, message, failures } = await ask(async () => undefined, "b");
		assert.deepEqual([status, message, failures], ["5", 'no secret "b" was given', []]);
	});

	it("that cannot be read any more are a failure on this side", async () => {
		const failure = new UsageError('secret "a": cannot read /a: EACCES');
		const { status, message, failures } = await ask(() => Promise.reject(failure), "a");
		assert.deepEqual([status, message, failures], ["2", failure.message, [failure]]);
	});
});
