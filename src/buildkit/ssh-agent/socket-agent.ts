import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { UsageError } from "../../errors.js";
import { systemReason } from "../../system-reason.js";
import type { ForwardedAgent } from "./agent-forward.js";
import { AGENT_MESSAGE, AgentFields, readAgentMessages, withLength } from "./agent-messages.js";
import type { SshAgent } from "./ssh-agent.js";

/** How long an agent may take to list its keys, in milliseconds; nobody has to confirm that. */
const LIST_TIMEOUT = 5_000;

/**
 * The agent behind a unix socket or, on Windows, a named pipe; a connection for each conversation.
 * What cannot be reached is a UsageError.
 */
export function socketAgent(path: string): SshAgent {
	return {
		async open(signal) {
			const socket = await connectTo(path, signal);
			const answers = readAgentMessages(socket);
			return {
				async ask(request) {
					try {
						socket.write(withLength(request));
						const { value } = await answers.next();
						if (value !== undefined) return value;
					} catch (error) {
						throw gone(path, error);
					}
					throw gone(path);
				},
				[Symbol.dispose]: () => void socket.destroy(),
			};
		},
	};
}

/** A socket whose bytes are nobody's but its owner's: `raw=true`. */
export function rawSocket(path: string): ForwardedAgent {
	return {
		async *serve(incoming, signal) {
			const socket = await connectTo(path, signal);
			send(incoming, socket).catch(() => void socket.destroy());
			try {
				for await (const chunk of socket) yield chunk;
			} catch (error) {
				throw gone(path, error);
			} finally {
				socket.destroy();
			}
		},
	};
}

/**
 * How many keys an agent holds.
 * @throws UsageError when it cannot be reached, or is no agent
 */
export async function countKeys(path: string, signal: AbortSignal): Promise<number> {
	const limited = AbortSignal.any([signal, AbortSignal.timeout(LIST_TIMEOUT)]);
	using conversation = await socketAgent(path).open(limited);
	const answer = Buffer.from(
		await conversation.ask(Buffer.of(AGENT_MESSAGE.requestIdentities)).catch(() => []),
	);
	if (answer[0] !== AGENT_MESSAGE.identitiesAnswer || answer.length < 5) {
		throw new UsageError(`${path} is a socket, but no ssh agent answers on it`, {
			hint: "is it that of the agent? Try: ssh-add -l",
		});
	}
	return new AgentFields(answer.subarray(1)).number();
}

/** @throws UsageError */
async function connectTo(path: string, signal: AbortSignal): Promise<Socket> {
	const socket = connect({ path, allowHalfOpen: true });
	const abort = () => void socket.destroy(new Error("aborted"));
	signal.addEventListener("abort", abort, { once: true });
	socket.once("close", () => signal.removeEventListener("abort", abort));
	try {
		await once(socket, "connect", { signal });
	} catch (error) {
		socket.on("error", () => {}).destroy();
		throw gone(path, error);
	}
	// Who reads or writes hears of it there.
	socket.on("error", () => {});
	return socket;
}

async function send(incoming: AsyncIterable<Uint8Array>, socket: Socket): Promise<void> {
	for await (const bytes of incoming) {
		if (!socket.write(bytes) && !socket.destroyed) await once(socket, "drain");
	}
	socket.end();
}

function gone(path: string, cause?: unknown): UsageError {
	const reason = cause === undefined ? "it hung up" : systemReason(cause);
	return new UsageError(`the ssh agent at ${path} does not answer: ${reason}`, {
		hint: "does it still run? Try: ssh-add -l",
		cause,
	});
}
