/**
 * What a run is, or would be, as a whole: the closing report and `--metadata-file`, and the report of a
 * dry run. What events have in common with them is here, too.
 *
 * Sizes are bytes, durations milliseconds.
 */

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

/** Sizes of the build context, as far as they are known. */
export interface ContextTotals {
	/** Everything that is sent but directories. */
	readonly files: number;
	/** Sum of the sizes of the regular files that are sent. */
	readonly bytes: number;
	/** What .dockerignore left out; of directories, as they were when they were last measured, a day ago at most. */
	readonly ignored: {
		readonly files: number;
		readonly bytes: number;
		/** False while ignored directories have not been looked into: then the sizes are too small. */
		readonly complete: boolean;
	};
}

/** A directory of this machine, an archive that is passed on, or a URL that the daemon fetches. */
export type ContextKind = "directory" | "archive" | "remote";

/**
 * "export": what a build gives other than an image, such as files in a folder. "bring": the image of one
 * platform comes to this machine, to be pushed or saved with the others.
 */
export type DeliveryMethod = "push" | "save" | "load" | "export" | "bring";

/** What was done, for people (the closing report) and for scripts (--metadata-file). */
export interface BuildReport {
	/**
	 * The image id: "sha256:" and 64 hex digits. Absent where no image was asked for (--output). Of several
	 * platforms: the digest of their index, if it was pushed or saved; else the id of the one that was
	 * loaded, if one was.
	 */
	readonly imageId?: string;
	/** Of the image's config, where the daemon told it; of one platform only. */
	readonly configDigest?: string;
	readonly tags: readonly string[];
	/** An OCI platform; of several, all with commas in between. */
	readonly platform: string;
	/** Where it was built, as the user would write it after --on; several boxes with commas in between. */
	readonly target: string;
	/** Of several, that of the first. */
	readonly engine: EngineFacts;
	/** For several platforms alone, in the order in which they were asked for. */
	readonly platforms?: readonly PlatformReport[];
	readonly deliveries: readonly DeliveryReport[];
	readonly contextKind: ContextKind;
	/** For a directory only. */
	readonly context?: ContextTotals;
	/** Absent where the daemon fetched all by itself, and of several platforms. */
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

/** What was done for one platform of several. */
export interface PlatformReport extends Pick<BuildReport, "target" | "engine" | "upload"> {
	/** An OCI platform. */
	readonly platform: string;
	/** As its box calls it. */
	readonly imageId: string;
	/** That of its manifest in the index, where there is one. */
	readonly digest?: string;
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
