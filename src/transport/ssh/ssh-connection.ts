import { Socket } from "node:net";
import { setTimeout } from "node:timers/promises";
import type { Client, ClientChannel } from "ssh2";
import { ConnectionError } from "../../errors.js";
import type { Emit } from "../../events.js";
import { ChannelSocket, type FailureOfExit } from "../channel-socket.js";
import { addressOf, interrupted } from "../connect-socket.js";
import type { LoopbackPort, WireCounts } from "../transport.js";
import { Authentication } from "./authentication.js";
import { type HostKeyJudge, HostKeyPolicy } from "./host-key-policy.js";
import { collectIdentities } from "./identities.js";
import { Login } from "./login.js";
import { NeedsSystemSsh } from "./needs-system-ssh.js";
import { OutgoingCompression } from "./outgoing-compression.js";
import { ChannelRefusal, type RemoteCommand } from "./remote-host.js";
import { forwardFromServer } from "./reverse-forward.js";
import { SessionGate } from "./session-gate.js";
import { SILENCE_SECONDS, watchSilence } from "./silence-watch.js";
import { type Hop, openLink, placeOf, type SshLink, wayOf } from "./ssh-link.js";
import type { SshSettings } from "./ssh-settings.js";
import { userQuestions } from "./user-questions.js";

/** Below sshd's default of MaxSessions 10, so that a session of ours never meets a refusal. */
const MAX_SESSIONS = 8;
/** For a server to notice that a session, which has just been closed, is free again. */
const SESSION_FREED_MS = 50;
const SESSION_TRIES = 5;

/** One authenticated ssh connection, over which many channels run. */
export class SshConnection implements Hop {
	/** For messages, such as "x86box (192.168.31.100:22)". */
	readonly place: string;
	readonly user: string;
	readonly compression: Pick<OutgoingCompression, "hold">;
	readonly #client: Client;
	readonly #link: SshLink;
	readonly #sockets = new Set<ChannelSocket>();
	readonly #sessions = new SessionGate(MAX_SESSIONS);
	readonly #endWatch: () => void;
	#limited = false;
	#hadSession = false;
	#lost: ConnectionError | undefined;
	#reason = "the connection was closed";

	/**
	 * @param judge of the host key; that of the known_hosts files where absent
	 * @throws ConnectionError, UsageError, InterruptedError
	 */
	static async open(
		settings: SshSettings,
		signal: AbortSignal,
		emit: Emit,
		whileWaiting: () => void,
		judge?: HostKeyJudge,
	): Promise<SshConnection> {
		const place = placeOf(settings);
		const { onlySsh } = settings;
		if (onlySsh !== undefined) throw new NeedsSystemSsh(`"${onlySsh}"`, place, "protocol");
		const linking = openLink(settings, signal, (hop) =>
			SshConnection.open(hop, signal, emit, () => {}),
		);
		linking.then(
			({ stream }) => {
				const detail = stream instanceof Socket ? addressOf(stream) : wayOf(settings);
				emit({ type: "reach", place, step: "tcp", detail });
			},
			() => {},
		);
		// Loaded only now: it takes some 50 ms, which the first round trip hides.
		const loading = import("ssh2");
		const prompt = settings.batchMode ? undefined : userQuestions(settings.environment);
		const identities = loading.then(({ default: ssh2 }) =>
			collectIdentities({ settings, ssh2, prompt, emit, signal }),
		);
		identities.catch(() => {});
		const [link, policy, { default: ssh2 }] = await settledTogether([
			linking,
			judge ?? HostKeyPolicy.load(settings, place, emit),
			loading,
		]);
		const client = new ssh2.Client();
		// There is always one more error than listeners: ssh2 may report several for one cause.
		client.on("error", () => {});
		const authentication = new Authentication({ settings, identities, prompt, signal });
		const socket = link.stream;
		const login = new Login({ client, socket, settings, place, policy, authentication, emit });
		const loggingIn = login.run(signal);
		const compression = new OutgoingCompression(client);
		whileWaiting();
		try {
			await loggingIn;
		} catch (error) {
			await link.close();
			const reason = authentication.exhausted && (await authentication.whySystemSsh());
			if (reason) throw new NeedsSystemSsh(reason, place, "not-authenticated", error);
			throw withComplaint(error, link);
		}
		return new SshConnection(place, settings, client, link, compression);
	}

	private constructor(
		place: string,
		settings: SshSettings,
		client: Client,
		link: SshLink,
		compression: OutgoingCompression,
	) {
		this.place = place;
		this.user = settings.user;
		this.compression = compression;
		this.#client = client;
		this.#link = link;
		const socket = link.stream;
		// Every channel that is being written to waits for it to drain.
		socket.setMaxListeners(0);
		client.on("error", (error) => {
			this.#reason = error.message;
		});
		client.on("close", () => this.#fail());
		const seconds = silenceSeconds(settings);
		this.#endWatch = watchSilence(
			() => socket.bytesRead,
			() => {
				this.#reason = `no answer for ${seconds} s`;
				socket.destroy();
			},
			seconds,
		);
	}

	get wire(): WireCounts {
		return this.#link.wire();
	}

