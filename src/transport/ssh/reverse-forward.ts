import type { AcceptConnection, Client, ClientChannel, TcpConnectionDetails } from "ssh2";
import { connectInterrupted } from "../connect-socket.js";
import { ListenRefusal, type LoopbackPort } from "../transport.js";

/** By number: sshd would bind a name in both families, and names the port of a stream as it was asked for. */
const LOOPBACK = "127.0.0.1";

/** How long a server may keep the question to itself, in milliseconds. */
const ANSWER_TIMEOUT_MS = 15_000;

/**
 * Has sshd listen on a free port of its loopback address ("tcpip-forward", RFC 4254 section 7.1), whose
 * connections come here as channels.
 *
 * @param place of the server, for messages
 * @throws ListenRefusal, InterruptedError
 */
export function forwardFromServer(
	client: Client,
	place: string,
	onChannel: (channel: ClientChannel) => void,
	signal: AbortSignal,
): Promise<LoopbackPort> {
	return new Promise((resolve, reject) => {
		let isOver = false;
		const settle = () => {
			isOver = true;
			clearTimeout(timer);
			signal.removeEventListener("abort", onAbort);
		};
		const refuse = (reason: string) => {
			settle();
			reject(new ListenRefusal(reason));
		};
		const onAbort = () => {
			settle();
			reject(connectInterrupted(place));
		};
		const timer = setTimeout(refuse, ANSWER_TIMEOUT_MS, "the ssh server does not answer");
		if (signal.aborted) return onAbort();
		signal.addEventListener("abort", onAbort);
		try {
			client.forwardIn(LOOPBACK, 0, (error, port) => {
				// By AllowTcpForwarding, PermitListen, DisableForwarding, or "restrict" in authorized_keys.
				if (error) return refuse("the ssh server does not allow reverse forwarding");
				const opened = openPort(client, port, onChannel);
				// Nobody waits for a port that comes too late.
				if (isOver) return void opened[Symbol.asyncDispose]();
				settle();
				resolve(opened);
			});
		} catch (error) {
			// ssh2 throws when the connection is already closed.
			refuse((error as Error).message);
		}
	});
}

function openPort(
	client: Client,
	port: number,
	onChannel: (channel: ClientChannel) => void,
): LoopbackPort {
	let open = true;
	const onConnection = (
		{ destPort }: TcpConnectionDetails,
		accept: AcceptConnection<ClientChannel>,
		reject: () => void,
	) => {
		if (destPort !== port) return;
		if (open) onChannel(accept());
		else reject();
	};
	client.on("tcp connection", onConnection);
	return {
		port,
		async [Symbol.asyncDispose]() {
			open = false;
			try {
				client.unforwardIn(LOOPBACK, port, () => client.off("tcp connection", onConnection));
			} catch {
				// The connection is gone, and the port with it.
			}
		},
	};
}
