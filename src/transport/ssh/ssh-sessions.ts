import { setTimeout } from "node:timers/promises";
import type { ClientChannel } from "ssh2";
import type { ChannelSocket, FailureOfExit } from "../channel-socket.js";
import { ChannelRefusal, type RemoteCommand } from "./remote-host.js";
import { SessionGate } from "./session-gate.js";

/** Below sshd's default of MaxSessions 10, so that a session of ours never meets a refusal. */
const MAX_SESSIONS = 8;
/** For a server to notice that a session, which has just been closed, is free again. */
const SESSION_FREED_MS = 50;
const SESSION_TRIES = 5;

/** What a connection does for its sessions. */
interface SessionStarter {
	/** @throws ChannelRefusal */
	start(command: string, signal: AbortSignal): Promise<ClientChannel>;
	streamOf(channel: ClientChannel, failureOf?: FailureOfExit): ChannelSocket;
}

/** The commands that run over one connection (RFC 4254, section 6). */
export class SshSessions {
	readonly #starter: SessionStarter;
	readonly #gate = new SessionGate(MAX_SESSIONS);
	#limited = false;
	#hadSession = false;

	constructor(starter: SessionStarter) {
		this.#starter = starter;
	}

	/** Whether the server allows fewer sessions at a time than is usual. */
	get isLimited(): boolean {
		return this.#limited;
	}

	/**
	 * Waits for its turn: sshd allows no more than MaxSessions at a time, which does not count channels to
	 * sockets. It frees a session only after both sides have closed it.
	 */
	async exec(command: string, signal: AbortSignal): Promise<RemoteCommand> {
		for (let refusals = 0; ; ) {
			const attempt = await this.#startSession(command, signal);
			if (attempt.command !== undefined) return attempt.command;
			if (attempt.others > 0) continue;
			if (!this.#hadSession || refusals++ === SESSION_TRIES) throw attempt.refusal;
			await setTimeout(SESSION_FREED_MS);
		}
	}

	/** @returns undefined where the server has no session free just now. */
	async execNow(command: string, signal: AbortSignal): Promise<RemoteCommand | undefined> {
		if (this.#gate.isFull) return undefined;
		const attempt = await this.#startSession(command, signal);
		if (attempt.command !== undefined) return attempt.command;
		return attempt.others > 0 ? undefined : await this.exec(command, signal);
	}

	async #startSession(command: string, signal: AbortSignal): Promise<SessionAttempt> {
		const place = await this.#gate.enter(signal);
		try {
			const channel = await this.#starter.start(command, signal);
			this.#hadSession = true;
			channel.once("close", () => place.leave());
			return {
				command: { channel, stream: (failureOf) => this.#starter.streamOf(channel, failureOf) },
			};
		} catch (error) {
			if (!(error instanceof ChannelRefusal)) {
				place.leave();
				throw error;
			}
			const others = place.refused();
			this.#limited ||= others > 0;
			return { command: undefined, others, refusal: error };
		}
	}
}

type SessionAttempt =
	| { readonly command: RemoteCommand }
	| {
			readonly command: undefined;
			/** The sessions that are open on the connection. */
			readonly others: number;
			readonly refusal: ChannelRefusal;
	  };
