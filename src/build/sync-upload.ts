import type { CopyProgress } from "../buildkit/file-sync/diff-copy.js";
import type { TransferObserver } from "../buildkit/file-sync/file-sync.js";
import type { RequestedPart } from "../buildkit/file-sync/requested-part.js";
import { isForRules } from "../context/context-filter.js";
import type { RbuildError } from "../errors.js";
import type { Emit } from "../events.js";

/** Of all directories that may be asked for; the Dockerfile's is not counted. */
export interface UploadTotals {
	readonly files: number;
	readonly bytes: number;
}

/** Milliseconds between two progress events. */
const PROGRESS_INTERVAL = 100;

const NOTHING: CopyProgress = { files: 0, bytes: 0, sentBytes: 0, savedBytes: 0 };

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
	readonly #totals: UploadTotals;
	readonly #emit: Emit;
	/** How many contexts have not been transferred. */
	#awaited: number;
	#startedAt: number | undefined;
	#lastEventAt = 0;
	#sent: CopyProgress = NOTHING;
	#isTold = false;

	constructor(totals: UploadTotals, emit: Emit, contexts: number) {
		this.failed = this.#failing.signal;
		this.#totals = totals;
		this.#emit = emit;
		this.#awaited = contexts;
	}

	/** @param onLastContext called when every context has been transferred */
	begin(part: RequestedPart, onLastContext: () => void): TransferObserver {
		this.#startedAt ??= performance.now();
		let before: CopyProgress = NOTHING;
		return {
			progress: (now) => {
				this.#add(before, now);
				before = now;
			},
			done: () => {
				this.durationMs = this.#elapsed();
				if (!isContextItself(part)) return;
				this.#awaited -= 1;
				if (this.#awaited > 0) return;
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

	#add(before: CopyProgress, now: CopyProgress): void {
		this.#sent = {
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
		this.#emit({
			type: "upload",
			status,
			...this.#sent,
			totalFiles: this.#totals.files,
			totalBytes: this.#totals.bytes,
			durationMs: status === "done" ? this.durationMs : this.#elapsed(),
		});
	}

	#elapsed(): number {
		return performance.now() - (this.#startedAt ?? performance.now());
	}
}

function isContextItself({ directory, filter }: RequestedPart): boolean {
	return directory !== "dockerfile" && !isForRules(filter);
}
