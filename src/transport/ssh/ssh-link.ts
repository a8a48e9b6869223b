import type { Duplex } from "node:stream";
import { ConnectionError, type ConnectionFailure } from "../../errors.js";
import type { ChannelSocket } from "../channel-socket.js";
import { connectInterrupted, connectSocket } from "../connect-socket.js";
import type { WireCounts } from "../transport.js";
import type { SshSettings } from "./config/ssh-settings.js";

/** A net.Socket, or what stands in for one. */
export type CountedStream = Duplex & { readonly bytesRead: number; readonly bytesWritten: number };

/** What carries one ssh connection. */
export interface SshLink {
	readonly stream: CountedStream;
	/** The bytes on the network: with a jump host, those of the connection to the first one. */
	wire(): WireCounts;
	/** What the way itself has to say about a failure; empty where it says nothing. */
	complaint(): string;
	/** Closes what lies below the stream, which is closed by then. */
	close(): Promise<void>;
}

/** A connection to a jump host. */
export interface Hop extends AsyncDisposable {
	readonly place: string;
	readonly wire: WireCounts;
	/** @throws ChannelRefusal, ConnectionError, InterruptedError */
	forward(host: string, port: number, signal: AbortSignal): Promise<ChannelSocket>;
}

/** For messages, such as "x86box (192.168.31.100:22)" or "x86box (10.0.0.5:22 through gate)". */
export function placeOf(settings: SshSettings): string {
	const { alias, hostName, port } = settings;
	const address = hostName.includes(":") ? `[${hostName}]:${port}` : `${hostName}:${port}`;
	const way = wayOf(settings);
	const whole = way === "" ? address : `${address} ${way}`;
	return alias === hostName && way === "" ? address : `${alias} (${whole})`;
}

/** Such as "through outer, gate" or "through a ProxyCommand"; empty where the host is called directly. */
export function wayOf({ proxy }: SshSettings): string {
	if (proxy === undefined) return "";
	if (proxy.kind === "command") return "through a ProxyCommand";
	const before = wayOf(proxy.through);
	return before === "" ? `through ${proxy.through.alias}` : `${before}, ${proxy.through.alias}`;
}

/**
 * Gets to the port of an sshd, as its settings say.
 * @param openHop how a jump host is logged in to
 * @throws ConnectionError, InterruptedError, and what openHop throws
 */
export async function openLink(
	settings: SshSettings,
	signal: AbortSignal,
	openHop: (settings: SshSettings) => Promise<Hop>,
): Promise<SshLink> {
	const { proxy } = settings;
	if (proxy === undefined) return await openDirect(settings, signal);
	if (proxy.kind === "command") return await startProxy(proxy.command, settings);
	const hop = await openHop(proxy.through);
	try {
		return await openThrough(hop, settings, signal);
	} catch (error) {
		await hop[Symbol.asyncDispose]();
		throw error;
	}
}

async function openDirect(settings: SshSettings, signal: AbortSignal): Promise<SshLink> {
	const { hostName: host, port, addressFamily: family, bindAddress: localAddress } = settings;
	const socket = await connectSocket(
		{
			place: placeOf(settings),
			address: {
				host,
				port,
				...(family === undefined ? {} : { family }),
				...(localAddress === undefined ? {} : { localAddress }),
			},
			timeoutMs: settings.connectTimeoutMs,
			hint: (failure) => HINTS[failure],
		},
		signal,
	);
	return linkOf(socket);
}

async function startProxy(command: string, { environment }: SshSettings): Promise<SshLink> {
	const { ProxyProcess } = await import("./proxy-process.js");
	const proxy = new ProxyProcess(command, environment);
	const complaint = () => proxy.complaint && `the ProxyCommand said: ${proxy.complaint}`;
	return { ...linkOf(proxy), complaint };
}

async function openThrough(hop: Hop, settings: SshSettings, signal: AbortSignal): Promise<SshLink> {
	const { hostName, port, connectTimeoutMs } = settings;
	const place = placeOf(settings);
	const patience = AbortSignal.timeout(connectTimeoutMs);
	const giveUp = AbortSignal.any([signal, patience]);
	try {
		const stream = await hop.forward(hostName, port, giveUp);
		return {
			...linkOf(stream),
			wire: () => hop.wire,
			close: async () => await hop[Symbol.asyncDispose](),
		};
	} catch (error) {
		if (signal.aborted) throw connectInterrupted(place);
		const reason = patience.aborted
			? `no answer within ${connectTimeoutMs / 1000} s`
			: (error as Error).message;
		if (error instanceof ConnectionError && !patience.aborted) throw error;
		throw refusedBy(hop, place, reason);
	}
}

/** sshd's words for a connection that it could not make (RFC 4254, section 5.1, and connect(2)). */
function refusedBy(hop: Hop, place: string, reason: string): ConnectionError {
	const failure: ConnectionFailure = /refused/i.test(reason)
		? "refused"
		: /name|resolv|known/i.test(reason)
			? "unresolved"
			: /time|answer/i.test(reason)
				? "timed-out"
				: "unreachable";
	const why = reason.replace(/^\(SSH\) Channel open failure: /, "");
	return new ConnectionError(
		failure,
		`cannot reach ${place}: ${hop.place} cannot get there: ${why}`,
		{
			hint: /prohibited|open failed/i.test(reason)
				? "does sshd_config there say AllowTcpForwarding no?"
				: HINTS[failure],
		},
	);
}

function linkOf(stream: CountedStream): SshLink {
	return {
		stream,
		wire: () => ({ sent: stream.bytesWritten, received: stream.bytesRead }),
		complaint: () => "",
		close: async () => {},
	};
}

const HINTS: Partial<Record<ConnectionFailure, string>> = {
	unresolved: "check the spelling, or give the alias a HostName in ~/.ssh/config",
	refused: "is sshd running there, and is the port right? Name another as user@host:port",
	"timed-out": "is the box on, and does a firewall let ssh through?",
	unreachable: "is the network or VPN up?",
};
