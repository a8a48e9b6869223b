import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { interrupted } from "../connect-socket.js";

/** The path of the shared connection's socket. */
export function controlPath(folder: string): string {
	return join(folder, "c");
}

/** Who listens there says hello (OpenSSH's PROTOCOL.mux); one that is ending does not. */
export function isAlive(folder: string): Promise<boolean> {
	return new Promise((resolve) => {
		const socket = connect(controlPath(folder));
		const settle = (alive: boolean) => {
			socket.destroy();
			resolve(alive);
		};
		socket.once("data", () => settle(true));
		socket.once("error", () => settle(false)).once("end", () => settle(false));
	});
}

/** To it, or to one that is forwarded. @throws InterruptedError */
export function connectTo(path: string, signal: AbortSignal, place: string): Promise<Socket> {
	return new Promise((resolve, reject) => {
		if (signal.aborted) {
			reject(interrupted(place));
			return;
		}
		const socket = connect(path);
		socket.once("connect", () => resolve(socket)).once("error", reject);
	});
}
