import type { Client } from "ssh2";
import type { StreamCompression } from "../../stream-compression.js";
import { CompressionWork, DeflatedPackets } from "./deflated-packets.js";
import { RawDeflate } from "./raw-deflate.js";

/** The parts of ssh2 1.17 that are not in its types. */
interface Internals {
	readonly _protocol?: Protocol;
}

interface Protocol {
	_offer?: Offer;
	readonly _packetRW?: { write: PacketWriter };
	/** There while keys are exchanged: other packets are then kept as their payloads. */
	readonly _kexinit?: unknown;
	readonly _cipher?: { allocPacket(payloadLength: number): Buffer };
}

/** What the client says first of itself (RFC 4253, 7.1). */
interface Offer {
	readonly lists?: OfferedLists & {
		readonly kex?: OfferedList;
		readonly serverHostKey?: OfferedList;
	};
}

interface OfferedLists {
	readonly cs?: Readonly<Record<string, OfferedList>>;
	readonly sc?: Readonly<Record<string, OfferedList>>;
}

interface OfferedList {
	readonly array?: readonly string[];
}

/** Where a packet's payload is written to, and what becomes of it. */
interface PacketWriter {
	/** Where the payload begins in what alloc() gives. */
	allocStart: number;
	/** The same for packets of the key exchange. */
	readonly allocStartKEX: number;
	alloc(payloadLength: number, isKeyExchange?: boolean): Buffer;
	finalize(packet: Buffer, isKeyExchange?: boolean): Buffer;
	cleanup(): void;
}

/** Of what allocPacket() gives: the length of the packet and that of its padding. */
const PACKET_HEADER_BYTES = 5;

/** More than any server takes at once (OpenSSH: 32 KiB of a channel's data). */
const LONGEST_PACKET = 64 * 1024;

/**
 * ssh's own compression, of what is sent only and only when it pays: a list of 20,000 files becomes a fifth
 * of itself, while files go as they are, or compressed by whoever knows better. As OpenSSH's client has it
 * (zlib@openssh.com, in every sshd unless `Compression no`), it would be all or nothing, in both directions.
 *
 * Reaches into ssh2, where there is no public way: if it is not found as expected, nothing is compressed.
 */
export class OutgoingCompression {
	/** Of the stream that goes out now; absent as long as nothing may be compressed. */
	#packets: DeflatedPackets | undefined;
	readonly #wishes = new Set<{ level: number }>();
	readonly #work = new CompressionWork();

	/** To be called right after connect(), before the server's version is read. */
	constructor(client: Client) {
		const protocol = (client as unknown as Internals)._protocol;
		const packetRW = protocol?._packetRW;
		const offer = protocol?._offer && withCompression(protocol._offer);
		const deflate = RawDeflate.open(LONGEST_PACKET);
		if (!protocol || !packetRW || !offer || !deflate) return;
		protocol._offer = offer;
		let writer = packetRW.write;
		Object.defineProperty(packetRW, "write", {
			get: () => writer,
			// After the login, and after each exchange of keys: then a new stream begins.
			set: (next: PacketWriter) => {
				writer = "_zlib" in next ? this.#writerInPlaceOf(next, protocol, deflate) : next;
			},
		});
	}

	/** Until it is disposed of, what is sent may be compressed. */
	hold(): StreamCompression {
		const wish = { level: 0 };
		this.#wishes.add(wish);
		const isPossible = () => this.#packets !== undefined;
		const tell = () => this.#tell();
		return {
			work: this.#work,
			takeSaved: (most) => this.#work.takeSaved(most),
			get isPossible() {
				return isPossible();
			},
			get level() {
				return wish.level;
			},
			set level(level) {
				wish.level = level;
				tell();
			},
			[Symbol.dispose]: () => {
				this.#wishes.delete(wish);
				tell();
			},
		};
	}

	#tell(): void {
		if (this.#packets === undefined) return;
		this.#packets.level = Math.max(0, ...Array.from(this.#wishes, ({ level }) => level));
	}

	#writerInPlaceOf(
		zlibWriter: PacketWriter,
		protocol: Protocol,
		deflate: RawDeflate,
	): PacketWriter {
		zlibWriter.cleanup();
		deflate.forget();
		this.#packets = new DeflatedPackets(deflate, this.#work);
		this.#tell();
		return new DeflatingWriter(protocol, this.#packets);
	}
}

class DeflatingWriter implements PacketWriter {
	allocStart = 0;
	readonly allocStartKEX = 0;
	readonly #protocol: Protocol;
	readonly #packets: DeflatedPackets;

	constructor(protocol: Protocol, packets: DeflatedPackets) {
		this.#protocol = protocol;
		this.#packets = packets;
	}

	alloc(payloadLength: number): Buffer {
		return Buffer.allocUnsafe(payloadLength);
	}

	finalize(payload: Buffer, isKeyExchange = false): Buffer {
		const { _cipher: cipher, _kexinit: exchange } = this.#protocol;
		if (cipher === undefined || (exchange !== undefined && !isKeyExchange)) return payload;
		return this.#packets.write(
			payload,
			(length) => cipher.allocPacket(length),
			PACKET_HEADER_BYTES,
		);
	}

	cleanup(): void {}
}

/** The same offer, with compression of what the client sends. */
function withCompression(offer: Offer): Offer | undefined {
	const { kex, serverHostKey, cs, sc } = offer.lists ?? {};
	const Constructor = offer.constructor as new (lists: unknown) => Offer;
	if (!kex?.array || !serverHostKey?.array || !cs || !sc || Constructor === Object)
		return undefined;
	return new Constructor({
		kex: kex.array,
		serverHostKey: serverHostKey.array,
		cs: { ...arrays(cs), compress: ["zlib@openssh.com", "none"] },
		sc: { ...arrays(sc), compress: ["none"] },
	});
}

function arrays(lists: Readonly<Record<string, OfferedList>>): Record<string, readonly string[]> {
	return Object.fromEntries(Object.entries(lists).map(([name, { array = [] }]) => [name, array]));
}
