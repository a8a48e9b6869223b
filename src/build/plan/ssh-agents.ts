import type { Stats } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { resolve } from "node:path";
import { DEFAULT_AGENT, type ForwardedAgent } from "../../buildkit/ssh-agent/agent-forward.js";
import { type AgentKey, agentKey, keyAgent } from "../../buildkit/ssh-agent/key-agent.js";
import { countKeys, rawSocket, socketAgent } from "../../buildkit/ssh-agent/socket-agent.js";
import { onlyListAndSign } from "../../buildkit/ssh-agent/ssh-agent.js";
import type { Environment } from "../../environment.js";
import { UsageError } from "../../errors.js";
import type { Run } from "../../events.js";
import { systemReason } from "../../system-reason.js";
import { userAgent } from "../../transport/ssh/config/ssh-option-values.js";
import { readPrivateKey } from "../../transport/ssh/identities/private-key.js";
import type { SshOption } from "./options.js";

const WINDOWS_PIPE = /^[\\/]{2}[^\\/]+[\\/]+pipe[\\/]+/;

/** No key is larger, in bytes. */
const KEY_FILE_LIMIT = 100 * 1024;

/**
 * Makes ready what `RUN --mount=type=ssh` may reach, by ids: agents have been asked for their keys,
 * key files have been read. An id that is given twice is taken as it was given last, as in buildx.
 *
 * @throws UsageError
 */
export async function openAgents(
	options: readonly SshOption[],
	environment: Environment,
	run: Run,
): Promise<ReadonlyMap<string, ForwardedAgent>> {
	const byId = new Map(options.map((option) => [option.id || DEFAULT_AGENT, option]));
	const agents = new Map<string, ForwardedAgent>();
	for (const [id, option] of byId) agents.set(id, await open(id, option, environment, run));
	return agents;
}

async function open(
	id: string,
	{ paths = [], raw = false }: SshOption,
	environment: Environment,
	run: Run,
): Promise<ForwardedAgent> {
	if (raw && paths.length !== 1) throw noSocket(id, "raw=true needs exactly one socket");
	const given = paths.length === 0 ? [agentOf(id, environment)] : paths;
	const source = paths.length === 0 ? `--ssh ${id} (SSH_AUTH_SOCK)` : `--ssh ${id}`;
	const keys: AgentKey[] = [];
	for (const path of given.map((path) => absolute(path, environment))) {
		if (await isSocket(source, path, environment)) {
			if (given.length > 1) throw noSocket(id, "a socket cannot be combined with other paths");
			return openSocket(id, path, raw, run);
		}
		if (raw) throw noSocket(id, `${path} is not a socket, as raw=true needs it`);
		keys.push(await readKey(source, path));
	}
	return onlyListAndSign(keyAgent(keys));
}

async function openSocket(
	id: string,
	path: string,
	raw: boolean,
	{ emit, signal }: Run,
): Promise<ForwardedAgent> {
	if (raw) return rawSocket(path);
	if ((await countKeys(path, signal)) === 0) {
		emit({
			type: "warning",
			message: `the ssh agent of --ssh ${id} has no keys`,
			hint: "add one with ssh-add, or name its file: --ssh default=FILE",
		});
	}
	return onlyListAndSign(socketAgent(path));
}

function agentOf(id: string, environment: Environment): string {
	const path = userAgent(environment);
	if (path !== undefined) return path;
	throw new UsageError(`--ssh ${id} needs an ssh agent, and SSH_AUTH_SOCK is not set`, {
		hint: `start one (eval "$(ssh-agent)" && ssh-add), or name a key file: --ssh ${id}=FILE`,
	});
}

function absolute(path: string, { workingDirectory }: Environment): string {
	return WINDOWS_PIPE.test(path) ? path : resolve(workingDirectory, path);
}

async function isSocket(source: string, path: string, { platform }: Environment): Promise<boolean> {
	if (platform === "win32" && WINDOWS_PIPE.test(path)) return true;
	let found: Stats;
	try {
		found = await stat(path);
	} catch (error) {
		throw unreadable(source, path, error);
	}
	return found.isSocket();
}

async function readKey(source: string, path: string): Promise<AgentKey> {
	const content = await readKeyFile(source, path);
	const { default: ssh2 } = await import("ssh2");
	const reading = readPrivateKey(content, ssh2);
	if (reading.kind === "locked") throw noKey(source, path, "encrypted");
	const parsed = reading.kind === "key" ? reading.key : undefined;
	if (parsed?.isPrivateKey() === false) throw noKey(source, path, "public");
	const key = parsed && agentKey(parsed);
	if (key === undefined) throw noKey(source, path, "unknown");
	return { ...key, comment: key.comment || path };
}

async function readKeyFile(source: string, path: string): Promise<Buffer> {
	try {
		const { size } = await stat(path);
		return size > KEY_FILE_LIMIT ? Buffer.alloc(0) : await readFile(path);
	} catch (error) {
		throw unreadable(source, path, error);
	}
}

function unreadable(source: string, path: string, error: unknown): UsageError {
	const { code } = error as NodeJS.ErrnoException;
	const reason =
		code === "ENOENT" ? "it does not exist" : `it cannot be read: ${systemReason(error)}`;
	return new UsageError(`${source}: ${path} is neither an agent's socket nor a key: ${reason}`, {
		hint: "name the socket of an ssh agent or a private key",
	});
}

type KeyProblem = "encrypted" | "public" | "unknown";

const KEY_PROBLEMS: Readonly<Record<KeyProblem, readonly [reason: string, hint: string]>> = {
	encrypted: ["the key has a passphrase", "add it to an agent with ssh-add, and use --ssh default"],
	public: ["that is a public key", "name the private one, without .pub"],
	unknown: [
		"it is neither an agent's socket nor a private key",
		"RSA, ECDSA and Ed25519 keys are read, in each format of ssh-keygen",
	],
};

function noKey(source: string, path: string, problem: KeyProblem): UsageError {
	const [reason, hint] = KEY_PROBLEMS[problem];
	return new UsageError(`${source}: cannot use ${path}: ${reason}`, { hint });
}

function noSocket(id: string, reason: string): UsageError {
	return new UsageError(`--ssh ${id}: ${reason}`, {
		hint: `write it as --ssh ${id}=SOCKET or --ssh ${id}=KEY,KEY`,
	});
}
