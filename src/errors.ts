/**
 * Everything that can end a run on purpose. Each class stands for one exit code, so that a script can
 * tell "the build failed" from "the box was not reachable" without reading the text.
 */

/** The exit codes of the rbuild command, part of its public interface. */
export const EXIT_CODES = {
	buildFailed: 1,
	usage: 2,
	context: 3,
	connection: 4,
	engine: 5,
	delivery: 6,
	bug: 70,
	interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT_CODES)[keyof typeof EXIT_CODES];

export interface ErrorDetails {
	/** What the user can do about it: one sentence, shown on a line of its own. */
	readonly hint?: string | undefined;
	readonly cause?: unknown;
}

/**
 * A failure that rbuild foresaw. The message names the thing, where it is and why it failed, in one
 * line; it never holds a secret. Anything thrown that is not an RbuildError is a bug in rbuild.
 */
export abstract class RbuildError extends Error {
	abstract readonly exitCode: ExitCode;
	readonly hint: string | undefined;

	constructor(message: string, details: ErrorDetails = {}) {
		super(message, details.cause === undefined ? undefined : { cause: details.cause });
		this.name = new.target.name;
		this.hint = details.hint;
	}
}

export interface DockerfileLine {
	/** Counted from 1. */
	readonly line: number;
	/** What it says, without its end. */
	readonly text: string;
}

/** Where an instruction is written, by its first line. */
export interface DockerfilePosition extends DockerfileLine {
	/** As the user named it, such as "Dockerfile". */
	readonly file: string;
	/** The last line of the instruction. */
	readonly endLine: number;
	/** The instruction with what is around it; of a long one, the beginning alone. */
	readonly excerpt: readonly DockerfileLine[];
}

/** A step of the Dockerfile failed, or the builder refused the build. */
export class BuildFailedError extends RbuildError {
	readonly exitCode = EXIT_CODES.buildFailed;
	/** The last lines that the failed step wrote, without control characters; empty where none did. */
	readonly logTail: readonly string[];
	/** Where the failed step is written, if it could be found. */
	readonly position: DockerfilePosition | undefined;

	constructor(
		message: string,
		details: ErrorDetails & {
			readonly logTail?: readonly string[];
			readonly position?: DockerfilePosition | undefined;
		} = {},
	) {
		super(message, details);
		this.logTail = details.logTail ?? [];
		this.position = details.position;
	}
}

/** The command line or the options of build() make no sense. */
export class UsageError extends RbuildError {
	readonly exitCode = EXIT_CODES.usage;
}

/** The build context cannot be read, or must not be sent. */
export class ContextError extends RbuildError {
	readonly exitCode = EXIT_CODES.context;
}

export type ConnectionFailure =
	| "unresolved"
	| "refused"
	| "timed-out"
	| "unreachable"
	| "host-key-unknown"
	| "host-key-changed"
	| "certificate"
	| "not-authenticated"
	| "docker-not-installed"
	| "socket-missing"
	| "socket-permission"
	| "protocol"
	| "no-native-box"
	/** An ssh server that lets nobody in at the moment. */
	| "busy"
	/** There was one: who asked for it had been let in. */
	| "lost";

/** No working stream to the daemon: from name resolution to the permission on its socket. */
export class ConnectionError extends RbuildError {
	readonly exitCode = EXIT_CODES.connection;
	readonly failure: ConnectionFailure;

	constructor(failure: ConnectionFailure, message: string, details: ErrorDetails = {}) {
		super(message, details);
		this.failure = failure;
	}
}

/** The daemon answered, but not as a Docker Engine that can do this build should. */
export class EngineError extends RbuildError {
	readonly exitCode = EXIT_CODES.engine;
	/** The HTTP status of the daemon's answer, where there was one. */
	readonly status: number | undefined;

	constructor(message: string, details: ErrorDetails & { readonly status?: number } = {}) {
		super(message, details);
		this.status = details.status;
	}
}

/** What was built could not be pushed, saved, loaded or exported; or what was asked for could not be written. */
export class DeliveryError extends RbuildError {
	readonly exitCode = EXIT_CODES.delivery;
}

/** The user, or the caller's AbortSignal, stopped the run. */
export class InterruptedError extends RbuildError {
	readonly exitCode = EXIT_CODES.interrupted;
}
