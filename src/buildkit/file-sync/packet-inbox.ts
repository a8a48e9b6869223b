import { fromBinary } from "@bufbuild/protobuf";
import { EngineError } from "../../errors.js";
import { type Packet, PacketSchema } from "../proto/gen/fsutil_pb.js";
import { PACKET } from "./packet-writer.js";

/**
 * What the daemon says during a transfer, read as it comes: nothing that is sent meanwhile holds it up.
 * What it asks for is remembered as numbers, each file once, so that this takes little memory.
 */
export class PacketInbox {
	/** The daemon has all it wants. */
	finished = false;
	/** Why there will be no more. */
	failure: unknown;
	/** The file that was asked for last. */
	lastRequested = 0;
	readonly #isOffered: (id: number) => boolean;
	#requested: number[] = [];
	#wake: (() => void) | undefined;

	/**
	 * @param packets each a serialized Packet
	 * @param isOffered whether the content of this file may be asked for; asked once for each request
	 */
	constructor(packets: AsyncIterable<Uint8Array>, isOffered: (id: number) => boolean) {
		this.#isOffered = isOffered;
		void this.#readAll(packets);
	}

	/** The files that were asked for since the last time. */
	takeRequests(): readonly number[] {
		const requested = this.#requested;
		this.#requested = [];
		return requested;
	}

	/** Resolves when there is something new, be it an end. */
	async news(): Promise<void> {
		if (this.finished || this.failure !== undefined || this.#requested.length > 0) return;
		await new Promise<void>((resolve) => {
			this.#wake = resolve;
		});
	}

	async #readAll(packets: AsyncIterable<Uint8Array>): Promise<void> {
		try {
			for await (const bytes of packets) {
				this.#read(decode(bytes));
				this.#wake?.();
				if (this.finished) return;
			}
			throw new DaemonSideError("the daemon ended the file transfer too early");
		} catch (error) {
			this.failure = error;
			this.#wake?.();
		}
	}

	#read({ type, id, data }: Packet): void {
		switch (type) {
			case PACKET.request:
				if (!this.#isOffered(id)) {
					throw new EngineError(`the daemon asked for file ${id}, which was not offered to it`);
				}
				this.#requested.push(id);
				this.lastRequested = id;
				break;
			case PACKET.fin:
				this.finished = true;
				break;
			case PACKET.error:
				throw new DaemonSideError(Buffer.from(data).toString("utf8"));
			default:
				throw new EngineError(`the daemon sent a packet of type ${type} in a file transfer`);
		}
	}
}

/** The daemon gave up. It says why in the output of the build. */
export class DaemonSideError extends Error {}

function decode(bytes: Uint8Array): Packet {
	try {
		return fromBinary(PacketSchema, bytes);
	} catch (cause) {
		throw new EngineError("the daemon sent something that is no packet of a file transfer", {
			cause,
		});
	}
}
