import { createHmac, randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { systemReason } from "../../../system-reason.js";
import { matchesHost } from "../config/host-pattern.js";

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

/** What the known_hosts files say of a host. */
export interface KnownKeys {
	readonly keys: readonly KnownKey[];
	/** Lines that name the host and have no whole key, and files that cannot be read; for people. */
	readonly problems: readonly string[];
}

/** The lines of these files that match the name; files that are not there have none. */
export async function findKnownKeys(files: readonly string[], name: string): Promise<KnownKeys> {
	const found = await Promise.all(files.map((file) => readKnownKeys(file, name)));
	return {
		keys: found.flatMap(({ keys }) => keys),
		problems: found.flatMap(({ problems }) => problems),
	};
}

async function readKnownKeys(file: string, name: string): Promise<KnownKeys> {
	try {
		return knownKeysIn(await readFile(file, "utf8"), file, name);
	} catch (error) {
		const { code } = error as NodeJS.ErrnoException;
		const problems = code === "ENOENT" ? [] : [`${file} cannot be read (${systemReason(error)})`];
		return { keys: [], problems };
	}
}

export function knownKeysIn(text: string, file: string, name: string): KnownKeys {
	const keys: KnownKey[] = [];
	const problems: string[] = [];
	for (const [index, content] of text.split(/\r?\n/).entries()) {
		const known = parseLine(content);
		if (known === undefined || !hostsMatch(known.hosts, name)) continue;
		const line = index + 1;
		const { marker, keyType, key } = known;
		if (key === undefined) problems.push(`${file}:${line} is malformed`);
		else keys.push({ marker, keyType, key, file, line });
	}
	return { keys, problems };
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

interface KnownLine extends Pick<KnownKey, "marker" | "keyType"> {
	readonly hosts: string;
	/** Absent where the line is not whole, or not true. */
	readonly key: Buffer | undefined;
}

function parseLine(line: string): KnownLine | undefined {
	const fields = line.trim().split(/[ \t]+/);
	const marker = fields[0]?.startsWith("@") ? fields.shift() : undefined;
	const [hosts, keyType = "", base64 = ""] = fields;
	if (!hosts || hosts.startsWith("#")) return undefined;
	const name = MARKERS.find((each) => marker === `@${each}`);
	const key = Buffer.from(base64, "base64");
	const isWhole = keyType !== "" && keyTypeOf(key) === keyType && (name !== undefined || !marker);
	return { marker: name, hosts, keyType, key: isWhole ? key : undefined };
}

const MARKERS = ["revoked", "cert-authority"] as const;

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
