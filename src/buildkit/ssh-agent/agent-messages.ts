/** Message numbers of the ssh agent protocol (draft-ietf-sshm-ssh-agent, section 6.1). */
export const AGENT_MESSAGE = {
	failure: 5,
	requestIdentities: 11,
	identitiesAnswer: 12,
	signRequest: 13,
	signResponse: 14,
} as const;

/** The longest message that OpenSSH takes (AGENT_MAX_LEN in its ssh-agent.c), in bytes. */
const MESSAGE_LIMIT = 256 * 1024;

const LENGTH_BYTES = 4;

/** What was sent is not the ssh agent protocol. */
export class NotAgentProtocol extends Error {}

/**
 * Cuts bytes into the messages of the agent protocol, each given without its length.
 * @throws NotAgentProtocol
 */
export async function* readAgentMessages(
	chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<Buffer, void, undefined> {
	let rest = Buffer.alloc(0);
	for await (const chunk of chunks) {
		rest = Buffer.concat([rest, chunk]);
		for (let length = lengthOf(rest); length !== undefined; length = lengthOf(rest)) {
			const end = LENGTH_BYTES + length;
			if (rest.length < end) break;
			yield rest.subarray(LENGTH_BYTES, end);
			rest = rest.subarray(end);
		}
	}
	if (rest.length > 0) throw new NotAgentProtocol("the end of a message is missing");
}

function lengthOf(bytes: Buffer): number | undefined {
	if (bytes.length < LENGTH_BYTES) return undefined;
	const length = bytes.readUInt32BE();
	if (length > 0 && length <= MESSAGE_LIMIT) return length;
	throw new NotAgentProtocol(`a message of ${length} bytes`);
}

/** With its length in front, as it goes over the wire. Strings of the protocol look the same. */
export function withLength(bytes: Uint8Array): Buffer {
	const length = Buffer.alloc(LENGTH_BYTES);
	length.writeUInt32BE(bytes.length);
	return Buffer.concat([length, bytes]);
}

/** Strings that stand one after the other, and the number that may follow them. */
export class AgentFields {
	readonly #bytes: Buffer;
	#at = 0;

	constructor(bytes: Buffer) {
		this.#bytes = bytes;
	}

	/** @throws NotAgentProtocol */
	string(): Buffer {
		const start = this.#at + LENGTH_BYTES;
		const end = start + this.number();
		if (end > this.#bytes.length) throw new NotAgentProtocol("a string is longer than its message");
		this.#at = end;
		return this.#bytes.subarray(start, end);
	}

	/** @throws NotAgentProtocol */
	number(): number {
		if (this.#at + LENGTH_BYTES > this.#bytes.length) {
			throw new NotAgentProtocol("a number is missing");
		}
		const number = this.#bytes.readUInt32BE(this.#at);
		this.#at += LENGTH_BYTES;
		return number;
	}
}
