import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { BaseAgent, ParsedKey } from "ssh2";
import type { SshSettings } from "./ssh-settings.js";

/** A key that may be offered to the server. */
export interface Identity {
	/** For people: the file's path, or the agent's comment, with type and fingerprint. */
	readonly label: string;
	readonly key: ParsedKey;
	/** Signs with the key; absent where the file holds the private key itself. */
	readonly agent: BaseAgent | undefined;
}

export interface Identities {
	readonly offered: readonly Identity[];
	/** Keys that exist and cannot be used, each with the reason, for people. */
	readonly skipped: readonly string[];
}

/** What ssh2 hands out; the module is loaded only when an ssh target is used. */
export type Ssh2 = typeof import("ssh2");

const AGENT_TIMEOUT_MS = 5_000;

/**
 * Collects the user's keys in the order in which OpenSSH offers them: those of the configured files
 * that the agent holds, the agent's others (unless IdentitiesOnly), then files with a private key.
 * Never asks for a passphrase: an encrypted key that no agent holds is skipped and named.
 */
export async function collectIdentities(settings: SshSettings, ssh2: Ssh2): Promise<Identities> {
	const skipped: string[] = [];
	const [agentKeys, files] = await Promise.all([
		listAgentKeys(settings.agentSocket, ssh2, skipped),
		Promise.all(settings.identityFiles.map((path) => readIdentityFile(path, ssh2))),
	]);

	const configured: Identity[] = [];
	const fromFiles: Identity[] = [];
	const left = new Set(agentKeys);
	for (const file of files) {
		const held = agentKeys.find((each) => file.publicKey && sameKey(each.key, file.publicKey));
		if (held !== undefined) {
			configured.push(held);
			left.delete(held);
		} else if (file.privateKey !== undefined) {
			fromFiles.push({
				label: describeKey(file.path, file.privateKey),
				key: file.privateKey,
				agent: undefined,
			});
		} else if (file.problem !== undefined) {
			skipped.push(`${file.path} (${file.problem})`);
		}
	}
	const others = settings.identitiesOnly ? [] : left;
	return { offered: [...configured, ...others, ...fromFiles], skipped };
}

/** "SHA256:" and base64 without padding, as ssh-keygen -l prints it. */
export function fingerprint(publicKey: Buffer): string {
	return `SHA256:${createHash("sha256").update(publicKey).digest("base64").replace(/=+$/, "")}`;
}

async function listAgentKeys(
	socket: string | undefined,
	ssh2: Ssh2,
	skipped: string[],
): Promise<Identity[]> {
	if (socket === undefined) {
		return [];
	}
	const agent = ssh2.createAgent(socket);
	const keys = await new Promise<ParsedKey[] | undefined>((resolve) => {
		const timer = setTimeout(resolve, AGENT_TIMEOUT_MS, undefined);
		agent.getIdentities((error, found) => {
			clearTimeout(timer);
			resolve(error ? undefined : (found ?? []).map((each) => asParsedKey(each, ssh2)));
		});
	});
	if (keys === undefined) {
		skipped.push(`the agent at ${socket} (it does not answer)`);
		return [];
	}
	return keys.map((key) => ({
		label: describeKey(key.comment ? `agent key ${key.comment}` : "agent key", key),
		key,
		agent: onlyKey(agent, key),
	}));
}

function asParsedKey(key: unknown, ssh2: Ssh2): ParsedKey {
	return ssh2.utils.parseKey(key as ParsedKey) as ParsedKey;
}

/** ssh2 offers all keys of an agent at once; one at a time, they can be put in order and named. */
function onlyKey(agent: BaseAgent, key: ParsedKey): BaseAgent {
	const single: BaseAgent = Object.create(agent);
	single.getIdentities = (done) => done(undefined, [key]);
	return single;
}

interface IdentityFile {
	readonly path: string;
	readonly privateKey?: ParsedKey;
	readonly publicKey?: ParsedKey;
	readonly problem?: string;
}

async function readIdentityFile(path: string, ssh2: Ssh2): Promise<IdentityFile> {
	const [content, publicContent] = await Promise.all([
		readFile(path).catch((error: NodeJS.ErrnoException) => error),
		readFile(`${path}.pub`).catch(() => undefined),
	]);
	const publicFile = publicContent && parseKey(publicContent, ssh2);
	const publicKey = publicFile instanceof Error ? undefined : publicFile;
	if (content instanceof Error) {
		const problem = content.code === "ENOENT" ? undefined : `cannot be read: ${content.code}`;
		return { path, ...(publicKey && { publicKey }), ...(problem && { problem }) };
	}
	const key = parseKey(content, ssh2);
	if (key instanceof Error) {
		const problem = /encrypted|passphrase/i.test(key.message)
			? "has a passphrase, and no agent holds it"
			: "is not a key that rbuild can use";
		return { path, ...(publicKey && { publicKey }), problem };
	}
	if (!key.isPrivateKey()) {
		return { path, publicKey: key, problem: "is a public key, and no agent holds its private key" };
	}
	return { path, privateKey: key, publicKey: key };
}

function parseKey(content: Buffer, { utils }: Ssh2): ParsedKey | Error {
	const key = utils.parseKey(content);
	// A file in OpenSSH's newer format may hold several keys; nothing writes more than one.
	return Array.isArray(key) ? (key[0] as ParsedKey) : key;
}

function sameKey(one: ParsedKey, other: ParsedKey): boolean {
	return one.getPublicSSH().equals(other.getPublicSSH());
}

function describeKey(name: string, key: ParsedKey): string {
	return `${name} (${key.type} ${fingerprint(key.getPublicSSH())})`;
}
