import { setMaxListeners } from "node:events";
import type { Duplex } from "node:stream";
import type { Environment } from "../../environment.js";
import type { Emit } from "../../events.js";
import { formatTarget } from "../../target/parse-target.js";
import type { ChannelSocket } from "../channel-socket.js";
import type { Transport, WireCounts } from "../transport.js";
import { type DaemonRoute, findDaemonRoute } from "./daemon-route.js";
import { SshConnection } from "./ssh-connection.js";
import type { SshTarget } from "./ssh-settings.js";

/**
 * Logs in and finds the way to the daemon.
 * @throws ConnectionError, UsageError, InterruptedError
 */
export async function openSshTransport(
	target: SshTarget,
	environment: Environment,
	signal: AbortSignal,
	emit: Emit,
): Promise<Transport> {
	const connection = await SshConnection.open(target, environment, signal, emit);
	try {
		makeServerPrompt(connection, signal);
		const { route, first } = await findDaemonRoute(connection, target.socketPath, signal);
		return new SshTransport(formatTarget(target), connection, route, first);
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
	/** The stream for whoever asks next. */
	#next: Promise<ChannelSocket | undefined>;
	readonly #closing = new AbortController();

	/** @param first The stream by which the route was found. */
	constructor(target: string, connection: SshConnection, route: DaemonRoute, first: ChannelSocket) {
		this.target = target;
		this.route = `ssh, ${route.name}`;
		this.roundTripMs = route.roundTripMs;
		this.#connection = connection;
		this.#route = route;
		this.#next = Promise.resolve(first);
		// One for each stream that is being opened, however many that are.
		setMaxListeners(0, this.#closing.signal);
	}

	get wire(): WireCounts {
		return this.#connection.wire;
	}

	async open(signal: AbortSignal): Promise<Duplex> {
		const next = this.#next;
		this.#next = this.#openAhead();
		const stream = await next;
		if (stream?.isOpen && !signal.aborted) {
			return stream;
		}
		stream?.destroy();
		return await this.#route.open(signal);
	}

	async [Symbol.asyncDispose](): Promise<void> {
		this.#closing.abort();
		await this.#connection[Symbol.asyncDispose]();
	}

	/**
	 * A round trip before it is asked for, where that costs the box no more than an idle connection.
	 * If it fails, so will the stream that is opened in its place, and tell why.
	 */
	async #openAhead(): Promise<ChannelSocket | undefined> {
		if (this.#route.name !== "streamlocal") {
			return undefined;
		}
		return await this.#route.open(this.#closing.signal).catch(() => undefined);
	}
}
