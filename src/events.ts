import type {
	BuildReport,
	ContextKind,
	ContextTotals,
	DeliveryMethod,
	DryRunReport,
	EngineFacts,
} from "./reports.js";

/**
 * The news of a run. Work code emits these and knows no terminal; src/render turns them into a
 * screen, CI log lines or JSON. They are also what a library user's `onEvent` receives, and what
 * `--progress json` prints, so a field that is here, or in reports.ts, is a promise.
 *
 * Sizes are bytes, durations milliseconds.
 */

export type * from "./reports.js";

export type Emit = (event: BuildEvent) => void;

/** What every piece of work is handed beside its own input. */
export interface Run {
	readonly emit: Emit;
	/** Aborted when the user interrupts or another part of the run has failed. */
	readonly signal: AbortSignal;
	/** Whether somebody wants a SentFileEvent for each file; there may be 50,000 of them. */
	readonly tellSentFiles?: boolean | undefined;
}

/** What all news has of a build for several platforms. */
export interface PlatformNews {
	/**
	 * The OCI platform that it is about; of a box that builds several, all of them with commas in between.
	 * Absent where it is about the whole, and in every other build.
	 */
	readonly platform?: string;
}

export type BuildEvent = PlatformNews & RunEvent;

type RunEvent =
	| ConnectEvent
	| ReachEvent
	| ContextEvent
	| SecretsEvent
	| TransferEvent
	| UploadEvent
	| SentFileEvent
	| StepEvent
	| LogEvent
	| DeliverEvent
	| RetryEvent
	| WarningEvent
	| DryRunEvent
	| DoneEvent;

export type ConnectEvent = { readonly type: "connect"; readonly target: string } & (
	| {
			readonly status: "started";
			/** Why this target was chosen, such as "--on" or "DOCKER_HOST". */
			readonly chosenBy: string;
	  }
	| {
			readonly status: "done";
			readonly engine: EngineFacts;
			/** How the daemon is reached, such as "ssh, streamlocal" or "unix". */
			readonly route: string;
			readonly durationMs: number;
	  }
);

/**
 * How far a connection has come, in the order of the steps. A jump host goes through all of them before the
 * machine behind it; where the ssh program of this machine connects, nothing is known of them.
 */
export interface ReachEvent {
	readonly type: "reach";
	/** Who was reached, such as "x86box (192.168.31.100:22)" or "tcp://10.0.0.5:2376". */
	readonly place: string;
	readonly step: "tcp" | "tls" | "ssh" | "host-key" | "login";
	/** The address, TLS version, ssh server's name, host key, or what the user was let in with; may be empty. */
	readonly detail: string;
}

export type ContextEvent = {
	readonly type: "context";
	/** The directory, URL or "stdin". */
	readonly source: string;
} & (
	| { readonly status: "started" }
	| {
			readonly status: "done";
			readonly kind: ContextKind;
			/** For a directory only: nothing is known of the others beforehand. */
			readonly totals?: ContextTotals;
			readonly durationMs: number;
	  }
);

/** Files of a context look as if they held credentials, and are about to be sent. */
export interface SecretsEvent {
	readonly type: "secrets";
	/** The directory, or the name of a named context. */
	readonly source: string;
	/** One at least. What the credentials are is told nowhere. */
	readonly findings: readonly {
		/** In the context, with "/" between names. */
		readonly path: string;
		/** For people: "an OpenSSH private key". */
		readonly what: string;
		/** Counted from 1; absent where it is about the file as a whole. */
		readonly line?: number;
	}[];
	/** As a warning, for people. */
	readonly message: string;
	readonly hint: string;
}

/** How the context gets to the daemon. */
export interface TransferEvent {
	readonly type: "transfer";
	/** All of it or what the build needs as a tar, or what the daemon asks for of it. */
	readonly transfer: "tar" | "sync";
	/** Such as "--transfer" or "it has most of it". */
	readonly reason: string;
	/** Of a tar that holds only what the Dockerfile takes: how much that is. */
	readonly needed?: { readonly files: number; readonly bytes: number };
	/** Of a tar that holds everything: why the build may need more than the Dockerfile is seen to take, for people. */
	readonly doubt?: string;
}

