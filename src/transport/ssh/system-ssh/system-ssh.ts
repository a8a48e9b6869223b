import { mkdtemp, rm } from "node:fs/promises";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ConnectionError } from "../../../errors.js";
import { systemReason } from "../../../system-reason.js";
import { connectInterrupted } from "../../connect-socket.js";
import { noCompression, type StreamCompression } from "../../stream-compression.js";
import type { WireCounts } from "../../transport.js";
import type { SshSettings, SshTarget } from "../config/ssh-settings.js";
import {
	ChannelRefusal,
	type DaemonStream,
	type RemoteCommand,
	type RemoteHost,
} from "../remote-host.js";
import { placeOf } from "../ssh-link.js";
import { userQuestions } from "../user-questions.js";
import { connectTo, controlPath, isAlive } from "./control-socket.js";
import { ForwardedSockets } from "./forwarded-sockets.js";
import { RelayedStream } from "./relayed-stream.js";
import { SshProcess } from "./ssh-process.js";
import { SshProgram } from "./ssh-program.js";
import { sshProgramFailure } from "./ssh-program-failure.js";

/** How long the shared connection outlives an rbuild that was killed, in seconds. */
const PERSIST_SECONDS = 15;
/** At least: a first guess at the time of one. */
const ROUND_TRIPS_OF_A_LOGIN = 8;
/** How long a daemon may take to answer a first ping, in ms; what is still open by then leads to one. */
const PING_MS = 5_000;

/**
 * A machine that the ssh program of this one has logged in to, with all that it knows and ssh2 does not.
 * One connection carries everything (ControlMaster): commands, and streams to sockets by a forwarded
 * socket in a folder that only this user can enter. Windows' OpenSSH shares no connections: there, each
 * command is a login of its own, as it is with docker.
 */
export class SystemSsh implements RemoteHost, AsyncDisposable {
	readonly place: string;
	readonly user: string;
	roundTripMs = Number.POSITIVE_INFINITY;
	readonly #settings: SshSettings;
	readonly #program: SshProgram;
	readonly #folder: string | undefined;
	readonly #forwarded: ForwardedSockets | undefined;
	/** So many have been asked for. */
	#forwards = 0;
	readonly #open = new Set<RelayedStream>();
	#closed: WireCounts = { sent: 0, received: 0 };
	/** Held open to the shared connection: ends with it, and keeps it for as long as this process lives. */
	#lifeline: Socket | undefined;
	#lost: ConnectionError | undefined;
	readonly #closing = new AbortController();

	/** @throws ConnectionError, InterruptedError */
	static async open(
		target: SshTarget,
		settings: SshSettings,
		signal: AbortSignal,
	): Promise<SystemSsh> {
		const isShared = settings.environment.platform !== "win32";
		const folder = isShared ? await folderOfSockets(placeOf(settings)) : undefined;
		const host = new SystemSsh(target, settings, folder);
		try {
			await host.#logIn(signal);
			return host;
		} catch (error) {
			await host[Symbol.asyncDispose]();
			throw error;
		}
	}

	private constructor(target: SshTarget, settings: SshSettings, folder: string | undefined) {
		this.place = placeOf(settings);
		this.user = settings.user;
		this.#settings = settings;
		this.#folder = folder;
		this.#program = new SshProgram(target, settings, folder);
		if (folder === undefined) return;
		this.#forwarded = new ForwardedSockets(this.place, (path) => this.#forward(folder, path));
	}

	/** Bytes on the streams: what ssh itself adds to them cannot be seen from here. */
	get wire(): WireCounts {
		let { sent, received } = this.#closed;
		for (const stream of this.#open) {
			sent += stream.bytesWritten;
			received += stream.bytesRead;
		}
		return { sent, received };
	}

	/** OpenSSH compresses a connection as a whole or not at all. */
	compress(): StreamCompression {
		return noCompression();
	}

