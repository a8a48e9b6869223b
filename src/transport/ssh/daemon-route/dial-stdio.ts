import { randomUUID } from "node:crypto";
import { ConnectionError } from "../../../errors.js";
import { connectInterrupted } from "../../connect-socket.js";
import type { CommandChannel, DaemonStream, RemoteCommand, RemoteHost } from "../remote-host.js";
import { quoted, tailOf } from "./remote-daemon.js";

const STDERR_LIMIT = 4096;
/** For a login shell and the docker client to start on a busy box. */
const GREETING_TIMEOUT_MS = 60_000;

/** `docker system dial-stdio` ended before it was of use. */
export class DialStdioFailure extends Error {
	readonly code: number | null | undefined;

	constructor(stderr: string, code: number | null | undefined) {
		super(tailOf(stderr));
		this.name = "DialStdioFailure";
		this.code = code;
	}
}

/** The program of the box that carries a stream: docker (18.09), or podman (4.0), which is docker's image. */
export interface StdioClient {
	/** A word for the shell there, such as "docker" or a quoted path. */
	readonly program: string;
	/** How to name a socket to it. */
	readonly socketOption: "-H" | "--url";
	/** Absent: whatever it uses by itself, its contexts and DOCKER_HOST included. */
	readonly socketPath: string | undefined;
}

/**
 * A stream to the daemon through the docker client of the box. A line of our own goes before it, so that
 * what the login shell prints at its start is not taken for the daemon's answer.
 * @param isProven Whether its daemon is known to answer. Else the docker client has to prove that first.
 * @throws DialStdioFailure, ChannelRefusal, ConnectionError, InterruptedError
 */
export async function openDialStdio(
	host: RemoteHost,
	{ program, socketOption, socketPath }: StdioClient,
	{ isProven }: { readonly isProven: boolean },
	signal: AbortSignal,
): Promise<DaemonStream> {
	const marker = `rbuild-${randomUUID()}\n`;
	const client =
		socketPath === undefined
			? program
			: `${program} ${socketOption} ${quoted(`unix://${socketPath}`)}`;
	const script = [
		...(isProven ? [] : [`${client} version --format '{{.Client.Version}}' >/dev/null`]),
		`printf '\\n%s\\n' ${marker.trimEnd()}`,
		`exec ${client} system dial-stdio`,
	].join(" && ");
	const command = await host.execLasting(`sh -c ${quoted(script)}`, signal);
	return await dialled(host, command, signal, {
		endOfGreeting: (output) => {
			const start = output.indexOf(marker);
			return start < 0 ? undefined : start + marker.length;
		},
	});
}

/**
 * As a docker client would ask for it, and nothing more: what a forced command or a picky wrapper expects,
 * and what a shell that is not POSIX's understands, as those of Windows.
 * @param socketPath Named only where it needs no quotes, which depend on the shell.
 * @param noise Bytes that come before the daemon's own, as firstPlainStdio has counted them.
 * @throws DialStdioFailure, ChannelRefusal, ConnectionError, InterruptedError
 */
export async function openPlainStdio(
	host: RemoteHost,
	socketPath: string | undefined,
	noise: number,
	signal: AbortSignal,
): Promise<DaemonStream> {
	const command = await host.execLasting(plainCommand(socketPath), signal);
	return await dialled(host, command, signal, {
		endOfGreeting: (output) => (output.length < noise ? undefined : noise),
	});
}

/**
 * Whether openPlainStdio would lead to a daemon: a ping over a stream of its own.
 * @returns how many bytes come before the daemon's answer.
 * @throws DialStdioFailure when it does not; ChannelRefusal, ConnectionError, InterruptedError
 */
export async function firstPlainStdio(
	host: RemoteHost,
	socketPath: string | undefined,
	signal: AbortSignal,
): Promise<number> {
	const command = await host.execLasting(plainCommand(socketPath), signal);
	command.channel.write("GET /_ping HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n\r\n");
	let noise = 0;
	const stream = await dialled(host, command, signal, {
		endOfGreeting: (output) => {
			// With the carriage return, which tells it from a line that a login shell prints.
			const start = output.toString("latin1").search(/HTTP\/1\.[01] \d{3}[^\r\n]*\r\n/);
			noise = Math.max(start, 0);
			return start < 0 ? undefined : start;
		},
	});
	stream.destroy();
	return noise;
}

/** docker 29 writes the option in one word, and so do lists of what a key may run. */
function plainCommand(socketPath: string | undefined): string {
	return socketPath === undefined
		? "docker system dial-stdio"
		: `docker --host=unix://${/^[\w./-]+$/.test(socketPath) ? socketPath : quoted(socketPath)} system dial-stdio`;
}

interface Greeting {
	/** Where in what has come so far the daemon's own bytes begin; undefined while that is not known. */
	endOfGreeting(output: Buffer): number | undefined;
}

/** A stream that begins after the greeting, and fails when the command does. */
async function dialled(
	{ place }: RemoteHost,
	command: RemoteCommand,
	signal: AbortSignal,
	greeting: Greeting,
): Promise<DaemonStream> {
	const { channel } = command;
	let stderr = "";
	channel.stderr.on("data", (chunk: Buffer) => {
		stderr = (stderr + chunk.toString("utf8")).slice(-STDERR_LIMIT);
	});
	const giveUp = () => channel.close();
	const timer = setTimeout(giveUp, GREETING_TIMEOUT_MS);
	signal.addEventListener("abort", giveUp, { once: true });
	if (signal.aborted) giveUp();
	try {
		await skipGreeting(channel, greeting, () => stderr);
	} catch (error) {
		throw signal.aborted ? connectInterrupted(place) : error;
	} finally {
		clearTimeout(timer);
		signal.removeEventListener("abort", giveUp);
	}
	return command.stream((code) =>
		code === 0 || code === undefined
			? undefined
			: new ConnectionError(
					"lost",
					`lost the docker daemon on ${place}: docker system dial-stdio ended with ${code ?? "a signal"}: ${tailOf(stderr)}`,
				),
	);
}

/** What a noisy shell may print before the greeting ends, in bytes. */
const GREETING_LIMIT = 1024 * 1024;

/** Reads up to the greeting's end and puts back what came after it. */
function skipGreeting(
	channel: CommandChannel,
	{ endOfGreeting }: Greeting,
	stderr: () => string,
): Promise<void> {
	return new Promise((resolve, reject) => {
		let output: Buffer = Buffer.alloc(0);
		let code: number | null | undefined;
		const settle = () => {
			channel.pause();
			channel.off("data", onData).off("exit", onExit).off("close", onClose);
		};
		const look = () => {
			const end = endOfGreeting(output);
			if (end === undefined) {
				if (output.length > GREETING_LIMIT) channel.close();
				return;
			}
			settle();
			if (output.length > end) channel.unshift(output.subarray(end));
			resolve();
		};
		const onData = (chunk: Buffer) => {
			output = Buffer.concat([output, chunk]);
			look();
		};
		const onExit = (exitCode: number | null) => {
			code = exitCode;
		};
		const onClose = () => {
			settle();
			reject(new DialStdioFailure(stderr(), code));
		};
		channel.on("data", onData).on("exit", onExit).on("close", onClose);
		look();
	});
}
