import { RbuildError } from "../../../errors.js";
import { DEFAULT_SOCKET } from "../../../target/daemon-sockets.js";
import { ChannelRefusal, type DaemonStream, type RemoteHost } from "../remote-host.js";
import {
	DialStdioFailure,
	firstPlainStdio,
	openDialStdio,
	openPlainStdio,
	type StdioClient,
} from "./dial-stdio.js";
import { explainFailedRoutes, quoted } from "./remote-daemon.js";
import { askRemoteFacts, type RemoteFacts } from "./remote-facts.js";

/** How streams get from sshd to the daemon. */
export interface DaemonRoute {
	readonly name: "streamlocal" | "dial-stdio";
	/** One round trip to the server, in milliseconds. */
	readonly roundTripMs: number;
	/** @throws ConnectionError that tells why the daemon is out of reach; InterruptedError */
	open(signal: AbortSignal): Promise<DaemonStream>;
}

export interface FoundRoute {
	readonly route: DaemonRoute;
	/** The streams by which it was found, for those who ask first. */
	readonly ahead: readonly Promise<DaemonStream | undefined>[];
}

/**
 * The requests that a build begins with, all at once: the daemon's greeting takes two, and there are
 * base images to ask for. Each stream takes a round trip to open, and where it leads straight to the
 * socket, it costs the box no more than an idle connection.
 */
const STREAMS_AHEAD = 4;

/**
 * Straight to the daemon's socket where it is at its usual place and sshd allows that, which takes one
 * round trip. Else the box is asked where its daemon is, and how one gets there: straight to a socket
 * of the user's own, or through a docker client of the box.
 * @param socketPath Absent: docker's default socket, or what the box itself would use.
 * @throws ConnectionError that tells why neither works; InterruptedError
 */
export async function findDaemonRoute(
	host: RemoteHost,
	socketPath: string | undefined,
	signal: AbortSignal,
): Promise<FoundRoute> {
	const usual = new StreamLocalRoute(host, socketPath ?? DEFAULT_SOCKET);
	const found = await usual.find(signal);
	if (found !== undefined) return found;
	const facts = await factsOrNothing(host, socketPath, signal);
	const elsewhere = facts && (await findElsewhere(host, facts, signal));
	if (elsewhere !== undefined) return elsewhere;
	try {
		return await findDialStdio({ host, socketPath, facts, usual }, signal);
	} catch (error) {
		throw explained(error, { host, socketPath, facts });
	}
}

/**
 * A socket that is not the usual one: $DOCKER_HOST's, and where there is no usual one that of a daemon
 * without root, of podman, or of a Mac's virtual machine.
 */
async function findElsewhere(
	host: RemoteHost,
	{ sockets, dockerHost = "unix:" }: RemoteFacts,
	signal: AbortSignal,
): Promise<FoundRoute | undefined> {
	if (!dockerHost.startsWith("unix:")) return undefined;
	for (const { path, state } of sockets) {
		if (state === "denied") continue;
		if (path === DEFAULT_SOCKET) return undefined;
		const found = await new StreamLocalRoute(host, path).find(signal);
		if (found !== undefined) return found;
	}
	return undefined;
}

interface Search {
	readonly host: RemoteHost;
	readonly socketPath: string | undefined;
	readonly facts: RemoteFacts | undefined;
	readonly usual: StreamLocalRoute;
}

async function findDialStdio(
	{ host, socketPath, facts, usual: { roundTripMs } }: Search,
	signal: AbortSignal,
): Promise<FoundRoute> {
	if (facts === undefined) {
		const noise = await firstPlainStdio(host, socketPath, signal);
		const dial: Dial = (during) => openPlainStdio(host, socketPath, noise, during);
		return { route: new DialStdioRoute(host, socketPath, roundTripMs, dial), ahead: [] };
	}
	const client = clientOf(facts, socketPath);
	if (client === undefined) throw explainFailedRoutes(host, { socketPath, facts });
	const first = await openDialStdio(host, client, { isProven: false }, signal);
	const dial: Dial = (during) => openDialStdio(host, client, { isProven: true }, during);
	return {
		route: new DialStdioRoute(host, socketPath, roundTripMs, dial),
		ahead: [Promise.resolve(first)],
	};
}

