import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { type ConnectionFailure, UsageError } from "../errors.js";
import type { Emit, ReachEvent } from "../events.js";
import { isLoopbackHost } from "../target/loopback.js";
import { formatTarget } from "../target/parse-target.js";
import type { Target } from "../target/target.js";
import { addressOf, connectSocket, type Destination } from "./connect-socket.js";
import { listenOnLoopback } from "./loopback-port.js";
import { noCompression, type StreamCompression } from "./stream-compression.js";
import type { TlsMaterial } from "./tls-material.js";
import type { LoopbackPort, Transport, WireCounts } from "./transport.js";

type SocketTarget = Extract<Target, { kind: "unix" | "tcp" | "tls" }>;

const CONNECT_TIMEOUT_MS = 15_000;

interface Connection {
	readonly stream: Duplex;
	/** What the stream runs on, which counts the bytes on the wire. */
	readonly socket: Socket;
}

/** Makes one more. */
type Connect = (signal: AbortSignal, onConnect?: (socket: Socket) => void) => Promise<Connection>;

/**
 * A daemon that listens on a unix socket of this machine, or on TCP.
 * @param material of a target with TLS
 * @throws UsageError for a daemon without TLS that is not on this machine; ConnectionError;
 * InterruptedError
 */
export async function openSocketTransport(
	target: SocketTarget,
	material: TlsMaterial | undefined,
	signal: AbortSignal,
	emit: Emit,
): Promise<Transport> {
	const connect = await wayTo(target, material);
	const started = performance.now();
	const place = formatTarget(target);
	const reached = (step: ReachEvent["step"], detail: string) =>
		emit({ type: "reach", place, step, detail });
	const first = await connect(signal, (socket) => reached("tcp", addressOf(socket)));
	const handshakes = { unix: 0, tcp: 1, tls: 2 }[target.kind];
	const roundTripMs = handshakes && (performance.now() - started) / handshakes;
	for (const warning of [...trustWarnings(target, first.socket), ...(material?.warnings ?? [])]) {
		emit({ type: "warning", ...warning });
	}
	if (target.kind === "tls") reached("tls", target.tls.verify ? "its certificate is right" : "");
	return new SocketTransport(target, connect, roundTripMs, first);
}

async function wayTo(target: SocketTarget, material: TlsMaterial | undefined): Promise<Connect> {
	if (target.kind === "unix") {
		const destination = { ...common(target), address: { path: target.socketPath } };
		return async (signal) => plain(await connectSocket(destination, signal));
	}
	const { host, port } = target;
	const destination = { ...common(target), address: { host, port } };
	if (target.kind === "tcp") {
		return async (signal, onConnect = () => {}) => {
			const socket = await connectSocket(destination, signal);
			onConnect(socket);
			if (target.insecure || isLoopback(socket)) return plain(socket);
			socket.destroy();
			throw new UsageError(
				`${destination.place} has neither encryption nor a login: whoever can reach it is root on that box`,
				{ hint: "use ssh (--on ssh://user@host) or TLS (--tlsverify), or add --insecure" },
			);
		};
	}
	if (material === undefined) throw new Error("a TLS target was opened without its files");
	const { connectTls } = await import("./connect-tls.js");
	return (signal, onConnect = () => {}) => connectTls(destination, material, signal, onConnect);
}

function plain(socket: Socket): Connection {
	return { stream: socket, socket };
}

function trustWarnings(target: SocketTarget, socket: Socket) {
	const place = formatTarget(target);
	if (target.kind === "tcp" && !isLoopback(socket)) {
		return [
			{
				message: `${place} is reached without encryption or authentication: whoever can reach it is root on that box`,
				hint: "reach it over ssh: --on ssh://user@host",
			},
		];
	}
	if (target.kind === "tls" && !target.tls.verify) {
		return [
			{
				message: `the certificate of ${place} is not checked: whoever is in between can pass for it`,
				hint: "name the CA that signed it: --tlsverify --tlscacert FILE",
			},
		];
	}
	return [];
}

class SocketTransport implements Transport {
	readonly target: string;
	readonly route: SocketTarget["kind"];
	readonly roundTripMs: number;
	readonly listen?: (onStream: (stream: Duplex) => void) => Promise<LoopbackPort>;
	readonly #connect: Connect;
	/** By what they run on. */
	readonly #open = new Map<Socket, Duplex>();
	#first: Duplex | undefined;
	#closed = { sent: 0, received: 0 };

	constructor(target: SocketTarget, connect: Connect, roundTripMs: number, first: Connection) {
		this.target = formatTarget(target);
		this.route = target.kind;
		this.roundTripMs = roundTripMs;
		this.#connect = connect;
		this.#first = this.#counted(first);
		if (target.kind === "unix" || isLoopback(first.socket)) this.listen = listenOnLoopback;
	}

	get wire(): WireCounts {
		let { sent, received } = this.#closed;
		for (const socket of this.#open.keys()) {
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
		return this.#counted(await this.#connect(signal));
	}

	compress(): StreamCompression {
		return noCompression();
	}

	async [Symbol.asyncDispose](): Promise<void> {
		for (const [socket, stream] of this.#open) {
			stream.destroy();
			socket.destroy();
		}
	}

	#counted({ stream, socket }: Connection): Duplex {
		this.#open.set(socket, stream);
		// It may fail before its reader listens; the reader then finds it destroyed.
		stream.on("error", () => {});
		socket.once("close", () => {
			this.#open.delete(socket);
			this.#closed.sent += socket.bytesWritten;
			this.#closed.received += socket.bytesRead;
		});
		return stream;
	}
}

function common(target: SocketTarget): Pick<Destination, "place" | "timeoutMs" | "hint"> {
	const hints = hintsFor(target);
	return {
		place: formatTarget(target),
		timeoutMs: CONNECT_TIMEOUT_MS,
		hint: (failure) => hints[failure],
	};
}

type Hints = Partial<Record<ConnectionFailure, string>>;

const UNIX_HINTS: Hints = {
	refused: "nothing listens on it any more: is the daemon running?",
	"socket-missing": "is the daemon running? Name a remote one with --on user@host",
	"socket-permission": "run, and log in again: sudo usermod -aG docker $USER",
};

const PIPE_HINTS: Hints = {
	...UNIX_HINTS,
	"socket-permission":
		"join the group docker-users and log in again, or run it as an administrator",
};

const TCP_HINTS: Hints = {
	unresolved: "check the spelling of the host",
	refused: "does the daemon listen on that port? ssh needs no open port: --on ssh://user@host",
	"timed-out": "is the box on, and does a firewall let the port through?",
	unreachable: "is the network or VPN up?",
};

function hintsFor(target: SocketTarget): Hints {
	if (target.kind !== "unix") return TCP_HINTS;
	return target.socketPath.startsWith("\\\\.\\pipe\\") ? PIPE_HINTS : UNIX_HINTS;
}

function isLoopback(socket: Socket): boolean {
	return isLoopbackHost(socket.remoteAddress ?? "");
}
