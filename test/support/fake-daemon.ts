import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, ServerResponse, STATUS_CODES } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";

/** What the daemon does with one request. */
export type Route = (request: IncomingMessage, response: ServerResponse) => void;

interface FakeDaemonOptions {
	/**
	 * By method and path without version prefix and query, such as "POST /build". Where there is none
	 * for GET /_ping and GET /version, a Docker 28 with BuildKit answers; elsewhere 404.
	 */
	readonly routes?: Readonly<Record<string, Route>>;
	/** Listen on 127.0.0.1 instead of a unix socket, or a pipe on Windows. */
	readonly tcp?: boolean;
}

/** A daemon for what a real one cannot be made to do. */
export interface FakeDaemon extends AsyncDisposable {
	/** "" for one that listens on TCP. */
	readonly socketPath: string;
	/** What --on takes. */
	readonly url: string;
	/** 0 for one that listens on a unix socket. */
	readonly port: number;
	/** The request lines so far, such as "GET /v1.51/images/app/json?size=1". */
	readonly requests: readonly string[];
	stop(): Promise<void>;
}

export async function startFakeDaemon(options: FakeDaemonOptions = {}): Promise<FakeDaemon> {
	const { routes = {}, tcp = false } = options;
	const all: Readonly<Record<string, Route>> = { ...GREETING, ...routes };
	const requests: string[] = [];
	const directory = mkdtempSync(join(tmpdir(), "rbuild-fake-"));
	const socketPath = tcp ? "" : socketIn(directory);
	const answer: Route = (request, response) => {
		requests.push(`${request.method} ${request.url}`);
		const path = (request.url ?? "").replace(/^\/v[0-9.]+(?=\/)/, "").replace(/\?.*/, "");
		const route = all[`${request.method} ${path}`] ?? refuses(404, "page not found");
		route(request, response);
	};
	const server = createServer(answer);
	// Without this listener, node would read what follows an upgrade as more requests.
	server.on("upgrade", (request, socket) => {
		const response = new ServerResponse(request);
		response.assignSocket(socket as Socket);
		answer(request, response);
	});
	// Its own closeAllConnections() forgets those that were taken over.
	const sockets = new Set<Socket>();
	server.on("connection", (socket) => {
		sockets.add(socket);
		socket.once("close", () => sockets.delete(socket));
	});
	if (tcp) server.listen(0, "127.0.0.1");
	else server.listen(socketPath);
	await once(server, "listening");
	const stop = async () => {
		server.close();
		for (const socket of sockets) socket.destroy();
		await once(server, "close");
		rmSync(directory, { recursive: true, force: true });
	};
	const port = tcp ? (server.address() as AddressInfo).port : 0;
	return {
		socketPath,
		url: tcp ? `tcp://127.0.0.1:${port}` : urlOf(socketPath),
		port,
		requests,
		stop,
		[Symbol.asyncDispose]: stop,
	};
}

/** Node listens on no other sockets with a path on Windows. */
function socketIn(directory: string): string {
	if (process.platform !== "win32") return join(directory, "docker.sock");
	return `\\\\.\\pipe\\${basename(directory)}`;
}

function urlOf(socketPath: string): string {
	if (process.platform !== "win32") return `unix://${socketPath}`;
	return `npipe://${socketPath.replaceAll("\\", "/")}`;
}

/** One JSON document. */
export function answers(document: unknown): Route {
	return (request, response) => {
		// A client that is still sending its body gets the answer at the end of it, as from a daemon.
		request.resume().once("end", () => {
			response.setHeader("Content-Type", "application/json");
			response.end(JSON.stringify(document));
		});
	};
}

/** A progress stream that ends as it should. */
export function streams(...lines: readonly unknown[]): Route {
	return (request, response) => {
		request.resume().once("end", () => {
			for (const line of lines) response.write(`${JSON.stringify(line)}\r\n`);
			response.end();
		});
	};
}

/**
 * An ErrorResponse, before the request's body is read. As Go's server does, the connection is closed
 * for writing only: closing it at once would throw the answer away with the unread body.
 */
export function refuses(status: number, message: string): Route {
	return (request, response) => {
		request.pause();
		const body = JSON.stringify({ message });
		const head = [
			`HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
			"Content-Type: application/json",
			`Content-Length: ${Buffer.byteLength(body)}`,
			"Connection: close",
		];
		response.socket?.end(`${head.join("\r\n")}\r\n\r\n${body}`);
	};
}

/** Another protocol altogether. */
export const speaksSsh: Route = (_request, response) => {
	response.socket?.end("SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n");
};

/** Hangs up without a word. */
export const hangsUp: Route = (_request, response) => {
	response.socket?.destroy();
};

/** Takes the request and stays silent. */
export const neverAnswers: Route = () => {};

/** Some lines of progress, then the connection is gone. */
export function closesAfter(...lines: readonly unknown[]): Route {
	return (_request, response) => {
		for (const line of lines) response.write(`${JSON.stringify(line)}\r\n`);
		// The lines must be on their way before the socket is torn down.
		response.write("", () => response.socket?.end());
	};
}

/** Announces more bytes than it sends. */
export function truncates(text: string): Route {
	return (_request, response) => {
		response.socket?.end(
			`HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${text.length + 100}\r\n\r\n${text}`,
		);
	};
}

/** A single line of so many bytes. */
export function sendsLine(bytes: number): Route {
	return (_request, response) => {
		response.end(`"${"x".repeat(bytes - 2)}"\n`);
	};
}

export const GREETING = {
	"GET /_ping": (_request, response) => {
		response.writeHead(200, { "Api-Version": "1.51", "Builder-Version": "2", Ostype: "linux" });
		response.end("OK");
	},
	"GET /version": answers({
		Components: [{ Name: "Engine" }],
		Version: "28.5.2",
		ApiVersion: "1.51",
		MinAPIVersion: "1.24",
		Os: "linux",
		Arch: "amd64",
	}),
} as const satisfies Readonly<Record<string, Route>>;
