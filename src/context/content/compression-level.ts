/**
 * Whether to compress the context at all. Where the other side is near (loopback, a unix socket, a good
 * LAN), the processors of both sides are what takes the time, and gzip only adds to it.
 */
export function isWorthCompressing(roundTripMs: number): boolean {
	return roundTripMs >= NEAR_MS;
}

/** Above what a busy machine takes to answer over its own loopback, below the next town. */
const NEAR_MS = 15;

/** What was seen while one piece of the stream was compressed. */
export interface CompressionRound {
	readonly level: number;
	readonly inputBytes: number;
	readonly outputBytes: number;
	/** Spent in zlib. */
	readonly compressMs: number;
	/** Compressed output waited for the link to take it. */
	readonly waitedMs: number;
	/** In all. */
	readonly elapsedMs: number;
}

/**
 * zlib on source trees, measured on one 2-core machine: only how the levels compare matters. The
 * levels between these are slower than one of them and smaller than the other.
 */
const LEVELS = [
	{ level: 0, msPerByte: 1 / 700_000, ratio: 1 },
	{ level: 1, msPerByte: 1 / 90_000, ratio: 0.45 },
	{ level: 4, msPerByte: 1 / 70_000, ratio: 0.42 },
	{ level: 6, msPerByte: 1 / 40_000, ratio: 0.41 },
];

/** The share of a round above which waiting means that the link is full. */
const FULL_LINK_SHARE = 0.2;

/** A link that does not fill up may have become faster: by so much a round, so that it is found out. */
const LINK_RELIEF = 0.95;

/**
 * Storing tells nothing about zlib and the data, so what is known of them fades by so much a round, and
 * a busy moment or an archive does not switch compression off for good.
 */
const OBLIVION = 0.1;

/**
 * Picks the gzip level at which a byte of context takes the least time, be it in zlib or on the link:
 * a slow link deserves effort, a slow processor or a fast link none.
 */
export class LevelChoice {
	/** How much slower than LEVELS zlib is on this machine. */
	#slowness = 1;
	/** How much larger than in LEVELS this data comes out. */
	#density = 1;
	/** 50 MB/s until the link shows what it can do: that is level 1. */
	#linkMsPerByte = 1 / 50_000;

	get level(): number {
		let best = { level: 0, cost: Number.POSITIVE_INFINITY };
		for (const { level, msPerByte, ratio } of LEVELS) {
			const onLink = (level === 0 ? 1 : Math.min(1, ratio * this.#density)) * this.#linkMsPerByte;
			const cost = Math.max(msPerByte * this.#slowness, onLink);
			if (cost < best.cost) best = { level, cost };
		}
		return best.level;
	}

	note({ level, inputBytes, outputBytes, compressMs, ...round }: CompressionRound): void {
		const usual = LEVELS.find((candidate) => candidate.level === level);
		if (usual !== undefined && level > 0) {
			this.#slowness = mean(this.#slowness, compressMs / inputBytes / usual.msPerByte);
			this.#density = mean(this.#density, outputBytes / inputBytes / usual.ratio);
		} else {
			this.#slowness += OBLIVION * (1 - this.#slowness);
			this.#density += OBLIVION * (1 - this.#density);
		}
		const msPerByte = round.elapsedMs / outputBytes;
		const full = round.waitedMs > FULL_LINK_SHARE * round.elapsedMs;
		this.#linkMsPerByte = full
			? mean(this.#linkMsPerByte, msPerByte)
			: Math.min(this.#linkMsPerByte * LINK_RELIEF, msPerByte);
	}
}

function mean(before: number, now: number): number {
	return (before + now) / 2;
}
