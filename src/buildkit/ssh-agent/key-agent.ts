import { createPrivateKey, type KeyObject, sign } from "node:crypto";
import type { ParsedKey } from "ssh2";
import { AGENT_MESSAGE, AgentFields, NotAgentProtocol, withLength } from "./agent-messages.js";
import type { SshAgent } from "./ssh-agent.js";

/** A private key that steps may have something signed with. */
export interface AgentKey {
	/** Such as "ssh-ed25519". */
	readonly type: string;
	/** As in RFC 4253, section 6.6. */
	readonly publicKey: Buffer;
	readonly privateKey: KeyObject;
	readonly comment: string;
}

/** What may be asked of an RSA key by flags of the request: RFC 8332, and SHA-1 without any. */
const RSA_SHA2_256 = 2;
const RSA_SHA2_512 = 4;

const CURVE_HASHES: Readonly<Record<string, string>> = {
	"ecdsa-sha2-nistp256": "sha256",
	"ecdsa-sha2-nistp384": "sha384",
	"ecdsa-sha2-nistp521": "sha512",
};

/** A private key of a type that may be signed with; undefined for any other key. */
export function agentKey(key: ParsedKey): AgentKey | undefined {
	const isKnown = key.type === "ssh-ed25519" || key.type === "ssh-rsa" || key.type in CURVE_HASHES;
	if (!isKnown || !key.isPrivateKey()) return undefined;
	try {
		const privateKey = createPrivateKey(key.getPrivatePEM());
		return { type: key.type, publicKey: key.getPublicSSH(), privateKey, comment: key.comment };
	} catch {
		// A broken key: what OpenSSL says of it helps nobody.
		return undefined;
	}
}

/** An agent that lives in this process, for the time of a build. */
export function keyAgent(keys: readonly AgentKey[]): SshAgent {
	return {
		async open() {
			return {
				ask: async (request) => answer(request, keys),
				[Symbol.dispose]() {},
			};
		},
	};
}

function answer(request: Buffer, keys: readonly AgentKey[]): Uint8Array {
	if (request[0] === AGENT_MESSAGE.requestIdentities) return identities(keys);
	const fields = new AgentFields(request.subarray(1));
	const publicKey = fields.string();
	const data = fields.string();
	const flags = fields.number();
	const key = keys.find((each) => each.publicKey.equals(publicKey));
	return key === undefined ? Uint8Array.of(AGENT_MESSAGE.failure) : signed(key, data, flags);
}

function identities(keys: readonly AgentKey[]): Uint8Array {
	const count = Buffer.alloc(4);
	count.writeUInt32BE(keys.length);
	const fields = keys.flatMap(({ publicKey, comment }) => [
		withLength(publicKey),
		withLength(Buffer.from(comment)),
	]);
	return Buffer.concat([Uint8Array.of(AGENT_MESSAGE.identitiesAnswer), count, ...fields]);
}

function signed({ type, privateKey }: AgentKey, data: Buffer, flags: number): Uint8Array {
	const { format, hash } = signatureOf(type, flags);
	// ECDSA as two numbers of equal length, from which SSH's form is easily made (RFC 5656, 3.1.2).
	const raw = sign(hash, data, { key: privateKey, dsaEncoding: "ieee-p1363" });
	const half = raw.length / 2;
	const blob = type.startsWith("ecdsa-")
		? Buffer.concat([positive(raw.subarray(0, half)), positive(raw.subarray(half))].map(withLength))
		: raw;
	const signature = Buffer.concat([withLength(Buffer.from(format)), withLength(blob)]);
	return Buffer.concat([Uint8Array.of(AGENT_MESSAGE.signResponse), withLength(signature)]);
}

function signatureOf(type: string, flags: number): { format: string; hash: string | null } {
	if (type === "ssh-ed25519") return { format: type, hash: null };
	if (type !== "ssh-rsa") return { format: type, hash: CURVE_HASHES[type] ?? unsupported(type) };
	if (flags & RSA_SHA2_512) return { format: "rsa-sha2-512", hash: "sha512" };
	if (flags & RSA_SHA2_256) return { format: "rsa-sha2-256", hash: "sha256" };
	return { format: type, hash: "sha1" };
}

function unsupported(type: string): never {
	throw new NotAgentProtocol(`no signature with ${type}`);
}

/** An "mpint" of RFC 4251, section 5: no zeros in front but one that keeps it positive. */
function positive(bytes: Buffer): Buffer {
	let start = 0;
	while (start < bytes.length - 1 && bytes[start] === 0) start += 1;
	const number = bytes.subarray(start);
	return (number[0] ?? 0) & 0x80 ? Buffer.concat([Uint8Array.of(0), number]) : number;
}
