import type { Duplex } from "node:stream";
import type { StreamCompression } from "../stream-compression.js";
import type { LoopbackPort, WireCounts } from "../transport.js";
import type { DaemonStream, RemoteCommand, RemoteHost } from "./remote-host.js";
import type { SshConnection } from "./ssh-connection.js";

/** For a server that allows one session each; a build holds three or four streams at once. */
const MOST_CONNECTIONS = 8;

/**
 * The connections to one box: a single one, except where its sshd allows so few sessions on it
 * (MaxSessions) that lasting commands would wait for one another for ever.
 */
export class SshConnections implements RemoteHost, AsyncDisposable {
	readonly #first: SshConnection;
	readonly #connectAgain: () => Promise<SshConnection>;
	readonly #all: SshConnection[];
	#growing: Promise<void> | undefined;

	constructor(first: SshConnection, connectAgain: () => Promise<SshConnection>) {
		this.#first = first;
		this.#connectAgain = connectAgain;
		this.#all = [first];
	}

	get place(): string {
		return this.#first.place;
	}

	get user(): string {
		return this.#first.user;
	}

	get wire(): WireCounts {
		return this.#all
			.map(({ wire }) => wire)
			.reduce((sum, { sent, received }) => ({
				sent: sum.sent + sent,
				received: sum.received + received,
			}));
	}

	/** Of the first connection, which carries most. */
	compress(): StreamCompression {
		return this.#first.compression.hold();
	}

	listen(onStream: (stream: Duplex) => void, signal: AbortSignal): Promise<LoopbackPort> {
		return this.#first.listen(onStream, signal);
	}

	openStreamLocal(socketPath: string, signal: AbortSignal): Promise<DaemonStream> {
		return this.#first.openStreamLocal(socketPath, signal);
	}

	exec(command: string, signal: AbortSignal): Promise<RemoteCommand> {
		return this.#first.exec(command, signal);
	}

	async execLasting(command: string, signal: AbortSignal): Promise<RemoteCommand> {
		for (;;) {
			for (const connection of this.#all) {
				const started = await connection.execNow(command, signal);
				if (started !== undefined) return started;
			}
			if (!this.#first.isLimited || this.#all.length === MOST_CONNECTIONS) {
				return await this.#first.exec(command, signal);
			}
			this.#growing ??= this.#grow();
			await this.#growing;
		}
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.#growing?.catch(() => {});
		await Promise.all(this.#all.map((each) => each[Symbol.asyncDispose]()));
	}

	async #grow(): Promise<void> {
		try {
			this.#all.push(await this.#connectAgain());
		} finally {
			this.#growing = undefined;
		}
	}
}
