import type { Client, ClientChannel } from "ssh2";
import { ConnectionError } from "../../errors.js";
import type { Emit } from "../../events.js";
import { ChannelSocket, type FailureOfExit } from "../channel-socket.js";
import { connectInterrupted } from "../connect-socket.js";
import type { LoopbackPort, WireCounts } from "../transport.js";
import { clientReason } from "./client-reason.js";
import type { OutgoingCompression } from "./compression/outgoing-compression.js";
import type { SshSettings } from "./config/ssh-settings.js";
import type { HostKeyJudge } from "./host-keys/host-key-policy.js";
import { type AuthenticatedClient, authenticatedClient } from "./login/authenticated-client.js";
import { ChannelRefusal, type RemoteCommand } from "./remote-host.js";
import { forwardFromServer } from "./reverse-forward.js";
import { SILENCE_SECONDS, watchSilence } from "./silence-watch.js";
import { type Hop, placeOf, type SshLink } from "./ssh-link.js";
import { SshSessions } from "./ssh-sessions.js";

/** One authenticated ssh connection, over which many channels run. */
export class SshConnection implements Hop {
	/** For messages, such as "x86box (192.168.31.100:22)". */
	readonly place: string;
	readonly user: string;
	readonly compression: Pick<OutgoingCompression, "hold">;
	readonly #client: Client;
	readonly #link: SshLink;
	readonly #sockets = new Set<ChannelSocket>();
	readonly #sessions: SshSessions;
	readonly #endWatch: () => void;
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
		const openHop = (hop: SshSettings) => SshConnection.open(hop, signal, emit, () => {});
		const opening = { settings, signal, emit, whileWaiting, judge, openHop };
		return new SshConnection(settings, await authenticatedClient(opening));
	}

	private constructor(settings: SshSettings, { client, link, compression }: AuthenticatedClient) {
		this.place = placeOf(settings);
		this.user = settings.user;
		this.compression = compression;
		this.#client = client;
		this.#link = link;
		this.#sessions = new SshSessions({
			start: (command, signal) => this.#open(signal, (done) => client.exec(command, done)),
			streamOf: (channel, failureOf) => this.#socketOf(channel, failureOf),
		});
		const socket = link.stream;
		// Every channel that is being written to waits for it to drain.
		socket.setMaxListeners(0);
		client.on("error", (error) => {
			this.#reason = clientReason(error);
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
		return this.#sessions.isLimited;
	}

	/** "direct-streamlocal@openssh.com", OpenSSH 6.7 */
	async openStreamLocal(socketPath: string, signal: AbortSignal): Promise<ChannelSocket> {
		const channel = await this.#open(signal, (done) =>
			this.#client.openssh_forwardOutStreamLocal(socketPath, done),
		);
		return this.#socketOf(channel);
	}

	exec(command: string, signal: AbortSignal): Promise<RemoteCommand> {
		return this.#sessions.exec(command, signal);
	}

	/** @returns undefined where the server has no session free just now. */
	execNow(command: string, signal: AbortSignal): Promise<RemoteCommand | undefined> {
		return this.#sessions.execNow(command, signal);
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
			const onAbort = () => reject(connectInterrupted(this.place));
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
				reject(this.#lost ?? lost(this.place, clientReason(error)));
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

function lost(place: string, reason: string): ConnectionError {
	return new ConnectionError("lost", `lost the connection to ${place}: ${reason}`, {
		hint: "check the network and run it again: steps that were done stay in the box's cache",
	});
}

function silenceSeconds({ keepAlive }: SshSettings): number {
	if (keepAlive === undefined) return SILENCE_SECONDS;
	return (keepAlive.intervalMs * keepAlive.countMax) / 1000;
}
