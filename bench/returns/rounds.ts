import { join } from "node:path";
import { median } from "../median.js";
import { shell } from "../shell.js";
import type { BoxImage } from "./box-image.js";
import type { Peer } from "./peers.js";

const MB = 1_000_000;

/** The first time, and when the top layer has changed. */
const PHASES = ["first", "top changed"] as const;

interface Round {
	readonly seconds: number;
	/** From the box to here. */
	readonly bytes: number;
	/** Of the command itself, at its peak; for rbuild only. */
	readonly memory: number;
}

/** By the first two columns of their table. */
type Rounds = ReadonlyMap<string, readonly Round[]>;

/** @param directory takes the peers' caches, which are new in each run */
export async function timeRounds(
	peers: ReadonlyMap<string, Peer>,
	image: BoxImage,
	runs: number,
	directory: string,
): Promise<Rounds> {
	const rounds = new Map<string, Round[]>();
	const names = [...peers.keys()];
	for (const { run, phase } of runsOf(runs)) {
		await image.build(phase === "first" ? "all" : "top");
		for (const [name, peer] of peers) {
			const cache = join(directory, `cache-${run}-${names.indexOf(name)}`);
			const key = `${phase} | ${name}`;
			rounds.set(key, [...(rounds.get(key) ?? []), await timeRound(phase, peer, cache)]);
		}
	}
	return rounds;
}

function runsOf(runs: number) {
	return Array.from({ length: runs }, (_, run) => PHASES.map((phase) => ({ run, phase }))).flat();
}

async function timeRound(phase: string, peer: Peer, cache: string): Promise<Round> {
	await peer.prepare?.();
	// Each one finds what it brought itself: this one's image before is the other's, too.
	if (phase === "first") await peer.forget();
	const round = await measured(peer, peer.command(cache));
	if (phase === "top changed") await peer.forgetLast();
	return round;
}

async function measured({ link }: Peer, command: string): Promise<Round> {
	link.take();
	const startedAt = performance.now();
	const { stderr } = await shell(command);
	const seconds = (performance.now() - startedAt) / 1000;
	const memory = Number(/^peak (\d+)$/m.exec(stderr)?.[1] ?? 0) * 1024;
	return { seconds, bytes: link.take().downBytes, memory };
}

export function printRounds(rounds: Rounds): void {
	console.log("| what | how | runs | s | received MB | peak MB |\n|---|---|--:|--:|--:|--:|");
	for (const [key, some] of rounds) {
		const figures = [
			median(some, ({ seconds }) => seconds).toFixed(2),
			(median(some, ({ bytes }) => bytes) / MB).toFixed(2),
			(median(some, ({ memory }) => memory) / MB).toFixed(0),
		];
		console.log(`| ${key} | ${some.length} | ${figures.join(" | ")} |`);
	}
}
