import { closeAll } from "../../closing.js";
import type { Engine } from "../../engine/engine.js";
import type { BuildEvent } from "../../events.js";
import type { Transport } from "../../transport/transport.js";

export interface OpenConnection {
	readonly transport: Transport;
	readonly engine: Engine;
	/** What there was to tell while it was made. */
	readonly news: readonly BuildEvent[];
}

/** The connection over which a box was asked what it is: for whoever takes it, or else to be closed. */
export class OpenedBox implements AsyncDisposable {
	#connection: OpenConnection | undefined;

	constructor(connection: OpenConnection) {
		this.#connection = connection;
	}

	/** @returns undefined where it was taken, or closed, before; the taker closes it */
	take(): OpenConnection | undefined {
		const connection = this.#connection;
		this.#connection = undefined;
		return connection;
	}

	async [Symbol.asyncDispose](): Promise<void> {
		const connection = this.take();
		await closeAll([connection?.engine, connection?.transport]);
	}
}
