import { GRPC_STATUS, GrpcError } from "../grpc/grpc-status.js";
import type { ForwardedAgent } from "./agent-forward.js";
import {
	AGENT_MESSAGE,
	NotAgentProtocol,
	readAgentMessages,
	withLength,
} from "./agent-messages.js";

/** Something that holds keys. */
export interface SshAgent {
	/** For one process that talks to it. */
	open(signal: AbortSignal): Promise<AgentConversation>;
}

interface AgentConversation extends Disposable {
	/** @param request a message without its length, as is the answer */
	ask(request: Buffer): Promise<Uint8Array>;
}

const ALLOWED: readonly (number | undefined)[] = [
	AGENT_MESSAGE.requestIdentities,
	AGENT_MESSAGE.signRequest,
];

const FAILURE = Uint8Array.of(AGENT_MESSAGE.failure);

/**
 * Lets a build step see which keys there are and have something signed, and nothing else: the agent
 * is the user's own, and a step must not add keys to it, take them away or lock it. Extensions are
 * refused, too; OpenSSH's client goes on without them.
 */
export function onlyListAndSign(agent: SshAgent): ForwardedAgent {
	return {
		async *serve(incoming, signal) {
			using conversation = await agent.open(signal);
			try {
				for await (const request of readAgentMessages(incoming)) {
					const allowed = ALLOWED.includes(request[0]);
					yield withLength(allowed ? await conversation.ask(request) : FAILURE);
				}
			} catch (error) {
				if (!(error instanceof NotAgentProtocol)) throw error;
				throw new GrpcError(
					GRPC_STATUS.invalidArgument,
					`a build step sent the ssh agent something else than its protocol: ${error.message}`,
				);
			}
		},
	};
}
