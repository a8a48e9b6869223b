import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { ConnectionFailure } from "../errors.js";
import type { Emit } from "../events.js";
import { formatTarget } from "../target/parse-target.js";
import type { Target } from "../target/target.js";
import { connectSocket, type Destination } from "./connect-socket.js";
import type { Transport, WireCounts } from "./transport.js";

type SocketTarget = Extract<Target, { kind: "unix" | "tcp" }>;

const CONNECT_TIMEOUT_MS = 15_000;

/**
 * A daemon that listens on a unix socket of this machine, or on TCP without TLS.
 * @throws ConnectionError, InterruptedError
 */
export async function openSocketTransport(
	target: SocketTarget,
	signal: AbortSignal,
	emit: Emit,
): Promise<Transport> {
	const destination = destinationOf(target);
	const started = performance.now();
	const first = await connectSocket(destination, signal);
	const roundTripMs = target.kind === "unix" ? 0 : performance.now() - started;
	if (target.kind === "tcp" && !isLoopback(first)) {
		emit({
			type: "warning",
			message: `${destination.place} is reached without encryption or authentication: whoever can reach it is root on that box`,
			hint: "reach it over ssh: --on ssh://user@host",
		});
	}
	return new SocketTransport(target, destination, roundTripMs, first);
}

class SocketTransport implements Transport {
	readonly target: string;
	readonly route: "unix" | "tcp";
	readonly roundTripMs: number;
	readonly #destination: Destination;
	readonly #open = new Set<Socket>();
	#first: Socket | undefined;
	#closed = { sent: 0, received: 0 };

	constructor(target: SocketTarget, destination: Destination, roundTripMs: number, first: Socket) {
		this.target = formatTarget(target);
		this.route = target.kind;
		this.roundTripMs = roundTripMs;
		this.#destination = destination;
		this.#first = this.#counted(first);
	}

	get wire(): WireCounts {
		let { sent, received } = this.#closed;
		for (const socket of this.#open) {
			sent += socket.bytesWritten;
			received += socket.bytesRead;
		}
		return { sent, received };
	}

	async open(signal: AbortSignal): Promise<Duplex> {
		const first = this.#first;
		this.#first = undefined;
		if (first !== undefined && !first.destroyed) {
			return first;
		}
		return this.#counted(await connectSocket(this.#destination, signal));
	}

	compress(): Disposable {
		return { [Symbol.dispose]() {} };
	}

	async [Symbol.asyncDispose](): Promise<void> {
		for (const socket of this.#open) {
			socket.destroy();
		}
	}

	#counted(socket: Socket): Socket {
		this.#open.add(socket);
		// It may fail before its reader listens; the reader then finds it destroyed.
		socket.on("error", () => {});
		socket.once("close", () => {
			this.#open.delete(socket);
			this.#closed.sent += socket.bytesWritten;
			this.#closed.received += socket.bytesRead;
		});
		return socket;
	}
}

function destinationOf(target: SocketTarget): Destination {
	const place = formatTarget(target);
	if (target.kind === "unix") {
		return {
			place,
			address: { path: target.socketPath },
			timeoutMs: CONNECT_TIMEOUT_MS,
			hint: (failure) => UNIX_HINTS[failure],
		};
	}
	return {
		place,
		address: { host: target.host, port: target.port },
		timeoutMs: CONNECT_TIMEOUT_MS,
		hint: (failure) => TCP_HINTS[failure],
	};
}

type Hints = Partial<Record<ConnectionFailure, string>>;

const UNIX_HINTS: Hints = {
	refused: "nothing listens on it any more: is the daemon running?",
	"socket-missing": "is the daemon running? Name a remote one with --on user@host",
	"socket-permission": "run, and log in again: sudo usermod -aG docker $USER",
};

const TCP_HINTS: Hints = {
	unresolved: "check the spelling of the host",
	refused: "does the daemon listen on that port? ssh needs no open port: --on ssh://user@host",
	"timed-out": "is the box on, and does a firewall let the port through?",
	unreachable: "is the network, or the VPN to it, up?",
};

function isLoopback(socket: Socket): boolean {
	return /^(127\.|::1$|::ffff:127\.)/.test(socket.remoteAddress ?? "");
}