/**
 * With a sync, files and bytes are those of contexts; the Dockerfile and the .dockerignore, which BuildKit
 * reads beforehand, are in sentBytes only.
 */
export interface UploadEvent {
	readonly type: "upload";
	readonly status: "progress" | "done";
	/** Files whose content has been handed to the link, and how many there are (unknown for stdin). */
	readonly files: number;
	readonly totalFiles?: number;
	/** Uncompressed bytes of context handed to the link so far, and in all (unknown for stdin). */
	readonly bytes: number;
	readonly totalBytes?: number;
	/** Bytes that left this machine for it, after compression. */
	readonly sentBytes: number;
	/** Bytes that compression kept off the link so far, where it was tried. */
	readonly savedBytes?: number;
	readonly durationMs: number;
}

/**
 * A file that the daemon asked for has been handed to the link, to its last byte. Only a sync has these,
 * and only where they are wanted (Run, BuildHooks): a tar sends every file.
 */
export interface SentFileEvent {
	readonly type: "sent-file";
	/** In its context, with "/" between names. */
	readonly path: string;
	/** Of its content. */
	readonly bytes: number;
	/** Of the named context that it is in; absent for the build context. */
	readonly context?: string;
}

export type StepEvent = {
	readonly type: "step";
	/** Stable within a run. */
	readonly id: string;
	/** What is being done, such as "[2/3] RUN make". */
	readonly name: string;
} & (
	| { readonly status: "started" }
	| {
			/** Progress of a part of the step, such as a layer that is pulled. */
			readonly status: "progress";
			readonly item: string;
			readonly current: number;
			/** 0 when it is not known. */
			readonly total: number;
	  }
	/** What was looked up of a source is known; it is "started" again if its contents are needed. "done" follows. */
	| { readonly status: "waiting" }
	/** In all, with every time that it ran. */
	| { readonly status: "done"; readonly durationMs: number }
	| { readonly status: "cached" }
	| { readonly status: "failed"; readonly error: string; readonly durationMs: number }
	| { readonly status: "canceled" }
);

/** Output of a step. The text may hold part of a line, several lines, and control characters. */
export interface LogEvent {
	readonly type: "log";
	readonly stepId: string;
	readonly stream: "stdout" | "stderr";
	readonly text: string;
}

export interface DeliverEvent {
	readonly type: "deliver";
	readonly method: DeliveryMethod;
	/** An image reference, the path of a file or folder, or the address of the local daemon or the box. */
	readonly destination: string;
	readonly status: "started" | "progress" | "done";
	readonly bytes: number;
	/** Absent where it is not known. */
	readonly totalBytes?: number;
	/** What the far side says it is doing, such as "Pushed" for a layer. */
	readonly detail?: string;
	/** A layer of an image that is brought here or pushed from here, of which there is news. */
	readonly layer?: DeliveredLayer;
	/** With "done": bytes of the image that were on this machine already. */
	readonly reusedBytes?: number;
}

/** A layer on its way to this machine, or from here to a registry. */
export interface DeliveredLayer {
	/** The first digits of the digest of its uncompressed content. */
	readonly id: string;
	/** "here": it was on this machine already; "there": in the registry that it is pushed to. */
	readonly state: "waiting" | "moving" | "here" | "there" | "done";
	/** On its way here: of its uncompressed content, as the daemon reads it; 0 where it is not known. */
	readonly bytes: number;
	readonly totalBytes: number;
}

/** The connection was lost, and what was under way on it begins again. */
export interface RetryEvent {
	readonly type: "retry";
	readonly target: string;
	/** Such as "lost the connection to x86box (10.0.0.5:22): no answer for 30 s". */
	readonly reason: string;
	/** Counted from 1. */
	readonly attempt: number;
	/** How many attempts there may be. */
	readonly retries: number;
	/** How long the next attempt waits. */
	readonly delayMs: number;
}

export interface WarningEvent {
	readonly type: "warning";
	readonly message: string;
	readonly hint?: string;
}

export interface DryRunEvent {
	readonly type: "dry-run";
	readonly report: DryRunReport;
}

export interface DoneEvent {
	readonly type: "done";
	readonly report: BuildReport;
}
