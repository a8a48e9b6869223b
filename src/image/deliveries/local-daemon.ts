import type { Engine } from "../../engine/engine.js";
import { ConnectionError, DeliveryError } from "../../errors.js";

/** The daemon of this machine does not answer, or went away: to connect to the box anew would not help. */
export class LocalDaemonLost extends DeliveryError {
	override readonly name = "DeliveryError";

	constructor(error: ConnectionError) {
		super(`cannot load the image into the local daemon: ${error.message}`, {
			hint: error.hint ?? "start it and run rbuild again: what was fetched is kept",
			cause: error,
		});
	}
}

/**
 * The daemon of this machine, whose lost connections are not taken for those of the box.
 * @throws LocalDaemonLost
 */
export async function openLocalDaemon(open: () => Promise<Engine>): Promise<Engine> {
	const engine = await ofLocal(open());
	return {
		transport: engine.transport,
		facts: engine.facts,
		roundTripMs: engine.roundTripMs,
		clockLeadMs: engine.clockLeadMs,
		request: (request) => ofLocal(engine.request(request)),
		json: (request) => ofLocal(engine.json(request)),
		hijack: (request) => ofLocal(engine.hijack(request)),
		[Symbol.asyncDispose]: () => engine[Symbol.asyncDispose](),
	};
}

async function ofLocal<Result>(answer: Promise<Result>): Promise<Result> {
	try {
		return await answer;
	} catch (error) {
		throw error instanceof ConnectionError ? new LocalDaemonLost(error) : error;
	}
}
