import { connect, type NetConnectOpts, type Socket } from "node:net";
import { ConnectionError, type ConnectionFailure, InterruptedError } from "../errors.js";
import { systemReason } from "../system-reason.js";

/**
 * How long one address of a host may take before the next one is tried as well; node's own 250 ms
 * would give up on addresses that are only far away.
 */
const NEXT_ADDRESS_AFTER_MS = 1_500;

/** Most telling first: of a host's many addresses, one that refuses says more than one without route. */
const FAILURES: readonly (readonly [code: string, failure: ConnectionFailure, reason: string])[] = [
	["ENOTFOUND", "unresolved", "the name does not resolve"],
	["EAI_AGAIN", "unresolved", "the name cannot be resolved now (no answer from the name server)"],
	["ECONNREFUSED", "refused", "connection refused"],
	["ECONNRESET", "refused", "connection reset"],
	["ETIMEDOUT", "timed-out", "no answer"],
	["EHOSTUNREACH", "unreachable", "no route to the host"],
	["EHOSTDOWN", "unreachable", "the host is down"],
	["ENETUNREACH", "unreachable", "the network is unreachable"],
	["ENETDOWN", "unreachable", "the network is down"],
	["ENOENT", "socket-missing", "no such socket"],
	["ENOTSOCK", "socket-missing", "that is not a socket"],
	["EADDRNOTAVAIL", "unreachable", "this machine does not have the address to connect from"],
	["EACCES", "socket-permission", "permission denied"],
	["EPERM", "socket-permission", "permission denied"],
];

export interface Destination {
	/** For messages, such as "x86box (192.168.31.100:22)". */
	readonly place: string;
	readonly address:
		| { readonly path: string }
		| {
				readonly host: string;
				readonly port: number;
				/** Only addresses of this kind. */
				readonly family?: 4 | 6 | undefined;
				/** Of this machine, to connect from. */
				readonly localAddress?: string | undefined;
		  };
	readonly timeoutMs: number;
	/** What the user can do about it, where that is known. */
	readonly hint: (failure: ConnectionFailure) => string | undefined;
}

/**
 * Connects a TCP or unix socket.
 * @throws ConnectionError that tells the causes apart; InterruptedError.
 */
export function connectSocket(destination: Destination, signal: AbortSignal): Promise<Socket> {
	const { address, place, timeoutMs } = destination;
	return new Promise((resolve, reject) => {
		if (signal.aborted) {
			reject(connectInterrupted(place));
			return;
		}
		const options: NetConnectOpts =
			"path" in address
				? { path: address.path }
				: { ...address, autoSelectFamilyAttemptTimeout: NEXT_ADDRESS_AFTER_MS };
		const socket = connect({ ...options, noDelay: true, keepAlive: true });
		const giveUp = (error: Error) => {
			settle();
			socket.on("error", () => {});
			socket.destroy();
			reject(error);
		};
		const onAbort = () => giveUp(connectInterrupted(place));
		const onError = (error: Error) => giveUp(connectError(destination, error));
		const onConnect = () => {
			settle();
			// It may fail before its reader listens; the reader then finds it destroyed.
			socket.on("error", () => {});
			resolve(socket);
		};
		const timer = setTimeout(() => {
			giveUp(failed(destination, "timed-out", `no answer within ${timeoutMs / 1000} s`));
		}, timeoutMs);
		const settle = () => {
			clearTimeout(timer);
			signal.removeEventListener("abort", onAbort);
			socket.off("error", onError).off("connect", onConnect);
		};
		signal.addEventListener("abort", onAbort);
		socket.on("error", onError).on("connect", onConnect);
	});
}

/** Such as "192.168.31.100:22"; empty for a unix socket, and for one that is closed already. */
export function addressOf({ remoteAddress = "", remotePort }: Socket): string {
	const host = remoteAddress.includes(":") ? `[${remoteAddress}]` : remoteAddress;
	return remotePort === undefined ? host : `${host}:${remotePort}`;
}

/** What is aborted on the way to a daemon fails with this. */
export function connectInterrupted(place: string): InterruptedError {
	return new InterruptedError(`interrupted while connecting to ${place}`);
}

/** @internal Exported for its test: which of the many reasons of one attempt is told. */
export function connectError(destination: Destination, error: Error): ConnectionError {
	const errors = error instanceof AggregateError ? error.errors : [error];
	const codes = errors.map(codeOf);
	for (const [code, failure, reason] of FAILURES) {
		if (codes.includes(code)) {
			return failed(destination, failure, reason, error);
		}
	}
	return failed(destination, "unreachable", systemReason(errors.find(codeOf) ?? error), error);
}

function codeOf(error: NodeJS.ErrnoException): string | undefined {
	return error.code;
}

function failed(
	{ place, hint }: Destination,
	failure: ConnectionFailure,
	reason: string,
	cause?: Error,
): ConnectionError {
	return new ConnectionError(failure, `cannot reach ${place}: ${reason}`, {
		hint: hint(failure),
		cause,
	});
}
