/**
 * The news of a run. Work code emits these and knows no terminal; src/render turns them into a
 * screen, CI log lines or JSON. They are also what a library user's `onEvent` receives, and what
 * `--progress json` prints, so a field that is here is a promise.
 *
 * Sizes are bytes, durations milliseconds.
 */

export type Emit = (event: BuildEvent) => void;

/** What every piece of work is handed beside its own input. */
export interface Run {
	readonly emit: Emit;
	/** Aborted when the user interrupts or another part of the run has failed. */
	readonly signal: AbortSignal;
	/** Whether somebody wants a SentFileEvent for each file; there may be 50,000 of them. */
	readonly tellSentFiles?: boolean | undefined;
}

export type BuildEvent =
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

/** What the daemon says of itself (GET /version, API 1.24+). */
export interface EngineFacts {
	/** "docker" or "podman". */
	readonly product: string;
	/** The engine's own version, such as "28.5.2". */
	readonly version: string;
	/** The API version that was agreed on, such as "1.47". */
	readonly apiVersion: string;
	/** An OCI platform, such as "linux/amd64" or "linux/arm64". */
	readonly platform: string;
	readonly builder: "buildkit" | "classic";
}

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

/** Sizes of the build context, as far as they are known. */
export interface ContextTotals {
	/** Everything that is sent but directories. */
	readonly files: number;
	/** Sum of the sizes of the regular files that are sent. */
	readonly bytes: number;
	/** What .dockerignore left out. */
	readonly ignored: {
		readonly files: number;
		readonly bytes: number;
		/** False while ignored directories have not been looked into: then the sizes are too small. */
		readonly complete: boolean;
	};
}

/** A directory of this machine, an archive that is passed on, or a URL that the daemon fetches. */
export type ContextKind = "directory" | "archive" | "remote";

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
	/** Of a tar in which all is left out that the Dockerfile takes nothing of: what it holds. */
	readonly needed?: { readonly files: number; readonly bytes: number };
	/** Of a tar that holds everything: why more may be needed of it than what the Dockerfile takes, for people. */
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
	/** By which name the daemon asks for the named context that it is in; absent for the build context. */
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

/** "export": what a build gives other than an image, such as files in a folder. */
export type DeliveryMethod = "push" | "save" | "load" | "export";

export interface DeliverEvent {
	readonly type: "deliver";
	readonly method: DeliveryMethod;
	/** An image reference, the path of a file or folder, or the local daemon's address. */
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

/** What a build would do. */
export interface DryRunReport {
	/** Where it would be built, as the user would write it after --on, and why there. */
	readonly target: string;
	readonly chosenBy: string;
	readonly tags: readonly string[];
	/** An OCI platform; absent where it is that of a box that could not be asked. */
	readonly platform?: string;
	/** As ContextEvent has it. */
	readonly source: string;
	readonly contextKind: ContextKind;
	/** As the user knows it. */
	readonly dockerfile: string;
	/** For a directory only. */
	readonly context?: ContextTotals;
	/** What would make less of it, the most first; for a directory only. */
	readonly advice?: readonly ContextAdvice[];
	/** What would become of the image. */
	readonly deliveries: readonly Pick<DeliveryReport, "method" | "destination">[];
	/** Absent where the box could not be reached: the error that follows says why. */
	readonly box?: DryRunBox;
	/** How the context would get there; absent also where the box cannot do this build. */
	readonly transfer?: DryRunTransfer;
}

export interface ContextAdvice {
	/** One line for people. */
	readonly text: string;
	/** What following it would save. */
	readonly files: number;
	readonly bytes: number;
}

/** Both as ConnectEvent has them. */
export interface DryRunBox {
	readonly engine: EngineFacts;
	readonly route: string;
}

/** The first two as TransferEvent has them. */
export interface DryRunTransfer {
	readonly transfer: "tar" | "sync";
	readonly reason: string;
	/** What would be sent of the context; absent where only the builder knows. */
	readonly upload?: ExpectedUpload;
}

export interface ExpectedUpload {
	/** Regular files, and their bytes before compression. */
	readonly files: number;
	readonly bytes: number;
	/** Whether it may be less, as the Dockerfile does not take all of the context. */
	readonly atMost: boolean;
}

export interface DoneEvent {
	readonly type: "done";
	readonly report: BuildReport;
}

/** What was done, for people (the closing report) and for scripts (--metadata-file). */
export interface BuildReport {
	/** The image id: "sha256:" and 64 hex digits. Absent where no image was asked for (--output). */
	readonly imageId?: string;
	readonly tags: readonly string[];
	/** An OCI platform. */
	readonly platform: string;
	/** Where it was built, as the user would write it after --on. */
	readonly target: string;
	readonly engine: EngineFacts;
	readonly deliveries: readonly DeliveryReport[];
	readonly contextKind: ContextKind;
	/** For a directory only. */
	readonly context?: ContextTotals;
	/** Absent where the daemon fetched all by itself. */
	readonly upload?: UploadReport;
	readonly wire: {
		/** Bytes written to and read from the network connection, all protocols included. */
		readonly sent: number;
		readonly received: number;
	};
	/** How often the connection was lost and made anew. */
	readonly retries: number;
	/** Durations by phase; they may overlap, "total" is the wall time. */
	readonly phases: {
		readonly connect: number;
		readonly context: number;
		readonly upload: number;
		readonly build: number;
		readonly deliver: number;
		readonly total: number;
	};
}

/**
 * How the contexts came to the daemon, the named ones included. After a lost connection, this is what the
 * attempt that succeeded has sent.
 */
export interface UploadReport {
	/** tar: all was sent. sync: BuildKit asked for what it wanted and did not have. */
	readonly transfer: "tar" | "sync";
	/** What was sent, counted as in UploadEvent; files are not known of an archive that was passed on. */
	readonly files?: number;
	readonly bytes: number;
	/**
	 * Regular files that BuildKit was told of and had from an earlier build. It is only told of those that
	 * the build uses. None with a tar.
	 */
	readonly alreadyThere: { readonly files: number; readonly bytes: number };
	/** Bytes that left this machine for it, after compression; the Dockerfile and all messages included. */
	readonly sentBytes: number;
	/** So many more they would have been without compression. */
	readonly savedBytes: number;
}

export interface DeliveryReport {
	readonly method: DeliveryMethod;
	readonly destination: string;
	/** Bytes that came to this machine for it; 0 for a push by the daemon. */
	readonly bytes: number;
	/** Of a push by this side: bytes that went to the registry. */
	readonly sentBytes?: number;
	/** Of an image that came here: bytes of it that were on this machine already. */
	readonly reusedBytes?: number;
	/** Why the image came as a whole, as the end of a sentence, where it did. */
	readonly whole?: string;
	/** The manifest digest, where a registry or the exporter of an archive told it. */
	readonly digest?: string;
	readonly durationMs: number;
}
