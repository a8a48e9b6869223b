import type { Duplex } from "node:stream";
import { ConnectionError } from "../../errors.js";
import type { Emit } from "../../events.js";
import { formatTarget } from "../../target/parse-target.js";
import type { StreamCompression } from "../stream-compression.js";
import type { Transport, WireCounts } from "../transport.js";
import type { SshSettings, SshTarget } from "./config/ssh-settings.js";
import { type DaemonRoute, type FoundRoute, findDaemonRoute } from "./daemon-route/daemon-route.js";
import { readOutput } from "./daemon-route/remote-facts.js";
import { ChannelRefusal, type DaemonStream, type RemoteHost } from "./remote-host.js";
import { SshConnection } from "./ssh-connection.js";
import { SshConnections } from "./ssh-connections.js";
import { wayOf } from "./ssh-link.js";
import { NeedsSystemSsh } from "./system-ssh/needs-system-ssh.js";

interface Host
	extends RemoteHost,
		AsyncDisposable,
		Pick<Transport, "wire" | "compress" | "listen"> {}

interface Call {
	readonly target: SshTarget;
	readonly settings: SshSettings;
	readonly signal: AbortSignal;
	readonly emit: Emit;
	readonly whileWaiting: () => void;
}

/**
 * Logs in and finds the way to the daemon: with ssh2, or with the ssh program of this machine where the
 * settings ask for what ssh2 cannot do, or where that turns out on the way.
 * @throws ConnectionError, UsageError, InterruptedError
 */
export async function openSshTransport(
	target: SshTarget,
	settings: SshSettings,
	signal: AbortSignal,
	emit: Emit,
	whileWaiting: () => void,
): Promise<Transport> {
	try {
		return await openByClient({ target, settings, signal, emit, whileWaiting });
	} catch (error) {
		const { withMeantBox } = await import("./meant-box.js");
		throw await withMeantBox(error, settings);
	}
}

async function openByClient(call: Call): Promise<Transport> {
	const { settings } = call;
	const { sshClient = "auto" } = settings.environment;
	if (sshClient === "system") return await openSystem(call, "--ssh-client system");
	const reason = sshClient === "auto" ? settings.needsSystemSsh : undefined;
	if (reason !== undefined) return await openSystem(call, reason);
	try {
		return await openBuiltin(call);
	} catch (error) {
		if (!(error instanceof NeedsSystemSsh)) throw error;
		if (sshClient === "builtin") throw error.cause ?? error;
		return await openInstead(call, error);
	}
}

async function openInstead(call: Call, need: NeedsSystemSsh): Promise<Transport> {
	try {
		return await openSystem({ ...call, whileWaiting: () => {} }, need.reason);
	} catch (error) {
		const isRefused = error instanceof ConnectionError && error.failure === "not-authenticated";
		throw isRefused ? (need.cause ?? error) : error;
	}
}

async function openBuiltin({ target, settings, ...call }: Call): Promise<Transport> {
	const connect = (whileWaiting: () => void) =>
		SshConnection.open(settings, call.signal, call.emit, whileWaiting);
	const host = new SshConnections(await connect(call.whileWaiting), () => connect(() => {}));
	const way = ["ssh", wayOf(settings)].filter(Boolean).join(" ");
	return await openOver(host, way, target, call.signal);
}

/** @param reason Why it is not ssh2, for people. */
async function openSystem(call: Call, reason: string): Promise<Transport> {
	const { SystemSsh } = await import("./system-ssh/system-ssh.js");
	const opening = SystemSsh.open(call.target, call.settings, call.signal);
	call.whileWaiting();
	const host = await opening;
	return await openOver(host, `the ssh program (${reason})`, call.target, call.signal);
}

async function openOver(
	host: Host,
	way: string,
	target: SshTarget,
	signal: AbortSignal,
): Promise<Transport> {
	try {
		makeServerPrompt(host, signal);
		const found = await findDaemonRoute(host, target.socketPath, signal);
		return new SshTransport(formatTarget(target), way, host, found);
	} catch (error) {
		await host[Symbol.asyncDispose]();
		throw error;
	}
}

/**
 * sshd turns TCP_NODELAY on with the first command of a connection, and only then: small answers come in
 * 1 ms in place of 45 ms (measured). Nobody waits for it, and it may fail.
 */
function makeServerPrompt(host: RemoteHost, signal: AbortSignal): void {
	host.exec("uname -m", signal).then(
		({ channel }) => {
			channel.resume();
			channel.stderr.resume();
			channel.end();
		},
		() => {},
	);
}

class SshTransport implements Transport {
	readonly target: string;
	readonly route: string;
	readonly roundTripMs: number;
	readonly listen?: NonNullable<Transport["listen"]>;
	readonly #host: Host;
	readonly #route: DaemonRoute;
	/** The streams for those who ask first. */
	readonly #ahead: Promise<DaemonStream | undefined>[];

	constructor(target: string, way: string, host: Host, { route, ahead }: FoundRoute) {
		this.target = target;
		this.route = `${way}, ${route.name}`;
		this.roundTripMs = route.roundTripMs;
		this.#host = host;
		const { listen } = host;
		if (listen !== undefined) this.listen = (...args) => listen.apply(host, args);
		this.#route = route;
		this.#ahead = [...ahead];
	}

	get wire(): WireCounts {
		return this.#host.wire;
	}

	async open(signal: AbortSignal): Promise<Duplex> {
		const stream = await this.#ahead.shift();
		if (stream?.isOpen && !signal.aborted) {
			return stream;
		}
		stream?.destroy();
		return await this.#route.open(signal);
	}

	async ask(command: string, signal: AbortSignal): Promise<string> {
		try {
			const { channel } = await this.#host.exec(command, signal);
			return await readOutput(channel, this.#host.place, signal);
		} catch (error) {
			if (error instanceof ChannelRefusal) return "";
			throw error;
		}
	}

	compress(): StreamCompression {
		return this.#host.compress();
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.#host[Symbol.asyncDispose]();
	}
}
