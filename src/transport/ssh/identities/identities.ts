import { createHash } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import type { BaseAgent, ParsedKey } from "ssh2";
import type { Environment, Prompt } from "../../../environment.js";
import type { Emit } from "../../../events.js";
import { systemReason } from "../../../system-reason.js";
import type { SshSettings } from "../config/ssh-settings.js";
import { type AgentKeys, listAgentKeys } from "./agent-keys.js";
import { usesKeychain } from "./keychain.js";
import { LockedKey } from "./locked-key.js";
import { readPrivateKey } from "./private-key.js";

/** A key that may be offered to the server. */
export type Identity = {
	/** For people: the file's path, or the agent's comment, with type and fingerprint. */
	readonly label: string;
} & (
	| { readonly kind: "agent"; readonly key: ParsedKey; readonly agent: BaseAgent }
	| { readonly kind: "file"; readonly key: ParsedKey }
	| { readonly kind: "locked"; readonly locked: LockedKey }
);

export interface Identities {
	readonly offered: readonly Identity[];
	/** Keys that exist and cannot be used, each with the reason, for people. */
	readonly skipped: readonly string[];
}

/** What ssh2 hands out; the module is loaded only when an ssh target is used. */
export type Ssh2 = typeof import("ssh2");

interface IdentitySources {
	readonly settings: SshSettings;
	readonly ssh2: Ssh2;
	/** For passphrases; absent where nobody can be asked. */
	readonly prompt: Prompt | undefined;
	/** Hears of an agent that hangs. */
	readonly emit: Emit;
	readonly signal: AbortSignal;
}

/**
 * Collects the user's keys in the order in which OpenSSH offers them: those of the configured files
 * that the agent holds, the agent's others (unless IdentitiesOnly), then files with a private key.
 */
export async function collectIdentities(sources: IdentitySources): Promise<Identities> {
	const { settings, ssh2, emit } = sources;
	const { agentSocket, connectTimeoutMs } = settings;
	const [agent, files] = await Promise.all([
		agentSocket === undefined ? NO_AGENT : listAgentKeys(agentSocket, connectTimeoutMs, ssh2),
		Promise.all(settings.identityFiles.map((path) => readIdentityFile(path, sources))),
	]);
	const skipped: string[] = [];
	const agentPlace = agent.place ?? `at ${agentSocket}`;
	if (agent.problem !== undefined) skipped.push(`the agent ${agentPlace} (${agent.problem})`);
	if (agent.hangs) {
		emit({
			type: "warning",
			message: `the ssh agent ${agentPlace} does not answer: continuing without its keys`,
			hint: "restart it, or set IdentityAgent none in ~/.ssh/config",
		});
	}

	const heldOf = ({ publicKey }: IdentityFile) =>
		agent.keys.find((each) => publicKey && sameKey(each.key, publicKey));
	const isAnyLocked = files.some((file) => file.isLocked && heldOf(file) === undefined);
	const keychain = isAnyLocked && (await usesKeychain(settings, sources.signal));

	const configured: Identity[] = [];
	const fromFiles: Identity[] = [];
	const left = new Set(agent.keys);
	for (const file of files) {
		const held = heldOf(file);
		if (held !== undefined) {
			configured.push(agentIdentity(held));
			left.delete(held);
		} else if (file.privateKey !== undefined) {
			const label = describeKey(file.path, file.privateKey);
			fromFiles.push({ kind: "file", label, key: file.privateKey });
		} else if (file.problem !== undefined) {
			skipped.push(`${file.path} (${file.problem})`);
		} else if (file.isLocked) {
			fromFiles.push(
				lockedIdentity(new LockedKey(file.path, file.publicKey, { ...sources, keychain })),
			);
		}
	}
	const others = settings.identitiesOnly ? [] : [...left].map(agentIdentity);
	return { offered: [...configured, ...others, ...fromFiles], skipped };
}

const NO_AGENT: AgentKeys = { keys: [] };

/** "SHA256:" and base64 without padding, as ssh-keygen -l prints it. */
export function fingerprint(publicKey: Buffer): string {
	return `SHA256:${createHash("sha256").update(publicKey).digest("base64").replace(/=+$/, "")}`;
}

function agentIdentity({ key, agent }: AgentKeys["keys"][number]): Identity {
	const name = key.comment ? `agent key ${key.comment}` : "agent key";
	return { kind: "agent", label: describeKey(name, key), key, agent };
}

function lockedIdentity(locked: LockedKey): Identity {
	const { path, publicKey } = locked;
	const label = publicKey === undefined ? path : describeKey(path, publicKey);
	return { kind: "locked", label, locked };
}

interface IdentityFile {
	readonly path: string;
	readonly privateKey?: ParsedKey;
	readonly publicKey?: ParsedKey | undefined;
	readonly isLocked?: boolean;
	readonly problem?: string;
}

async function readIdentityFile(
	path: string,
	{ settings, ssh2 }: IdentitySources,
): Promise<IdentityFile> {
	const [content, publicContent] = await Promise.all([
		readFile(path).catch((error: NodeJS.ErrnoException) => error),
		readFile(`${path}.pub`).catch(() => undefined),
	]);
	const publicKey = publicContent && parsePublicKey(publicContent, ssh2);
	if (content instanceof Error) {
		const problem =
			content.code === "ENOENT" ? undefined : `cannot be read: ${systemReason(content)}`;
		return { path, publicKey, ...(problem && { problem }) };
	}
	const asPublic = parsePublicKey(content, ssh2);
	if (asPublic !== undefined) {
		const problem = "is a public key, and no agent holds its private key";
		return { path, publicKey: asPublic, problem };
	}
	const openTo = await opennessOf(path, settings.environment);
	if (openTo !== undefined) return { path, publicKey, problem: openTo };
	const reading = readPrivateKey(content, ssh2);
	switch (reading.kind) {
		case "key":
			return { path, privateKey: reading.key, publicKey: reading.key };
		case "locked":
			return { path, publicKey: reading.publicKey ?? publicKey, isLocked: true };
		case "unusable":
			return { path, publicKey, problem: "is not a key that rbuild can use" };
	}
}

/** As OpenSSH (sshkey_perm_ok): the user's own file, if it has anything for group and others. */
async function opennessOf(
	path: string,
	{ platform, userId }: Environment,
): Promise<string | undefined> {
	// It has no numbers of users, nor modes.
	if (platform === "win32") return undefined;
	const { mode, uid } = await stat(path);
	const isOwn = uid === (userId ?? uid);
	return isOwn && (mode & 0o077) !== 0
		? `its permissions 0${(mode & 0o777).toString(8)} are too open; run: chmod 600 ${path}`
		: undefined;
}

/** A private key without a passphrase is none of this. */
function parsePublicKey(content: Buffer, { utils }: Ssh2): ParsedKey | undefined {
	const key = utils.parseKey(content);
	const first = Array.isArray(key) ? (key[0] as ParsedKey) : key;
	return first instanceof Error || first.isPrivateKey() ? undefined : first;
}

function sameKey(one: ParsedKey, other: ParsedKey): boolean {
	return one.getPublicSSH().equals(other.getPublicSSH());
}

function describeKey(name: string, key: ParsedKey): string {
	return `${name} (${key.type} ${fingerprint(key.getPublicSSH())})`;
}
