import type { PartTotals } from "../../context/entries/part-of-context.js";

/** What is known of a build before anything of its context is sent. */
export interface TransferOutlook {
	/** What a tar would hold. */
	readonly tar: PartTotals;
	/** What a sync would be asked for. */
	readonly sync: PartTotals;
	/** Whether the box has a copy from an earlier sync, of which little will have changed. */
	readonly isKnown: boolean;
	readonly roundTripMs: number;
	/** Bytes a millisecond, as seen with this box before. */
	readonly linkSpeed: number | undefined;
}

/** Milliseconds that a transfer takes, the daemon's part in it included. */
export interface PredictedTimes {
	/** Of a tar in which something is new. */
	readonly tar: number;
	/** Of this sync. */
	readonly sync: number;
	/** Of the syncs after it, as long as little changes. */
	readonly nextSync: number;
	/** See TransferOutlook. */
	readonly isKnown: boolean;
}

/**
 * Measured with dockerd 28.5 in ../shared/lab, each transfer by itself (bench/RESULTS.md). Only how they
 * compare matters, and only where the two are far apart.
 */
const COSTS = {
	/** Of a sync, beyond those of a tar: /grpc, the list of files and its end (with Docker 25 and later). */
	syncRoundTrips: 3,
	/** The daemon unpacks a tar that is not the last one, and looks at what came out. */
	unpackMsPerFile: 0.25,
	/** Files that are new to a sync are written while others come. */
	receiveMsPerFile: 0.13,
	announceMsPerFile: 0.06,
	announcedBytesPerFile: 70,
	/** What gzip leaves of source code. */
	compressed: 0.45,
	/** With which gRPC begins; what of it is not compressed counts, too. */
	firstWindowBytes: 64 * 1024,
	/** By so much it opens in two round trips (late-pings.ts). */
	windowGrowth: 4,
	/** sshd takes so much before it says that it went on (OpenSSH's CHAN_TCP_WINDOW_DEFAULT). */
	windowBytes: 2 * 1024 * 1024,
	/** Of ssh between two good machines, in bytes a millisecond. */
	fastestLink: 100_000,
};

export function predictTimes(outlook: TransferOutlook): PredictedTimes {
	const { tar, sync, isKnown, roundTripMs, linkSpeed = Number.POSITIVE_INFINITY } = outlook;
	const speed = Math.min(linkSpeed, COSTS.windowBytes / roundTripMs, COSTS.fastestLink);
	const send = ({ bytes }: PartTotals) => (bytes * COSTS.compressed) / speed;
	const announce = sync.files * (COSTS.announceMsPerFile + COSTS.announcedBytesPerFile / speed);
	const nextSync = COSTS.syncRoundTrips * roundTripMs + announce;
	const receive = isKnown
		? 0
		: send(sync) +
			sync.files * COSTS.receiveMsPerFile +
			openingRoundTrips(sync.bytes) * roundTripMs;
	return {
		tar: send(tar) + tar.files * COSTS.unpackMsPerFile,
		sync: nextSync + receive,
		nextSync,
		isKnown,
	};
}

/** Until the window of a first sync holds no more back than that of ssh does. */
function openingRoundTrips(bytes: number): number {
	let [window, sent, roundTrips] = [COSTS.firstWindowBytes, 0, 0];
	while (window < COSTS.windowBytes && sent + window < bytes) {
		sent += 2 * window;
		roundTrips += 2;
		window *= COSTS.windowGrowth;
	}
	return roundTrips;
}

/** Milliseconds that a sync of new files takes over the fastest link. */
export function leastSyncTime({ files, bytes }: PartTotals, roundTripMs: number): number {
	const perFile = COSTS.announceMsPerFile + COSTS.receiveMsPerFile;
	const roundTrips = COSTS.syncRoundTrips + openingRoundTrips(bytes);
	return roundTrips * roundTripMs + files * perFile;
}

/** A first sync may take longer than the tar by what so many later ones save. */
const PAYS_BACK_WITHIN = 3;
/** Times that differ by less are the same, and then the sync sends less. */
const MARGIN = 1.1;

/** Milliseconds that nobody notices. */
const UNNOTICED = 40;
/** A round trip is that much longer or shorter from one build to the next. */
const VARIATION = 1.25;

/**
 * Whether to have the daemon ask for files in place of sending them all. A context of which it has a copy
 * stays with that: to send everything now and then, as a round trip comes out, would be worse than either.
 */
export function isSyncFaster({ tar, sync, nextSync, isKnown }: PredictedTimes): boolean {
	if (isKnown) return sync <= (tar + UNNOTICED) * VARIATION;
	if (nextSync > tar) return false;
	return sync <= tar * MARGIN || sync - tar <= (tar - nextSync) * PAYS_BACK_WITHIN;
}
