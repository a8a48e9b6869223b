import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { connectSocket } from "../../connect-socket.js";

/** How long the ssh program of this machine may take to take a connection or to say hello, in milliseconds. */
const PATIENCE_MS = 5_000;

/** The path of the shared connection's socket. */
export function controlPath(folder: string): string {
	return join(folder, "c");
}

/** Who listens there says hello (OpenSSH's PROTOCOL.mux); one that is ending, or hangs, does not. */
export function isAlive(folder: string): Promise<boolean> {
	return new Promise((resolve) => {
		const socket = connect(controlPath(folder));
		const settle = (alive: boolean) => {
			clearTimeout(timer);
			socket.destroy();
			resolve(alive);
		};
		const timer = setTimeout(() => settle(false), PATIENCE_MS);
		socket.once("data", () => settle(true));
		socket.on("error", () => settle(false)).once("end", () => settle(false));
	});
}

/** To it, or to one that is forwarded. @throws ConnectionError, InterruptedError */
export function connectTo(path: string, signal: AbortSignal, place: string): Promise<Socket> {
	const address = { path };
	return connectSocket({ place, address, timeoutMs: PATIENCE_MS, hint: () => undefined }, signal);
}
