import type { Socket } from "node:net";
import { isIP } from "node:net";
import { connect, type TLSSocket } from "node:tls";
import { ConnectionError, RbuildError } from "../errors.js";
import {
	connectError,
	connectInterrupted,
	connectSocket,
	type Destination,
} from "./connect-socket.js";
import { tlsFailure } from "./tls-failure.js";
import type { TlsMaterial } from "./tls-material.js";
import { TlsStream } from "./tls-stream.js";

/** With TLS, the other side of a connection is known to be what its certificate says. */
interface TlsDestination extends Destination {
	readonly address: { readonly host: string; readonly port: number };
}

interface TlsConnection {
	readonly stream: TlsStream;
	/** What it runs on, which counts the bytes on the wire. */
	readonly socket: Socket;
}

/**
 * Connects over TCP and agrees on TLS, 1.2 or later as docker does (docker/go-connections, tlsconfig).
 * @param onConnect called between the two
 * @throws ConnectionError that tells the causes apart; InterruptedError
 */
export async function connectTls(
	destination: TlsDestination,
	material: TlsMaterial,
	signal: AbortSignal,
	onConnect: (socket: Socket) => void,
): Promise<TlsConnection> {
	const socket = await connectSocket(destination, signal);
	onConnect(socket);
	const explain = (error: Error) =>
		tlsFailure(error, destination.place, destination.address.host, material);
	const secure = await greet(socket, destination, material, explain, signal);
	// In TLS 1.3 the handshake is over for us before the other side has seen our certificate: that it is
	// refused is an error of the stream.
	return { stream: new TlsStream(secure, explain), socket };
}

function greet(
	socket: Socket,
	destination: TlsDestination,
	material: TlsMaterial,
	explain: (error: Error) => ConnectionError | undefined,
	signal: AbortSignal,
): Promise<TLSSocket> {
	const { address, place, timeoutMs } = destination;
	const { verify, ca, identity } = material;
	return new Promise((resolve, reject) => {
		const stream = connect({
			socket,
			// It is what the certificate has to be for; as a server name, addresses are not allowed.
			host: address.host,
			...(isIP(address.host) ? {} : { servername: address.host }),
			minVersion: "TLSv1.2",
			rejectUnauthorized: verify,
			...(ca === undefined ? {} : { ca }),
			...(identity === undefined ? {} : { cert: identity.certificate, key: identity.key }),
		});
		const giveUp = (error: Error) => {
			settle();
			stream.on("error", () => {});
			stream.destroy();
			socket.destroy();
			reject(
				error instanceof RbuildError ? error : (explain(error) ?? connectError(destination, error)),
			);
		};
		const onAbort = () => giveUp(connectInterrupted(place));
		const onClose = () => giveUp(closed(place));
		const onSecure = () => {
			settle();
			resolve(stream);
		};
		const timer = setTimeout(() => {
			const hint = "does the daemon use TLS on that port?";
			const reason = `no answer to TLS within ${timeoutMs / 1000} s`;
			giveUp(new ConnectionError("timed-out", `cannot reach ${place}: ${reason}`, { hint }));
		}, timeoutMs);
		const settle = () => {
			clearTimeout(timer);
			signal.removeEventListener("abort", onAbort);
			stream.off("error", giveUp).off("secureConnect", onSecure).off("close", onClose);
		};
		signal.addEventListener("abort", onAbort);
		stream.on("error", giveUp).on("secureConnect", onSecure).on("close", onClose);
		if (signal.aborted) onAbort();
	});
}

function closed(place: string): ConnectionError {
	return new ConnectionError(
		"protocol",
		`cannot reach ${place}: it closed the connection during the TLS handshake`,
		{
			hint: "does the daemon use TLS on that port?",
		},
	);
}