	async openStreamLocal(socketPath: string, signal: AbortSignal): Promise<DaemonStream> {
		const [folder, forwarded] = [this.#folder, this.#forwarded];
		if (folder === undefined || forwarded === undefined || /[:\s]/.test(socketPath)) {
			throw new ChannelRefusal("the ssh program cannot forward that");
		}
		const local = await forwarded.find(socketPath, signal);
		return this.#connect(local, folder, signal);
	}

	async exec(command: string, signal: AbortSignal): Promise<RemoteCommand> {
		if (signal.aborted) throw connectInterrupted(this.place);
		if (this.#lost !== undefined) throw this.#lost;
		const channel = this.#counted(new SshProcess(this.#program.spawn(["--", this.#host, command])));
		return { channel, stream: (failureOf) => channel.asStream(failureOf) };
	}

	execLasting(command: string, signal: AbortSignal): Promise<RemoteCommand> {
		return this.exec(command, signal);
	}

	async [Symbol.asyncDispose](): Promise<void> {
		this.#lost ??= new ConnectionError("lost", `the connection to ${this.place} is closed`);
		this.#closing.abort();
		this.#lifeline?.destroy();
		for (const stream of this.#open) stream.destroy();
		if (this.#folder === undefined) return;
		await this.#program.control(this.#folder, "exit").catch(() => {});
		// The ssh program may be removing what it made there, too. What stays is of no consequence.
		await rm(this.#folder, { recursive: true, force: true, maxRetries: 3 }).catch(() => {});
	}

	get #host(): string {
		return this.#settings.alias;
	}

	async #logIn(signal: AbortSignal): Promise<void> {
		const { environment, batchMode, connectTimeoutMs, strictHostKeyChecking } = this.#settings;
		const mayAsk = !batchMode && userQuestions(environment) !== undefined;
		const options = [
			`ConnectTimeout=${Math.ceil(connectTimeoutMs / 1000)}`,
			...(mayAsk ? [] : ["BatchMode=yes"]),
			// With "no", ssh warns of a key that has changed, and goes on.
			...(strictHostKeyChecking === "no" ? ["StrictHostKeyChecking=accept-new"] : []),
		].flatMap((option) => ["-o", option]);
		// With -f it ends once it is in, and goes on in the background.
		const sharing = [
			"ControlMaster=yes",
			`ControlPersist=${PERSIST_SECONDS}`,
			"RemoteCommand=none",
		];
		const what =
			this.#folder === undefined
				? ["--", this.#host, "exit"]
				: [...sharing.flatMap((option) => ["-o", option]), "-N", "-f", "--", this.#host];
		const started = performance.now();
		using _terminal = mayAsk ? environment.prompt?.lend?.() : undefined;
		const { code, stderr } = await this.#program.run([...options, ...what], signal);
		if (signal.aborted) throw connectInterrupted(this.place);
		const isIn = this.#folder === undefined ? code !== 255 : code === 0;
		if (!isIn) throw sshProgramFailure(stderr, this.place, this.#settings.sshArguments);
		this.roundTripMs = (performance.now() - started) / ROUND_TRIPS_OF_A_LOGIN;
		if (this.#folder !== undefined) await this.#holdOn(this.#folder, signal);
	}

	async #holdOn(folder: string, signal: AbortSignal): Promise<void> {
		const lifeline = await connectTo(controlPath(folder), signal, this.place);
		this.#lifeline = lifeline.resume();
		lifeline.unref();
		lifeline
			.on("error", () => {})
			.once("close", () => {
				const lost = this.#lose();
				for (const stream of this.#open) stream.destroy(lost);
			});
	}

	/** The ssh program takes streams to any socket and closes those that lead nowhere: a ping tells. */
	async #forward(folder: string, socketPath: string): Promise<string> {
		const local = join(folder, String(this.#forwards++));
		await this.#program
			.control(folder, "forward", ["-L", `${local}:${socketPath}`])
			.catch((error: Error) => {
				throw this.#lost ?? new ChannelRefusal(error.message);
			});
		const started = performance.now();
		const stream = await this.#connect(local, folder, this.#closing.signal);
		stream.write("GET /_ping HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n\r\n");
		const answer = await firstNews(stream);
		stream.destroy();
		if (answer === "closed") throw this.#lost ?? new ChannelRefusal("the stream was closed");
		if (answer === "data") {
			this.roundTripMs = Math.min(this.roundTripMs, performance.now() - started);
		}
		return local;
	}

	async #connect(local: string, folder: string, signal: AbortSignal): Promise<RelayedStream> {
		try {
			return this.#relayed(await connectTo(local, signal, this.place), folder);
		} catch (error) {
			if (signal.aborted || (await isAlive(folder))) throw error;
			throw this.#lose();
		}
	}

	/** A stream of the forwarded socket ends as cleanly when the connection is lost as when the far side ends it. */
	#relayed(socket: Socket, folder: string): RelayedStream {
		const stream = this.#counted(
			new RelayedStream({ input: socket, output: socket, close: () => socket.destroy() }),
		);
		socket.once("close", async () => {
			if (!stream.destroyed) stream.finish((await isAlive(folder)) ? undefined : this.#lose());
		});
		return stream;
	}

	#lose(): ConnectionError {
		this.#lost ??= new ConnectionError(
			"lost",
			`lost the connection to ${this.place}: the ssh program has ended`,
			{ hint: "check the network and run it again: steps that were done stay in the box's cache" },
		);
		return this.#lost;
	}

	#counted<Stream extends RelayedStream>(stream: Stream): Stream {
		this.#open.add(stream);
		stream.once("close", () => {
			this.#open.delete(stream);
			const { sent, received } = this.#closed;
			this.#closed = { sent: sent + stream.bytesWritten, received: received + stream.bytesRead };
		});
		return stream;
	}
}

/** Disposing of its host closes it. */
function firstNews(stream: RelayedStream): Promise<"data" | "closed" | "nothing"> {
	return new Promise((resolve) => {
		const timer = setTimeout(() => resolve("nothing"), PING_MS);
		stream.once("data", () => resolve("data")).once("close", () => resolve("closed"));
		stream.once("close", () => clearTimeout(timer));
	});
}

async function folderOfSockets(place: string): Promise<string> {
	try {
		return await mkdtemp(join(tmpdir(), "rbuild-ssh-"));
	} catch (error) {
		const reason = `cannot make a folder in ${tmpdir()}: ${systemReason(error)}`;
		throw new ConnectionError(
			"unreachable",
			`cannot reach ${place} with the ssh program: ${reason}`,
			{ hint: "set TMPDIR to another folder", cause: error },
		);
	}
}
