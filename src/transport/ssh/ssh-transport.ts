import type { Duplex } from "node:stream";
import type { Emit } from "../../events.js";
import { formatTarget } from "../../target/parse-target.js";
import type { Transport, WireCounts } from "../transport.js";
import { type DaemonRoute, type FoundRoute, findDaemonRoute } from "./daemon-route.js";
import type { DaemonStream } from "./remote-host.js";
import { SshConnection } from "./ssh-connection.js";
import { SshConnections } from "./ssh-connections.js";
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
	const connect = (meanwhile: () => void) => SshConnection.open(settings, signal, emit, meanwhile);
	const connections = new SshConnections(await connect(whileWaiting), () => connect(() => {}));
	try {
		makeServerPrompt(connections, signal);
		const found = await findDaemonRoute(connections, target.socketPath, signal);
		return new SshTransport(formatTarget(target), connections, found);
	} catch (error) {
		await connections[Symbol.asyncDispose]();
		throw error;
	}
}

/**
 * sshd turns TCP_NODELAY on with the first command of a connection, and only then: small answers come in
 * 1 ms in place of 45 ms (measured). Nobody waits for it, and it may fail.
 */
function makeServerPrompt(connections: SshConnections, signal: AbortSignal): void {
	connections.exec("uname -m", signal).then(
		({ channel }) => {
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
	readonly #connections: SshConnections;
	readonly #route: DaemonRoute;
	/** The streams for those who ask first. */
	readonly #ahead: Promise<DaemonStream | undefined>[];

	constructor(target: string, connections: SshConnections, { route, ahead }: FoundRoute) {
		this.target = target;
		this.route = `ssh, ${route.name}`;
		this.roundTripMs = route.roundTripMs;
		this.#connections = connections;
		this.#route = route;
		this.#ahead = [...ahead];
	}

	get wire(): WireCounts {
		return this.#connections.wire;
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

	async [Symbol.asyncDispose](): Promise<void> {
		await this.#connections[Symbol.asyncDispose]();
	}
}
