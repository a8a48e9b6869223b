import { rm } from "node:fs/promises";
import { dirname } from "node:path";
import { forgetOldFiles, readKeptFile } from "../../cache-folder.js";
import { type Dating, nowOnBox } from "../../context/dating.js";
import { CLOCK_STEP } from "../../context/tree/cache-files.js";
import { replaceCacheFile } from "../../disk/cache-file.js";
import type { Engine } from "../../engine/engine.js";

/** Files in which this machine notes times of its builds on a box: in milliseconds since 1970, by its own clock. */
export interface BuildNotes {
	/** Since when files of the directory may have been edited that are in no build that succeeded. */
	readonly seen: string;
	/**
	 * When the last build of the context ended, from whichever clone, for whichever target: they may share
	 * cache mounts. Not there where it has not, or failed, or nobody saw its end.
	 */
	readonly ended: string;
}

interface NotedTimes {
	/** When this build's files were looked at, at the latest. */
	readonly looked: number;
	/** As the notes had them. */
	readonly seen: number | undefined;
	readonly ended: number | undefined;
	/** As Engine has it. */
	readonly leadMs: number;
}

/** A build that is about to begin, and what is known of those before. */
export class NotedBuild {
	readonly #notes: BuildNotes;
	readonly #times: NotedTimes;

	/**
	 * Notes that it begins, so that its end is missed if it does not come. Never fails: nothing but times
	 * are lost with the notes.
	 *
	 * @param lookedAt when the walk of the context began
	 */
	static async begin(
		notes: BuildNotes,
		lookedAt: number,
		{ clockLeadMs }: Pick<Engine, "clockLeadMs">,
	): Promise<NotedBuild> {
		const looked = lookedAt - CLOCK_STEP;
		const [seen, ended] = await Promise.all([readTime(notes.seen), readTime(notes.ended)]);
		if (seen === undefined) await writeTime(notes.seen, looked);
		if (ended !== undefined) await rm(notes.ended, { force: true }).catch(() => {});
		return new NotedBuild(notes, { looked, seen, ended, leadMs: clockLeadMs });
	}

	private constructor(notes: BuildNotes, times: NotedTimes) {
		this.#notes = notes;
		this.#times = times;
	}

	/** @param isLast whether no other machine has built the context on that box since */
	dating(isLast: boolean): Dating {
		const { seen: from = Number.POSITIVE_INFINITY, ended, leadMs } = this.#times;
		const to = isLast && ended !== undefined ? ended + leadMs : nowOnBox({ leadMs });
		return { from, to, leadMs };
	}

	/** All that the walk saw is in an image now. Never fails. */
	async succeeded(): Promise<void> {
		const { seen, ended } = this.#notes;
		await Promise.all([writeTime(seen, this.#times.looked), writeTime(ended, Date.now())]);
		if (this.#times.seen === undefined) await forgetOldFiles(dirname(seen));
	}
}

/** Undefined for what is not there, or no time. */
async function readTime(path: string): Promise<number | undefined> {
	try {
		const time: unknown = JSON.parse((await readKeptFile(path)).toString("utf8"));
		return typeof time === "number" ? time : undefined;
	} catch {
		return undefined;
	}
}

async function writeTime(path: string, time: number): Promise<void> {
	await replaceCacheFile(path, Buffer.from(JSON.stringify(time))).catch(() => {});
}
