import { randomBytes } from "node:crypto";
import type { Engine } from "../engine/engine.js";
import { RbuildError } from "../errors.js";
import type { Run } from "../events.js";
import { FilteredFrames } from "./grpc/filtered-frames.js";
import { serveGrpc } from "./grpc/grpc-server.js";
import { joinedHeaders } from "./grpc/joined-headers.js";
import { latePings } from "./grpc/late-pings.js";
import { healthService } from "./health.js";
import type { SessionService } from "./session-service.js";

/** What the daemon can ask of this side while it builds. Open it before POST /build, close it after. */
interface Session extends AsyncDisposable {
	/** Resolves when the session is over, also when the daemon or the network ended it. */
	readonly closed: Promise<void>;
}

export interface SessionOptions {
	/** For the `session` parameter of POST /build. */
	readonly id: string;
	/** Health is always served and need not be named. */
	readonly services: readonly SessionService[];
	/** The context's name; part of the key under which the daemon keeps synced files. */
	readonly name?: string;
	/** The other part of that key. */
	readonly sharedKey?: string;
}

/**
 * The build may be asked for at the same time as the session: the daemon waits five seconds for a
 * session that a build names (BuildKit's session.Manager.Any).
 */
export function newSessionId(): string {
	return randomBytes(16).toString("hex");
}

/**
 * Opens a BuildKit session: POST /session (API 1.31+) hands the connection over, and from then on
 * this side is the gRPC server on it.
 *
 * @throws EngineError when the daemon has no BuildKit; ConnectionError; InterruptedError
 */
export async function openSession(
	engine: Engine,
	options: SessionOptions,
	run: Run,
): Promise<Session> {
	const methods = [healthService(), ...options.services].flatMap((service) => service.methods);
	const connection = await engine.hijack({
		method: "POST",
		path: "/session",
		protocol: "h2c",
		headers: {
			"X-Docker-Expose-Session-Uuid": options.id,
			"X-Docker-Expose-Session-Name": headerValue(options.name ?? ""),
			"X-Docker-Expose-Session-Sharedkey": options.sharedKey ?? "",
			"X-Docker-Expose-Session-Grpc-Method": methods.map((method) => method.path),
		},
		signal: run.signal,
	});
	const frames = new FilteredFrames(connection, [joinedHeaders, latePings(engine.roundTripMs)]);
	const server = serveGrpc(frames, {
		methods,
		onFailure: (path, error) => run.emit({ type: "warning", ...describeFailure(path, error) }),
	});
	if (run.signal.aborted) server.close();
	run.signal.addEventListener("abort", server.close, { once: true });
	const closed = server.closed.then(() => run.signal.removeEventListener("abort", server.close));
	return {
		closed,
		async [Symbol.asyncDispose]() {
			server.close();
			await closed;
		},
	};
}

/** A folder's name in UTF-8, as docker sends it; what no header may hold, such as a line break, is left out. */
function headerValue(name: string): string {
	return Buffer.from(name)
		.toString("latin1")
		.replace(/[^ -~\x80-\xff]/g, "");
}

function describeFailure(path: string, error: unknown): { message: string; hint?: string } {
	const message = `the daemon asked for ${path}, and that failed`;
	if (!(error instanceof RbuildError)) return { message: `${message}: ${nameOf(error)} in rbuild` };
	const hint = error.hint === undefined ? {} : { hint: error.hint };
	return { message: `${message}: ${error.message}`, ...hint };
}

function nameOf(error: unknown): string {
	return error instanceof Error ? error.name : "a failure";
}
