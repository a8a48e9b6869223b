import assert from "node:assert/strict";
import type { ClientHttp2Stream } from "node:http2";
import { posix } from "node:path";
import type { TestContext } from "node:test";
import { gunzipSync } from "node:zlib";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { CopyProgress } from "../../../../src/buildkit/file-sync/diff-copy.js";
import {
	type FileSyncOptions,
	fileSyncService,
} from "../../../../src/buildkit/file-sync/file-sync.js";
import { serveGrpc } from "../../../../src/buildkit/grpc/grpc-server.js";
import { healthService } from "../../../../src/buildkit/health.js";
import {
	type Packet,
	PacketSchema,
	type Stat,
} from "../../../../src/buildkit/proto/gen/fsutil_pb.js";
import type { SelectableDirectory } from "../../../../src/context/entries/context-selection.js";
import type { RbuildError } from "../../../../src/errors.js";
import { noCompression } from "../../../../src/transport/stream-compression.js";
import { type Answer, answerOf, frame, GrpcPeer } from "../../../support/grpc-peer.js";
import { duplexPair } from "../duplex-pair.js";

export const DIFF_COPY = "/moby.filesync.v1.FileSync/DiffCopy";
export const TYPE = { stat: 0, request: 1, data: 2, fin: 3, error: 4 } as const;

const GO_DIRECTORY = 2 ** 31;
const GO_NOT_REGULAR = 2 ** 31 + 2 ** 27 + 2 ** 26 + 2 ** 25 + 2 ** 24 + 2 ** 21 + 2 ** 19;

/** A daemon's end of a session that offers one directory as "context". */
export class Daemon {
	readonly peer: GrpcPeer;
	readonly failures: RbuildError[] = [];
	readonly warnings: unknown[] = [];
	readonly news: string[] = [];
	readonly sentFiles: [path: string, bytes: number][] = [];
	sent: CopyProgress = {
		offeredFiles: 0,
		offeredBytes: 0,
		files: 0,
		bytes: 0,
		sentBytes: 0,
		savedBytes: 0,
	};

	constructor(test: TestContext, directory: SelectableDirectory) {
		const [ours, theirs] = duplexPair();
		const options: FileSyncOptions = {
			directories: new Map([["context", directory]]),
			isFar: true,
			compressStream: noCompression,
			onTransfer: () => ({
				progress: (sent) => {
					this.sent = sent;
				},
				sentFile: (path, bytes) => this.sentFiles.push([path, bytes]),
				done: () => this.news.push("done"),
				failed: (error) => this.failures.push(error),
			}),
		};
		const server = serveGrpc(ours, {
			methods: [...healthService().methods, ...fileSyncService(options).methods],
			onFailure: (_path, error) => this.warnings.push(error),
		});
		this.peer = new GrpcPeer(theirs);
		test.after(() => server.close());
	}

	open(headers: Record<string, string | string[]> = {}) {
		const stream = this.peer.open(DIFF_COPY, { "dir-name": "context", ...headers });
		// A gRPC client has nothing more to say after the status.
		stream.on("trailers", () => stream.end());
		stream.on("response", (answer) => answer["grpc-status"] && stream.end());
		return stream;
	}

