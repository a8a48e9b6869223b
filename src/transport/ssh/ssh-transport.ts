import type { Duplex } from "node:stream";
import type { Emit } from "../../events.js";
import { formatTarget } from "../../target/parse-target.js";
import type { ChannelSocket } from "../channel-socket.js";
import type { LoopbackPort, Transport, WireCounts } from "../transport.js";
import { type DaemonRoute, type FoundRoute, findDaemonRoute } from "./daemon-route.js";
import { SshConnection } from "./ssh-connection.js";
import { wayOf } from "./ssh-link.js";
import type { SshSettings, SshTarget } from "./ssh-settings.js";

/**
 * Logs in and finds the way to the daemon.
 * @throws ConnectionError, UsageError, InterruptedError
 */
export async function openSshTransport(
	target: SshTarget,
	settings: SshSettings,
	signal: AbortSignal,
	emit: Emit,
	whileWaiting: () => void,
): Promise<Transport> {
	const connection = await SshConnection.open(settings, signal, emit, whileWaiting);
	try {
		makeServerPrompt(connection, signal);
		const found = await findDaemonRoute(connection, target.socketPath, signal);
		const way = ["ssh", wayOf(settings)].filter(Boolean).join(" ");
		return new SshTransport(formatTarget(target), way, connection, found);
	} catch (error) {
		await connection[Symbol.asyncDispose]();
		throw error;
	}
}

/**
 * sshd turns TCP_NODELAY on with the first command of a connection, and only then: small answers come in
 * 1 ms in place of 45 ms (measured). Nobody waits for it, and it may fail.
 */
function makeServerPrompt(connection: SshConnection, signal: AbortSignal): void {
	connection.exec("uname -m", signal).then(
		(channel) => {
			channel.resume();
			channel.stderr.resume();
			channel.end();
		},
		() => {},
	);
}

class SshTransport implements Transport {
	readonly target: string;
	readonly route: string;
	readonly roundTripMs: number;
	readonly #connection: SshConnection;
	readonly #route: DaemonRoute;
	/** The streams for those who ask first. */
	readonly #ahead: Promise<ChannelSocket | undefined>[];

	constructor(
		target: string,
		way: string,
		connection: SshConnection,
		{ route, ahead }: FoundRoute,
	) {
		this.target = target;
		this.route = `${way}, ${route.name}`;
		this.roundTripMs = route.roundTripMs;
		this.#connection = connection;
		this.#route = route;
		this.#ahead = [...ahead];
	}

	get wire(): WireCounts {
		return this.#connection.wire;
	}

	async open(signal: AbortSignal): Promise<Duplex> {
		const stream = await this.#ahead.shift();
		if (stream?.isOpen && !signal.aborted) {
			return stream;
		}
		stream?.destroy();
		return await this.#route.open(signal);
	}

	compress(): Disposable {
		return this.#connection.compression.hold();
	}

	listen(onStream: (stream: Duplex) => void, signal: AbortSignal): Promise<LoopbackPort> {
		return this.#connection.listen(onStream, signal);
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.#connection[Symbol.asyncDispose]();
	}
}
