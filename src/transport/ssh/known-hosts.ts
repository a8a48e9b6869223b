import { createHmac, randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { matchesHost } from "./host-pattern.js";

/** One line of a known_hosts file (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT) that names a host. */
export interface KnownKey {
	readonly marker: "revoked" | "cert-authority" | undefined;
	/** Such as "ssh-ed25519". */
	readonly keyType: string;
	/** The public key as it is on the wire. */
	readonly key: Buffer;
	readonly file: string;
	/** From 1. */
	readonly line: number;
}

/** The lines of these files that match one of the names; files that cannot be read have none. */
export async function findKnownKeys(
	files: readonly string[],
	names: readonly string[],
): Promise<KnownKey[]> {
	const texts = await Promise.all(files.map((file) => readFile(file, "utf8").catch(() => "")));
	return texts.flatMap((text, index) => knownKeysIn(text, files[index] ?? "", names));
}

export function knownKeysIn(text: string, file: string, names: readonly string[]): KnownKey[] {
	return text.split(/\r?\n/).flatMap((line, index) => {
		const known = parseLine(line);
		if (known === undefined || !names.some((name) => hostsMatch(known.hosts, name))) {
			return [];
		}
		const { marker, keyType, key } = known;
		return [{ marker, keyType, key, file, line: index + 1 }];
	});
}

/** The form of a host in known_hosts: bare on port 22, else "[host]:port". */
export function knownHostName(host: string, port: number): string {
	return port === 22 ? host.toLowerCase() : `[${host.toLowerCase()}]:${port}`;
}

/** A new line for known_hosts, without its line break. */
export function knownHostLine(name: string, key: Buffer, hashed: boolean): string {
	return `${hashed ? hashName(name, randomBytes(20)) : name} ${keyTypeOf(key)} ${key.toString("base64")}`;
}

/** The key type is the first string of a public key on the wire (RFC 4253, section 6.6). */
export function keyTypeOf(key: Buffer): string {
	return key.length < 4 ? "" : key.toString("latin1", 4, 4 + key.readUInt32BE(0));
}

function parseLine(line: string) {
	const fields = line.trim().split(/[ \t]+/);
	const marker = fields[0]?.startsWith("@") ? fields.shift() : undefined;
	const [hosts, keyType, base64] = fields;
	if (!hosts || hosts.startsWith("#") || keyType === undefined || base64 === undefined) {
		return undefined;
	}
	if (marker !== undefined && marker !== "@revoked" && marker !== "@cert-authority") {
		return undefined;
	}
	const key = Buffer.from(base64, "base64");
	if (keyTypeOf(key) !== keyType) {
		return undefined;
	}
	return { marker: marker?.slice(1) as KnownKey["marker"], hosts, keyType, key };
}

function hostsMatch(hosts: string, name: string): boolean {
	if (hosts.startsWith("|1|")) {
		return hosts === hashName(name, Buffer.from(hosts.split("|")[2] ?? "", "base64"));
	}
	return matchesHost(name, hosts.split(","));
}

/** ssh-keygen -H's form: "|1|", a salt, and the HMAC-SHA1 of the name under it. */
function hashName(name: string, salt: Buffer): string {
	const hash = createHmac("sha1", salt).update(name).digest("base64");
	return `|1|${salt.toString("base64")}|${hash}`;
}