	/** Asks for everything that the filter lets through, and for the content of what is wanted. */
	async receive(
		headers: Record<string, string | string[]> = {},
		wants: (stat: Stat) => boolean = () => true,
	): Promise<Received> {
		const stream = this.open(headers);
		const answer = answerOf(stream);
		const order = new OrderCheck();
		const stats: Stat[] = [];
		const pending = new Map<number, Buffer[]>();
		const contents = new Map<string, string>();
		let complete = false;
		const finishIfDone = () => {
			if (complete && pending.size === 0) stream.write(packet({ type: TYPE.fin }));
		};
		for await (const bytes of messagesOf(stream)) {
			const { type, stat, id, data } = fromBinary(PacketSchema, bytes);
			if (type === TYPE.stat && stat !== undefined) {
				order.check(stat);
				if (isRequestable(stat) && wants(stat)) {
					pending.set(stats.length, []);
					stream.write(packet({ type: TYPE.request, id: stats.length }));
				}
				stats.push(stat);
			} else if (type === TYPE.stat) {
				complete = true;
				finishIfDone();
			} else if (type === TYPE.data && data.length > 0) {
				(pending.get(id) ?? assert.fail("nobody asked for it")).push(Buffer.from(data));
			} else if (type === TYPE.data) {
				const parts = pending.get(id) ?? assert.fail("nobody asked for it");
				contents.set(stats[id]?.path ?? "", Buffer.concat(parts).toString("latin1"));
				pending.delete(id);
				finishIfDone();
			} else if (type === TYPE.error) {
				return { stats, contents, error: Buffer.from(data).toString(), answer: await answer };
			} else {
				assert.equal(type, TYPE.fin);
			}
		}
		return { stats, contents, error: undefined, answer: await answer };
	}
}

/** The messages of an answer, those that are compressed unpacked, if the answer has said by what. */
async function* messagesOf(stream: ClientHttp2Stream): AsyncGenerator<Uint8Array> {
	let encoding: unknown;
	stream.once("response", (headers) => {
		encoding = headers["grpc-encoding"];
	});
	let buffered = Buffer.alloc(0);
	for await (const chunk of stream.iterator({ destroyOnReturn: false })) {
		buffered = Buffer.concat([buffered, chunk]);
		while (buffered.length >= 5 && buffered.length >= 5 + buffered.readUInt32BE(1)) {
			const end = 5 + buffered.readUInt32BE(1);
			const message = buffered.subarray(5, end);
			if (buffered[0] === 1) assert.equal(encoding, "gzip");
			yield buffered[0] === 1 ? gunzipSync(message) : message;
			buffered = buffered.subarray(end);
		}
	}
	assert.equal(buffered.length, 0);
}

export interface Received {
	readonly stats: readonly Stat[];
	/** By path, a character for each byte. */
	readonly contents: ReadonlyMap<string, string>;
	/** Of an error packet. */
	readonly error: string | undefined;
	readonly answer: Answer;
}

export function packet(fields: Partial<Pick<Packet, "type" | "id" | "data">>): Buffer {
	return frame(toBinary(PacketSchema, create(PacketSchema, fields)));
}

function isRequestable({ mode, linkname }: Stat): boolean {
	return (mode & GO_NOT_REGULAR) === 0 && linkname === "";
}

/** What fsutil's receiver checks of the stats that come in: validator.go and hardlinks.go. */
class OrderCheck {
	readonly #directories = [{ path: "", last: "" }];
	readonly #files = new Set<string>();

	check({ path, mode, linkname }: Stat): void {
		assert.equal(path, posix.normalize(path), "unclean path");
		assert.ok(!posix.isAbsolute(path) && !/^\.\.(\/|$)/.test(path), "path leads out");
		const parent = posix.dirname(path) === "." ? "" : posix.dirname(path);
		const name = posix.basename(path);
		while (this.#directories.length > 1 && this.#directories.at(-1)?.path !== parent) {
			this.#directories.pop();
		}
		const directory = this.#directories.at(-1) ?? assert.fail();
		assert.equal(directory.path, parent, `changes out of order: ${path}`);
		const isLater = Buffer.compare(Buffer.from(directory.last), Buffer.from(name)) < 0;
		assert.ok(isLater, `changes out of order: ${path} after ${directory.last}`);
		directory.last = name;
		if (mode >= GO_DIRECTORY) this.#directories.push({ path, last: "" });
		if (mode >= GO_DIRECTORY || (mode & (2 ** 27)) !== 0) return;
		if (linkname === "") this.#files.add(path);
		else assert.ok(this.#files.has(linkname), `invalid link ${path} to unknown path ${linkname}`);
	}
}