function clientOf(
	{ docker, podman, sockets, dockerHost }: RemoteFacts,
	named: string | undefined,
): StdioClient | undefined {
	const usable = sockets.find(({ state }) => state === "usable")?.path;
	if (docker !== undefined) {
		// Where its own choice may be the right one, a context of the docker client there counts too.
		const itsOwn = dockerHost !== undefined || usable === DEFAULT_SOCKET;
		const socketPath = named ?? (itsOwn ? undefined : usable);
		return { program: quoted(docker), socketOption: "-H", socketPath };
	}
	return podman === undefined
		? undefined
		: { program: quoted(podman), socketOption: "--url", socketPath: named ?? usable };
}

class StreamLocalRoute implements DaemonRoute {
	readonly name = "streamlocal";
	roundTripMs = Number.POSITIVE_INFINITY;
	readonly #host: RemoteHost;
	readonly #socketPath: string;

	constructor(host: RemoteHost, socketPath: string) {
		this.#host = host;
		this.#socketPath = socketPath;
	}

	/** @returns undefined where the server opens no stream to that socket. */
	async find(signal: AbortSignal): Promise<FoundRoute | undefined> {
		const first = this.#connect(signal);
		const others = Array.from({ length: STREAMS_AHEAD - 1 }, () =>
			this.#connect(signal).catch(() => undefined),
		);
		try {
			await first;
			return { route: this, ahead: [first, ...others] };
		} catch (error) {
			for (const other of others) other.then((stream) => stream?.destroy());
			if (error instanceof ChannelRefusal) return undefined;
			throw error;
		}
	}

	async open(signal: AbortSignal): Promise<DaemonStream> {
		try {
			return await this.#connect(signal);
		} catch (error) {
			if (error instanceof RbuildError) {
				throw error;
			}
			const facts = await factsOrNothing(this.#host, this.#socketPath, signal);
			throw explainFailedRoutes(this.#host, { socketPath: this.#socketPath, facts });
		}
	}

	async #connect(signal: AbortSignal): Promise<DaemonStream> {
		const started = performance.now();
		try {
			return await this.#host.openStreamLocal(this.#socketPath, signal);
		} finally {
			const took = this.#host.roundTripMs ?? performance.now() - started;
			this.roundTripMs = Math.min(this.roundTripMs, took);
		}
	}
}

type Dial = (signal: AbortSignal) => Promise<DaemonStream>;

class DialStdioRoute implements DaemonRoute {
	readonly name = "dial-stdio";
	readonly roundTripMs: number;
	readonly #host: RemoteHost;
	readonly #socketPath: string | undefined;
	readonly #dial: Dial;

	constructor(host: RemoteHost, socketPath: string | undefined, roundTripMs: number, dial: Dial) {
		this.#host = host;
		this.#socketPath = socketPath;
		this.roundTripMs = roundTripMs;
		this.#dial = dial;
	}

	async open(signal: AbortSignal): Promise<DaemonStream> {
		try {
			return await this.#dial(signal);
		} catch (error) {
			if (error instanceof RbuildError) throw error;
			const facts = await factsOrNothing(this.#host, this.#socketPath, signal);
			throw explained(error, { host: this.#host, socketPath: this.#socketPath, facts });
		}
	}
}

/** What is to be told of a dial-stdio that came to nothing. */
function explained(
	error: unknown,
	{ host, socketPath, facts }: Pick<Search, "host" | "socketPath" | "facts">,
): unknown {
	if (!(error instanceof DialStdioFailure || error instanceof ChannelRefusal)) {
		return error;
	}
	return explainFailedRoutes(host, {
		socketPath,
		facts,
		dialStdio: {
			stderr: error.message,
			code: error instanceof DialStdioFailure ? error.code : undefined,
		},
	});
}

/** Facts only show the way or make an error clearer: where they cannot be had, one goes without. */
function factsOrNothing(
	host: RemoteHost,
	socketPath: string | undefined,
	signal: AbortSignal,
): Promise<RemoteFacts | undefined> {
	return askRemoteFacts(host, socketPath, signal).catch(() => undefined);
}
