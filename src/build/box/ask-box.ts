import { connectEngine } from "../../engine/connect-engine.js";
import type { Environment } from "../../environment.js";
import { ConnectionError, InterruptedError, RbuildError } from "../../errors.js";
import type { BuildEvent, EngineFacts } from "../../events.js";
import { formatTarget } from "../../target/parse-target.js";
import type { ChosenTarget } from "../../target/target.js";
import { openTransport, readTransportSettings } from "../../transport/open-transport.js";
import { type OpenConnection, OpenedBox } from "./opened-box.js";

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
	const connection = await openBox(chosen, environment, limitMs, signal);
	if (connection instanceof RbuildError) return connection;
	await using _opened = new OpenedBox(connection);
	return answerOf(connection);
}

export function answerOf({ engine, transport }: OpenConnection): BoxAnswer {
	return { engine: engine.facts, route: transport.route, latencyMs: engine.roundTripMs };
}

/** As askBox(), over a connection that is the caller's to close. */
export async function openBox(
	chosen: ChosenTarget,
	environment: Environment,
	limitMs: number,
	signal: AbortSignal,
): Promise<OpenConnection | RbuildError> {
	const opening = new AbortController();
	const giveUp = () => opening.abort();
	// Once it is open, neither of the two is to end it.
	const timer = setTimeout(giveUp, limitMs);
	signal.addEventListener("abort", giveUp);
	if (signal.aborted) giveUp();
	try {
		return await open(chosen, withoutQuestions(environment), opening.signal);
	} catch (error) {
		if (signal.aborted || !(error instanceof RbuildError)) throw error;
		if (!(error instanceof InterruptedError)) return error;
		const place = formatTarget(chosen.target);
		const message = `cannot reach ${place}: no answer within ${limitMs / 1000} s`;
		const hint = "is the box on, and is the network or VPN up?";
		return new ConnectionError("timed-out", message, { hint, cause: error });
	} finally {
		clearTimeout(timer);
		signal.removeEventListener("abort", giveUp);
	}
}

async function open(
	chosen: ChosenTarget,
	environment: Environment,
	signal: AbortSignal,
): Promise<OpenConnection> {
	const settings = readTransportSettings(chosen, environment, signal);
	settings.catch(() => {});
	const news: BuildEvent[] = [];
	const transport = await openTransport(chosen, settings, signal, (event) => news.push(event));
	try {
		return { transport, engine: await connectEngine(transport, signal), news };
	} catch (error) {
		await transport[Symbol.asyncDispose]();
		throw error;
	}
}

function withoutQuestions(environment: Environment): Environment {
	const variables = { ...environment.variables, SSH_ASKPASS_REQUIRE: "never" };
	return { ...environment, variables, prompt: undefined };
}
