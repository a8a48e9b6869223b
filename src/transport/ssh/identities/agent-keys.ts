import type { ChildProcess } from "node:child_process";
import { connect, Socket } from "node:net";
import { Duplex } from "node:stream";
import type { BaseAgent, ParsedKey } from "ssh2";
import { WINDOWS_AGENT } from "../config/ssh-option-values.js";
import type { Ssh2 } from "./identities.js";

/** An agent that takes longer to name its keys is gone on without; ssh itself would wait for ever. */
const AGENT_TIMEOUT_MS = 5_000;

export interface AgentKeys {
	readonly keys: readonly { readonly key: ParsedKey; readonly agent: BaseAgent }[];
	/** Why there are none, for people. */
	readonly problem?: string;
	/** It took the connection and said nothing. */
	readonly hangs?: boolean;
	/** Which one, for people, where it is not the one that was named. */
	readonly place?: string;
}

/** The keys that an agent holds, as far as ssh2 can use them. */
export async function listAgentKeys(
	socket: string,
	connectTimeoutMs: number,
	ssh2: Ssh2,
): Promise<AgentKeys> {
	const timeoutMs = Math.min(AGENT_TIMEOUT_MS, connectTimeoutMs);
	const listed = await list(ssh2.createAgent(socket), timeoutMs, ssh2);
	if (socket !== WINDOWS_AGENT || listed.problem === undefined) return listed;
	const ofPageant = await list(ssh2.createAgent("pageant"), timeoutMs, ssh2);
	if (ofPageant.hangs) return { ...ofPageant, place: "Pageant" };
	return ofPageant.problem === undefined ? ofPageant : listed;
}

function list(agent: BaseAgent, timeoutMs: number, { utils }: Ssh2): Promise<AgentKeys> {
	const closeStreams = watchStreams(agent);
	return new Promise((resolve) => {
		const timer = setTimeout(() => {
			closeStreams();
			resolve({ keys: [], problem: `no answer within ${timeoutMs / 1000} s`, hangs: true });
		}, timeoutMs);
		agent.getIdentities((error, found = []) => {
			clearTimeout(timer);
			if (error) {
				resolve({ keys: [], problem: "it does not answer" });
				return;
			}
			const keys = found.map((each) => utils.parseKey(each as ParsedKey) as ParsedKey);
			resolve({ keys: keys.map((key) => ({ key, agent: onlyKey(agent, key) })) });
		});
	});
}

/** Keeps an agent that says nothing from keeping the process alive; ssh2 waits for it for ever. */
function watchStreams(agent: BaseAgent): () => void {
	const streams = new Set<Duplex>();
	const getStream = agent.getStream?.bind(agent);
	if (getStream !== undefined) {
		agent.getStream = (done) =>
			getStream((error, stream) => {
				if (stream instanceof Socket) streams.add(stream.unref());
				else if (stream instanceof Duplex) streams.add(endingWithItsProgram(stream));
				done(error, stream);
			});
	}
	return () => {
		for (const stream of streams) stream.destroy();
	};
}

/**
 * The stream to Pageant starts a program for the one request that it takes. ssh2 does not notice that it ended
 * without an answer, as where Pageant refuses, and does not survive that Windows does not let it start, or that
 * it ends before it has read the request.
 */
function endingWithItsProgram(stream: Duplex & { proc?: ChildProcess }): Duplex {
	const write = stream._write.bind(stream);
	stream._write = (chunk, encoding, done) => {
		try {
			write(chunk, encoding, (error) => {
				done(error);
				if (!error) stream.push(null);
			});
			// How it ended says why.
			stream.proc?.stdin?.on("error", () => {});
		} catch (error) {
			done(error as Error);
		}
	};
	return stream;
}

/** ssh2 offers all keys of an agent at once; one at a time, they can be put in order and named. */
function onlyKey(agent: BaseAgent, key: ParsedKey): BaseAgent {
	const single: BaseAgent = Object.create(agent);
	single.getIdentities = (done) => done(undefined, [key]);
	return single;
}

/** SSH_AGENTC_REQUEST_IDENTITIES and its answer (draft-ietf-sshm-ssh-agent, section 3.5). */
const LIST_KEYS = Buffer.from([0, 0, 0, 1, 11]);
const ANSWER_LIMIT = 256 * 1024;

/**
 * The types of all keys that an agent holds, those included that ssh2 leaves out.
 * @returns none where the agent does not answer.
 */
export function listAgentKeyTypes(socket: string): Promise<readonly string[]> {
	return new Promise((resolve) => {
		let answer: Buffer = Buffer.alloc(0);
		const stream = connect(socket, () => stream.write(LIST_KEYS));
		const settle = () => {
			clearTimeout(timer);
			stream.destroy();
			resolve(keyTypesOf(answer));
		};
		const timer = setTimeout(settle, AGENT_TIMEOUT_MS);
		stream.on("error", settle).on("end", settle);
		stream.on("data", (chunk) => {
			answer = Buffer.concat([answer, chunk]);
			const isWhole = answer.length >= 4 && answer.length >= 4 + answer.readUInt32BE(0);
			if (isWhole || answer.length > ANSWER_LIMIT) settle();
		});
	});
}

/** After its length and the message's number: how many keys, and of each the key and a comment. */
function keyTypesOf(answer: Buffer): readonly string[] {
	const types: string[] = [];
	try {
		let at = 9;
		for (let left = answer.readUInt32BE(5); left > 0; left--) {
			const length = answer.readUInt32BE(at + 4);
			types.push(answer.toString("latin1", at + 8, at + 8 + length));
			at += 4 + answer.readUInt32BE(at);
			at += 4 + answer.readUInt32BE(at);
		}
	} catch {
		// It ends too early: what was read counts.
	}
	return types;
}
