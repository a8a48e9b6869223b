import { createPrivateKey, type KeyObject } from "node:crypto";
import type { ParsedKey } from "ssh2";
import type { Ssh2 } from "./identities.js";

/** What a file of a private key holds. */
type PrivateKeyReading =
	| { readonly kind: "key"; readonly key: ParsedKey }
	/** It needs a passphrase, or another one. The public key is there where the format tells it. */
	| { readonly kind: "locked"; readonly publicKey: ParsedKey | undefined }
	| { readonly kind: "unusable"; readonly reason: string };

/**
 * Reads OpenSSH's format, PEM (PKCS#1 and SEC 1, RFC 8017 and 5915), PKCS#8 (RFC 5958) and PuTTY's. ssh2
 * does not know PKCS#8, and node does not know OpenSSH's and PuTTY's.
 */
export function readPrivateKey(
	content: Buffer,
	{ utils }: Ssh2,
	passphrase?: string,
): PrivateKeyReading {
	const text = content.toString("latin1").trim();
	if (/^-----BEGIN ([A-Z]+ )?PRIVATE KEY-----/m.test(text) && !text.includes("BEGIN OPENSSH")) {
		return readPem(text, utils, passphrase);
	}
	const key = utils.parseKey(content, passphrase);
	if (!(key instanceof Error)) {
		return { kind: "key", key: Array.isArray(key) ? (key[0] as ParsedKey) : key };
	}
	const isLocked = /no passphrase given|bad passphrase/i.test(key.message);
	if (isLocked || (passphrase !== undefined && isEncrypted(text))) {
		return { kind: "locked", publicKey: publicPartOf(text, utils) };
	}
	return { kind: "unusable", reason: key.message };
}

function readPem(
	text: string,
	utils: Ssh2["utils"],
	passphrase: string | undefined,
): PrivateKeyReading {
	try {
		const key = utils.parseKey(readableText(createPrivateKey({ key: text, passphrase })));
		return key instanceof Error
			? { kind: "unusable", reason: key.message }
			: { kind: "key", key: key as ParsedKey };
	} catch (error) {
		return /ENCRYPTED/.test(text)
			? { kind: "locked", publicKey: undefined }
			: { kind: "unusable", reason: (error as Error).message };
	}
}

/** In a format that ssh2 reads. */
function readableText(key: KeyObject): string {
	switch (key.asymmetricKeyType) {
		case "rsa":
			return String(key.export({ format: "pem", type: "pkcs1" }));
		case "ec":
			return String(key.export({ format: "pem", type: "sec1" }));
		case "ed25519":
			return openSshText(key);
		default:
			throw new Error(`ssh knows no ${key.asymmetricKeyType} keys`);
	}
}

const MAGIC = "openssh-key-v1\0";

/** OpenSSH's PROTOCOL.key, without a cipher. */
function openSshText(key: KeyObject): string {
	const { x = "", d = "" } = key.export({ format: "jwk" });
	const publicHalf = Buffer.from(x, "base64url");
	const name = "ssh-ed25519";
	const secret = Buffer.concat([
		Buffer.alloc(8),
		string(name),
		string(publicHalf),
		string(Buffer.concat([Buffer.from(d, "base64url"), publicHalf])),
		string(""),
	]);
	const padding = Buffer.from([1, 2, 3, 4, 5, 6, 7]).subarray(0, (8 - (secret.length % 8)) % 8);
	const blob = Buffer.concat([
		Buffer.from(MAGIC),
		...["none", "none", ""].map(string),
		number(1),
		string(Buffer.concat([string(name), string(publicHalf)])),
		string(Buffer.concat([secret, padding])),
	]);
	const lines = blob.toString("base64").match(/.{1,70}/g) ?? [];
	return [
		"-----BEGIN OPENSSH PRIVATE KEY-----",
		...lines,
		"-----END OPENSSH PRIVATE KEY-----",
	].join("\n");
}

function string(content: string | Buffer): Buffer {
	return Buffer.concat([number(Buffer.byteLength(content)), Buffer.from(content)]);
}

function number(value: number): Buffer {
	const bytes = Buffer.alloc(4);
	bytes.writeUInt32BE(value);
	return bytes;
}

function isEncrypted(text: string): boolean {
	return blobOf(text) !== undefined || /^Encryption: aes/m.test(text);
}

function publicPartOf(text: string, utils: Ssh2["utils"]): ParsedKey | undefined {
	const publicKey = publicBlobOf(text);
	const key = publicKey && utils.parseKey(publicKey);
	return key === undefined || key instanceof Error ? undefined : (key as ParsedKey);
}

/** The type of a private key of OpenSSH's format, such as "sk-ssh-ed25519@openssh.com", also a locked one's. */
export function privateKeyType(text: string): string | undefined {
	const publicKey = publicBlobOf(text.trim());
	return publicKey?.toString("latin1", 4, 4 + publicKey.readUInt32BE(0));
}

/** OpenSSH's format keeps the public key in the clear: cipher, kdf, kdf's options, number of keys, key. */
function publicBlobOf(text: string): Buffer | undefined {
	const blob = blobOf(text);
	if (blob === undefined) return undefined;
	let at = MAGIC.length;
	try {
		for (let skipped = 0; skipped < 3; skipped++) at += 4 + blob.readUInt32BE(at);
		at += 4;
		const key = blob.subarray(at + 4, at + 4 + blob.readUInt32BE(at));
		return key.length < 4 ? undefined : key;
	} catch {
		return undefined;
	}
}

function blobOf(text: string): Buffer | undefined {
	const lines = /^-----BEGIN OPENSSH PRIVATE KEY-----([^-]*)-----END/.exec(text)?.[1];
	const blob = lines === undefined ? undefined : Buffer.from(lines, "base64");
	return blob?.toString("latin1", 0, MAGIC.length) === MAGIC ? blob : undefined;
}
