import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { afterEach, suite, test } from "node:test";
import { fromBinary } from "@bufbuild/protobuf";
import { serveGrpc } from "../../../src/buildkit/grpc/grpc-server.js";
import { BytesMessageSchema } from "../../../src/buildkit/proto/gen/upload_pb.js";
import { archiveUpload } from "../../../src/buildkit/upload.js";
import { ContextError } from "../../../src/errors.js";
import { answerOf, GrpcPeer } from "../../support/grpc-peer.js";
import { duplexPair } from "./duplex-pair.js";

suite("an archive that the daemon fetches from the session", () => {
	let peer: GrpcPeer;
	let url: URL;
	const failures: unknown[] = [];

	function offer(...archives: Readable[]): void {
		const [ours, theirs] = duplexPair();
		const upload = archiveUpload(() => archives.shift());
		url = new URL(upload.url);
		serveGrpc(ours, {
			methods: upload.service.methods,
			onFailure: (_, error) => failures.push(error),
		});
		peer = new GrpcPeer(theirs);
	}

	afterEach(() => peer.session.destroy());

	function pull(path: string) {
		const stream = peer.open("/moby.upload.v1.Upload/Pull", {
			urlpath: path,
			urlhost: "buildkit-session",
		});
		stream.end();
		return answerOf(stream);
	}

	test("comes in pieces, at the path that it was told", async () => {
		offer(Readable.from([Buffer.from("one"), Buffer.from("two")]));
		assert.equal(url.host, "buildkit-session");
		const { status, responses } = await pull(url.pathname);
		assert.equal(status, "0");
		assert.deepEqual(
			responses.map((bytes) => Buffer.from(fromBinary(BytesMessageSchema, bytes).data).toString()),
			["one", "two"],
		);
	});

	test("is given anew to a daemon that has lost it, as long as it can be read", async () => {
		offer(Readable.from([Buffer.from("one")]), Readable.from([Buffer.from("one")]));
		assert.equal((await pull("/etc/passwd")).status, "5");
		for (let fetched = 0; fetched < 2; fetched++) {
			const { status, responses } = await pull(url.pathname);
			assert.equal(status, "0");
			assert.equal(responses.length, 1);
		}
		const { status, message } = await pull(url.pathname);
		assert.equal(status, "5");
		assert.match(message ?? "", /^the build context was lost on the box/);
	});

	test("ends with the reason why it cannot be read to its end", async () => {
		offer(
			new Readable({
				read() {
					this.destroy(new ContextError("standard input broke off"));
				},
			}),
		);
		const { status, message } = await pull(url.pathname);
		assert.deepEqual([status, message], ["2", "standard input broke off"]);
		assert.deepEqual(failures, []);
	});
});
