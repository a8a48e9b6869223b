import type { CopyProgress } from "../../buildkit/file-sync/diff-copy.js";
import type { TransferObserver } from "../../buildkit/file-sync/file-sync.js";
import type { RequestedPart } from "../../buildkit/file-sync/requested-part.js";
import { isForRules } from "../../context/entries/context-filter.js";
import type { PartTotals } from "../../context/entries/part-of-context.js";
import type { RbuildError } from "../../errors.js";
import type { Run, UploadReport } from "../../events.js";
import { PROGRESS_INTERVAL } from "./upload.js";

const NOTHING: CopyProgress = {
	offeredFiles: 0,
	offeredBytes: 0,
	files: 0,
	bytes: 0,
	sentBytes: 0,
	savedBytes: 0,
};

/**
 * The transfers that a daemon asks for during a build, told of as one upload: the Dockerfile, the
 * .dockerignore, and then, if the build uses any of it, the context. There may be more contexts, each
 * with a .dockerignore of its own.
 */
export class SyncUpload {
	/** Why this side could not go on; the first reason counts. */
	failure: RbuildError | undefined;
	/** From the beginning of the first transfer to the end of the last. */
	durationMs = 0;
	/** Aborted when there is one: whatever the daemon makes of it, the build cannot succeed. */
	readonly failed: AbortSignal;
	readonly #failing = new AbortController();
	readonly #totals: PartTotals;
	readonly #run: Run;
	readonly #contexts: ReadonlyMap<string, string | undefined>;
	/** Those that have not been transferred. */
	readonly #awaited: Set<string>;
	#startedAt: number | undefined;
	#lastEventAt = 0;
	/** Files and their bytes are those of contexts only. */
	#sent: CopyProgress = NOTHING;
	#isTold = false;

	/**
	 * @param totals of all directories that may be asked for; the Dockerfile's is not counted
	 * @param contexts by the names under which the daemon asks for them: how they are called; undefined for
	 * the build context
	 */
	constructor(totals: PartTotals, run: Run, contexts: ReadonlyMap<string, string | undefined>) {
		this.failed = this.#failing.signal;
		this.#totals = totals;
		this.#run = run;
		this.#contexts = contexts;
		this.#awaited = new Set(contexts.keys());
	}

	/** What has been done so far. */
	get report(): UploadReport {
		const { offeredFiles, offeredBytes, files, bytes, sentBytes, savedBytes } = this.#sent;
		return {
			transfer: "sync",
			files,
			bytes,
			alreadyThere: { files: offeredFiles - files, bytes: offeredBytes - bytes },
			sentBytes,
			savedBytes,
		};
	}

	/** @param onLastContext called when every context has been transferred */
	begin(part: RequestedPart, onLastContext: () => void): TransferObserver {
		this.#startedAt ??= performance.now();
		const isContext = this.#contexts.has(part.directory) && !isForRules(part.filter);
		let before: CopyProgress = NOTHING;
		return {
			...(isContext && this.#run.tellSentFiles && { sentFile: this.#sentFile(part) }),
			progress: ({ sentBytes, savedBytes, ...content }) => {
				const now = { ...(isContext ? content : NOTHING), sentBytes, savedBytes };
				this.#add(before, now);
				before = now;
			},
			done: () => {
				this.durationMs = this.#elapsed();
				if (!isContext) return;
				// One may be asked for again, for another part of it.
				if (!this.#awaited.delete(part.directory) || this.#awaited.size > 0) return;
				this.#report("done");
				onLastContext();
			},
			failed: (error) => {
				this.failure ??= error;
				this.#failing.abort();
			},
		};
	}

	/** The build is done. */
	end(): void {
		if (!this.#isTold) this.#report("done");
	}

	#sentFile({ directory }: RequestedPart): (path: string, bytes: number) => void {
		const name = this.#contexts.get(directory);
		const context = name === undefined ? {} : { context: name };
		return (path, bytes) => this.#run.emit({ type: "sent-file", path, bytes, ...context });
	}

	#add(before: CopyProgress, now: CopyProgress): void {
		this.#sent = {
			offeredFiles: this.#sent.offeredFiles + now.offeredFiles - before.offeredFiles,
			offeredBytes: this.#sent.offeredBytes + now.offeredBytes - before.offeredBytes,
			files: this.#sent.files + now.files - before.files,
			bytes: this.#sent.bytes + now.bytes - before.bytes,
			sentBytes: this.#sent.sentBytes + now.sentBytes - before.sentBytes,
			savedBytes: this.#sent.savedBytes + now.savedBytes - before.savedBytes,
		};
		const time = performance.now();
		if (time - this.#lastEventAt < PROGRESS_INTERVAL) return;
		this.#lastEventAt = time;
		this.#report("progress");
	}

	#report(status: "progress" | "done"): void {
		this.#isTold = status === "done";
		const { files, bytes, sentBytes, savedBytes } = this.#sent;
		this.#run.emit({
			type: "upload",
			status,
			files,
			bytes,
			sentBytes,
			savedBytes,
			totalFiles: this.#totals.files,
			totalBytes: this.#totals.bytes,
			durationMs: status === "done" ? this.durationMs : this.#elapsed(),
		});
	}

	#elapsed(): number {
		return performance.now() - (this.#startedAt ?? performance.now());
	}
}
