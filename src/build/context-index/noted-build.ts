import { dirname } from "node:path";
import { forgetOldFiles, readKeptFile } from "../../cache-folder.js";
import { type Dating, nowOnBox } from "../../context/dating.js";
import { CLOCK_STEP } from "../../context/tree/cache-files.js";
import { replaceCacheFile } from "../../disk/cache-file.js";
import type { Engine } from "../../engine/engine.js";

/** What this machine notes of its builds of a context on a box; in milliseconds since 1970, by its own clock. */
interface BuildNote {
	/** Since when files may have been edited that are in no build that succeeded. */
	readonly from: number;
	/** When the last build ended; absent where it has not, or failed, or nobody saw its end. */
	readonly to?: number;
}

/** A build that is about to begin, and what is known of those before. */
export class NotedBuild {
	readonly #path: string;
	readonly #before: BuildNote | undefined;
	readonly #from: number;
	readonly #leadMs: number;

	/**
	 * Notes that it begins, so that its end is missed if it does not come. Never fails: nothing but times
	 * are lost with the note.
	 *
	 * @param path of the note
	 * @param lookedAt when the walk of the context began
	 */
	static async begin(
		path: string,
		lookedAt: number,
		{ clockLeadMs }: Pick<Engine, "clockLeadMs">,
	): Promise<NotedBuild> {
		const before = await readNote(path);
		const from = lookedAt - CLOCK_STEP;
		await writeNote(path, { from: before?.from ?? from });
		return new NotedBuild(path, before, from, clockLeadMs);
	}

	private constructor(path: string, before: BuildNote | undefined, from: number, leadMs: number) {
		this.#path = path;
		this.#before = before;
		this.#from = from;
		this.#leadMs = leadMs;
	}

	/** @param isLast whether nobody else has built the context on that box since */
	dating(isLast: boolean): Dating {
		const leadMs = this.#leadMs;
		const { from = Number.POSITIVE_INFINITY, to } = this.#before ?? {};
		const isSeen = isLast && to !== undefined;
		return { from, to: isSeen ? to + leadMs : nowOnBox({ leadMs }), leadMs };
	}

	/** All that the walk saw before is in an image now. Never fails. */
	async succeeded(): Promise<void> {
		await writeNote(this.#path, { from: this.#from, to: Date.now() });
		if (this.#before === undefined) await forgetOldFiles(dirname(this.#path));
	}
}

async function readNote(path: string): Promise<BuildNote | undefined> {
	try {
		const { from, to } = JSON.parse((await readKeptFile(path)).toString("utf8")) as BuildNote;
		if (!Number.isFinite(from)) return undefined;
		return Number.isFinite(to) ? { from, to: to as number } : { from };
	} catch {
		return undefined;
	}
}

async function writeNote(path: string, note: BuildNote): Promise<void> {
	await replaceCacheFile(path, Buffer.from(JSON.stringify(note))).catch(() => {});
}