	/** A channel to a port that the server can reach ("direct-tcpip", RFC 4254, section 7.2). */
	async forward(host: string, port: number, signal: AbortSignal): Promise<ChannelSocket> {
		const channel = await this.#open(signal, (done) =>
			this.#client.forwardOut("127.0.0.1", 0, host, port, done),
		);
		return this.#socketOf(channel);
	}

	/** Whether the server allows fewer sessions at a time than is usual. */
	get isLimited(): boolean {
		return this.#limited;
	}

	/** "direct-streamlocal@openssh.com", OpenSSH 6.7 */
	async openStreamLocal(socketPath: string, signal: AbortSignal): Promise<ChannelSocket> {
		const channel = await this.#open(signal, (done) =>
			this.#client.openssh_forwardOutStreamLocal(socketPath, done),
		);
		return this.#socketOf(channel);
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
		if (this.#sessions.isFull) return undefined;
		const attempt = await this.#startSession(command, signal);
		if (attempt.command !== undefined) return attempt.command;
		return attempt.others > 0 ? undefined : await this.exec(command, signal);
	}

	async #startSession(command: string, signal: AbortSignal): Promise<SessionAttempt> {
		const place = await this.#sessions.enter(signal);
		try {
			const channel = await this.#open(signal, (done) => this.#client.exec(command, done));
			this.#hadSession = true;
			channel.once("close", () => place.leave());
			return {
				command: { channel, stream: (failureOf) => this.#socketOf(channel, failureOf) },
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

	/** A port of the server's loopback address. @throws ListenRefusal, InterruptedError */
	listen(onStream: (stream: ChannelSocket) => void, signal: AbortSignal): Promise<LoopbackPort> {
		const onChannel = (channel: ClientChannel) => onStream(this.#socketOf(channel));
		return forwardFromServer(this.#client, this.place, onChannel, signal);
	}

	/** Ties a channel's stream to the connection: it fails when the connection is lost. */
	#socketOf(channel: ClientChannel, failureOf?: FailureOfExit): ChannelSocket {
		const socket = new ChannelSocket(channel, this.#link.stream, failureOf);
		this.#sockets.add(socket);
		// It may fail before its reader listens; the reader then finds it destroyed.
		socket.on("error", () => {});
		socket.once("close", () => this.#sockets.delete(socket));
		if (this.#lost !== undefined) {
			socket.destroy(this.#lost);
		}
		return socket;
	}

	async [Symbol.asyncDispose](): Promise<void> {
		this.#endWatch();
		for (const socket of this.#sockets) {
			socket.destroy();
		}
		this.#client.end();
		const { stream } = this.#link;
		stream.end(() => stream.destroy());
		await this.#link.close();
	}

	#open(
		signal: AbortSignal,
		request: (done: (error: Error | undefined, channel: ClientChannel) => void) => void,
	): Promise<ClientChannel> {
		return new Promise((resolve, reject) => {
			const onAbort = () => reject(interrupted(this.place));
			const done = (error: Error | undefined, channel: ClientChannel) => {
				signal.removeEventListener("abort", onAbort);
				if (error) {
					reject(this.#lost ?? new ChannelRefusal(error.message));
				} else if (signal.aborted) {
					channel.resume();
					channel.close();
				} else {
					resolve(channel);
				}
			};
			if (signal.aborted) {
				onAbort();
				return;
			}
			signal.addEventListener("abort", onAbort);
			try {
				request(done);
			} catch (error) {
				// ssh2 throws when the connection is already closed.
				signal.removeEventListener("abort", onAbort);
				reject(this.#lost ?? lost(this.place, (error as Error).message));
			}
		});
	}

	/** Runs before ssh2 ends the channels, which to their readers would look like a clean end. */
	#fail(): void {
		this.#endWatch();
		this.#lost = lost(this.place, this.#reason);
		for (const socket of this.#sockets) {
			socket.destroy(this.#lost);
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

function lost(place: string, reason: string): ConnectionError {
	return new ConnectionError("lost", `lost the connection to ${place}: ${reason}`, {
		hint: "check the network and run it again: what was built before is in the box's cache",
	});
}

function silenceSeconds({ keepAlive }: SshSettings): number {
	if (keepAlive === undefined) return SILENCE_SECONDS;
	return (keepAlive.intervalMs * keepAlive.countMax) / 1000;
}

/** What the way to the server has to say is nearer to the cause. */
function withComplaint(error: unknown, link: SshLink): unknown {
	const complaint = link.complaint();
	if (!(error instanceof ConnectionError) || complaint === "") return error;
	const { failure, message, hint, cause } = error;
	return new ConnectionError(failure, `${message}; ${complaint}`, { hint, cause });
}

/** Promise.all that closes the link when another part fails. */
async function settledTogether<T>(
	parts: readonly [Promise<SshLink>, HostKeyJudge | Promise<HostKeyJudge>, Promise<T>],
): Promise<[SshLink, HostKeyJudge, T]> {
	try {
		return await Promise.all(parts);
	} catch (error) {
		parts[0].then(
			(link) => {
				link.stream.destroy();
				return link.close();
			},
			() => {},
		);
		throw error;
	}
}
