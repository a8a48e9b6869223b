import { randomUUID } from "node:crypto";
import type { ClientChannel } from "ssh2";
import { ConnectionError } from "../../errors.js";
import type { ChannelSocket } from "../channel-socket.js";
import { interrupted } from "../connect-socket.js";
import { quoted, tailOf } from "./remote-daemon.js";
import type { SshConnection } from "./ssh-connection.js";

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

export interface DialStdioRequest {
	/** Absent: whatever the docker client there uses by itself, its contexts and DOCKER_HOST included. */
	readonly socketPath: string | undefined;
	/** Let the docker client prove first that its daemon answers. */
	readonly verify: boolean;
	/** Aborted when silence is to be taken for a forced command that waits for us to speak first. */
	readonly giveUpGreeting?: AbortSignal;
}

/**
 * A stream to the daemon through the docker client of the box (docker 18.09). A line of our own goes
 * before it, so that what the login shell prints at its start is not taken for the daemon's answer.
 * @throws DialStdioFailure, ChannelRefusal, ConnectionError, InterruptedError
 */
export async function openDialStdio(
	connection: SshConnection,
	request: DialStdioRequest,
	signal: AbortSignal,
): Promise<ChannelSocket> {
	const marker = `rbuild-${randomUUID()}`;
	const docker =
		request.socketPath === undefined
			? "docker"
			: `docker -H ${quoted(`unix://${request.socketPath}`)}`;
	const command = [
		...(request.verify ? [`${docker} version --format '{{.Client.Version}}' >/dev/null`] : []),
		`printf '\\n%s\\n' ${marker}`,
		`exec ${docker} system dial-stdio`,
	].join(" && ");
	const channel = await connection.exec(command, signal);

	let stderr = "";
	channel.stderr.on("data", (chunk: Buffer) => {
		stderr = (stderr + chunk.toString("utf8")).slice(-STDERR_LIMIT);
	});
	const giveUp = () => channel.close();
	const timer = setTimeout(giveUp, GREETING_TIMEOUT_MS);
	signal.addEventListener("abort", giveUp, { once: true });
	try {
		await skipGreeting(marker, channel, request.giveUpGreeting, () => stderr);
	} catch (error) {
		throw signal.aborted ? interrupted(connection.place) : error;
	} finally {
		clearTimeout(timer);
		signal.removeEventListener("abort", giveUp);
	}
	return connection.socketOf(channel, (code) =>
		code === 0 || code === undefined
			? undefined
			: new ConnectionError(
					"lost",
					`lost the docker daemon on ${connection.place}: docker system dial-stdio ended with ${code ?? "a signal"}: ${tailOf(stderr)}`,
				),
	);
}

/** Reads up to the marker's line and puts back what came after it. */
function skipGreeting(
	marker: string,
	channel: ClientChannel,
	giveUp: AbortSignal | undefined,
	stderr: () => string,
): Promise<void> {
	return new Promise((resolve, reject) => {
		const line = `${marker}\n`;
		let output = Buffer.alloc(0);
		let code: number | null | undefined;
		const settle = () => {
			channel.pause();
			channel.off("data", onData).off("exit", onExit).off("close", onClose);
			giveUp?.removeEventListener("abort", onSilence);
		};
		const onData = (chunk: Buffer) => {
			output = Buffer.concat([output, chunk]);
			const start = output.indexOf(line);
			if (start < 0) {
				output = output.subarray(-line.length);
				return;
			}
			settle();
			const rest = output.subarray(start + line.length);
			if (rest.length > 0) {
				channel.unshift(rest);
			}
			resolve();
		};
		const onExit = (exitCode: number | null) => {
			code = exitCode;
		};
		const onClose = () => {
			settle();
			reject(new DialStdioFailure(stderr(), code));
		};
		const onSilence = () => {
			if (output.length === 0) {
				settle();
				resolve();
			}
		};
		channel.on("data", onData).on("exit", onExit).on("close", onClose);
		if (giveUp?.aborted) {
			onSilence();
		}
		giveUp?.addEventListener("abort", onSilence, { once: true });
	});
}
