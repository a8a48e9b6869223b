import type { Environment } from "../environment.js";
import type { Emit } from "../events.js";
import type { ChosenTarget } from "../target/target.js";
import { openSocketTransport } from "./socket-transport.js";
import type { Transport } from "./transport.js";

/**
 * Opens the way to the chosen daemon, up to a first stream to it.
 * @param signal Ends the attempt; an open transport is ended by disposing of it.
 * @param emit Receives warnings only, such as a host key that was accepted without being known.
 * @param whileWaiting Called once, when there is nothing to do but to wait for the other side: the time
 * to load what will be needed next.
 * @throws ConnectionError whose `failure` tells the causes apart; UsageError for an ssh configuration
 * that rbuild cannot follow; InterruptedError
 */
export async function openTransport(
	{ target }: ChosenTarget,
	environment: Environment,
	signal: AbortSignal,
	emit: Emit = () => {},
	whileWaiting: () => void = () => {},
): Promise<Transport> {
	if (target.kind === "ssh") {
		const { openSshTransport } = await import("./ssh/ssh-transport.js");
		return await openSshTransport(target, environment, signal, emit, whileWaiting);
	}
	const opening = openSocketTransport(target, signal, emit);
	whileWaiting();
	return await opening;
}
