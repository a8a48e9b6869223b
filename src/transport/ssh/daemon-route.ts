import { RbuildError } from "../../errors.js";
import type { ChannelSocket } from "../channel-socket.js";
import { DialStdioFailure, openDialStdio } from "./dial-stdio.js";
import {
	askRemoteFacts,
	DEFAULT_SOCKET,
	explainFailure,
	type RemoteFacts,
} from "./remote-daemon.js";
import { ChannelRefusal, type SshConnection } from "./ssh-connection.js";

/** How streams get from sshd to the daemon. */
export interface DaemonRoute {
	readonly name: "streamlocal" | "dial-stdio";
	/** One round trip to the server, in milliseconds. */
	readonly roundTripMs: number;
	/** @throws ConnectionError that tells why the daemon is out of reach; InterruptedError */
	open(signal: AbortSignal): Promise<ChannelSocket>;
}

export interface FoundRoute {
	readonly route: DaemonRoute;
	/** The streams by which it was found, for those who ask first. */
	readonly ahead: readonly Promise<ChannelSocket | undefined>[];
}

/**
 * An authorized_keys line or sshd_config may force a command upon us, such as dial-stdio itself. It
 * shows by nothing being said: neither an answer to our question nor our own line before dial-stdio.
 */
const FORCED_COMMAND_SILENCE_MS = 3_000;

/**
 * The requests that a build begins with, all at once: the daemon's greeting takes two, and there are
 * base images to ask for. Each stream takes a round trip to open, and where it leads straight to the
 * socket, it costs the box no more than an idle connection.
 */
const STREAMS_AHEAD = 4;

/**
 * Straight to the daemon's socket where sshd allows that, else through the docker client of the box.
 * @param socketPath Absent: docker's default socket, or what the docker client there uses.
 * @throws ConnectionError that tells why neither works; InterruptedError
 */
export async function findDaemonRoute(
	connection: SshConnection,
	socketPath: string | undefined,
	signal: AbortSignal,
): Promise<FoundRoute> {
	const direct = new StreamLocalRoute(connection, socketPath ?? DEFAULT_SOCKET);
	const first = direct.connect(signal);
	const others = Array.from({ length: STREAMS_AHEAD - 1 }, () =>
		direct.connect(signal).catch(() => undefined),
	);
	try {
		await first;
		return { route: direct, ahead: [first, ...others] };
	} catch (error) {
		for (const other of others) other.then((stream) => stream?.destroy());
		if (!(error instanceof ChannelRefusal)) {
			throw error;
		}
	}
	const route = new DialStdioRoute(connection, socketPath, direct.roundTripMs);
	return { route, ahead: [Promise.resolve(await route.connect(signal))] };
}

class StreamLocalRoute implements DaemonRoute {
	readonly name = "streamlocal";
	roundTripMs = Number.POSITIVE_INFINITY;
	readonly #connection: SshConnection;
	readonly #socketPath: string;

	constructor(connection: SshConnection, socketPath: string) {
		this.#connection = connection;
		this.#socketPath = socketPath;
	}

	/** @throws ChannelRefusal beside what open throws. */
	async connect(signal: AbortSignal): Promise<ChannelSocket> {
		const started = performance.now();
		try {
			return this.#connection.socketOf(
				await this.#connection.openStreamLocal(this.#socketPath, signal),
			);
		} finally {
			this.roundTripMs = Math.min(this.roundTripMs, performance.now() - started);
		}
	}

	async open(signal: AbortSignal): Promise<ChannelSocket> {
		try {
			return await this.connect(signal);
		} catch (error) {
			if (error instanceof RbuildError) {
				throw error;
			}
			const facts = await factsOrNothing(this.#connection, this.#socketPath, signal);
			throw explainFailure(this.#connection, { socketPath: this.#socketPath, facts });
		}
	}
}

class DialStdioRoute implements DaemonRoute {
	readonly name = "dial-stdio";
	readonly roundTripMs: number;
	readonly #connection: SshConnection;
	readonly #socketPath: string | undefined;
	#forcedCommand = false;

	constructor(connection: SshConnection, socketPath: string | undefined, roundTripMs: number) {
		this.#connection = connection;
		this.#socketPath = socketPath;
		this.roundTripMs = roundTripMs;
	}

	/** The first stream: lets docker check its daemon, while the box is asked what it could be. */
	async connect(signal: AbortSignal): Promise<ChannelSocket> {
		const facts = factsOrNothing(this.#connection, this.#socketPath ?? DEFAULT_SOCKET, signal);
		const silence = new AbortController();
		const timer = setTimeout(() => silence.abort(), FORCED_COMMAND_SILENCE_MS);
		facts.then((answer) => answer && clearTimeout(timer));
		try {
			const stream = await this.#dial(signal, { verify: true, giveUpGreeting: silence.signal });
			this.#forcedCommand = silence.signal.aborted;
			return stream;
		} catch (error) {
			throw await this.#explained(error, facts);
		} finally {
			clearTimeout(timer);
		}
	}

	async open(signal: AbortSignal): Promise<ChannelSocket> {
		try {
			return await this.#dial(signal, {
				verify: false,
				...(this.#forcedCommand && { giveUpGreeting: AbortSignal.abort() }),
			});
		} catch (error) {
			const socketPath = this.#socketPath ?? DEFAULT_SOCKET;
			throw await this.#explained(error, factsOrNothing(this.#connection, socketPath, signal));
		}
	}

	#dial(
		signal: AbortSignal,
		options: { readonly verify: boolean; readonly giveUpGreeting?: AbortSignal },
	): Promise<ChannelSocket> {
		return openDialStdio(this.#connection, { socketPath: this.#socketPath, ...options }, signal);
	}

	async #explained(error: unknown, facts: Promise<RemoteFacts | undefined>): Promise<unknown> {
		if (!(error instanceof DialStdioFailure || error instanceof ChannelRefusal)) {
			return error;
		}
		return explainFailure(this.#connection, {
			socketPath: this.#socketPath ?? DEFAULT_SOCKET,
			facts: await facts,
			dialStdio: {
				stderr: error.message,
				code: error instanceof DialStdioFailure ? error.code : undefined,
			},
		});
	}
}

/** Facts only make an error clearer: where they cannot be had, the error stays the same. */
function factsOrNothing(
	connection: SshConnection,
	socketPath: string,
	signal: AbortSignal,
): Promise<RemoteFacts | undefined> {
	return askRemoteFacts(connection, socketPath, signal).catch(() => undefined);
}
