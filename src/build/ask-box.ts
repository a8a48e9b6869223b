import { connectEngine } from "../engine/connect-engine.js";
import type { Environment } from "../environment.js";
import { ConnectionError, InterruptedError, RbuildError } from "../errors.js";
import type { EngineFacts } from "../events.js";
import { formatTarget } from "../target/parse-target.js";
import type { ChosenTarget } from "../target/target.js";
import { openTransport, readTransportSettings } from "../transport/open-transport.js";

/** What a box says of itself. */
export interface BoxAnswer {
	readonly engine: EngineFacts;
	/** How it was reached, such as "ssh, streamlocal". */
	readonly route: string;
	/** The shortest round trip to the daemon that was seen, in milliseconds. */
	readonly latencyMs: number;
}

/**
 * Asks a box what it is, over a connection that is closed again. Nobody is asked for anything, and it takes
 * no longer than it may.
 *
 * @param limitMs milliseconds
 * @returns why there is no answer, where there is none
 * @throws InterruptedError
 */
export async function askBox(
	chosen: ChosenTarget,
	environment: Environment,
	limitMs: number,
	signal: AbortSignal,
): Promise<BoxAnswer | RbuildError> {
	const limit = AbortSignal.timeout(limitMs);
	const either = AbortSignal.any([signal, limit]);
	try {
		const settings = readTransportSettings(chosen, withoutQuestions(environment), either);
		settings.catch(() => {});
		await using transport = await openTransport(chosen, settings, either);
		await using engine = await connectEngine(transport, either);
		return { engine: engine.facts, route: transport.route, latencyMs: engine.roundTripMs };
	} catch (error) {
		if (signal.aborted || !(error instanceof RbuildError)) throw error;
		if (!(error instanceof InterruptedError)) return error;
		const place = formatTarget(chosen.target);
		const message = `cannot reach ${place}: no answer within ${limitMs / 1000} s`;
		const hint = "is the box on, and is the network, or the VPN to it, up?";
		return new ConnectionError("timed-out", message, { hint, cause: error });
	}
}

function withoutQuestions(environment: Environment): Environment {
	const variables = { ...environment.variables, SSH_ASKPASS_REQUIRE: "never" };
	return { ...environment, variables, prompt: undefined };
}
