import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { startDockerd } from "../../test/support/dockerd.js";
import { lab } from "../../test/support/lab.js";
import { openLink } from "../link.js";
import { boxImage } from "./box-image.js";
import { openPeers } from "./peers.js";
import { printRounds, timeRounds } from "./rounds.js";

// `npm run bench -- --returns`: an image of the box brought into a docker of this machine, first and after
// its top layer has changed, beside `ssh box docker save | docker load` and `podman image scp`; and saved to
// a file. "peak" is rbuild's largest resident size.
//
//   npm run bench -- --returns --size 170 --mbit 50 --delay-ms 10 --runs 3
//   npm run bench -- --returns --size 2000 --mbit 0 --delay-ms 0 --runs 1 --peers rbuild

/** @param rbuild the command's file; `labFolder` has wan-proxy.mjs */
export async function benchReturns(
	args: readonly string[],
	rbuild: string,
	labFolder: string,
): Promise<void> {
	const { size, speed, runs, wanted } = wishesIn(args);
	const box = lab();
	if (box === undefined) throw new Error("the benchmark needs the engines of ../shared/lab");
	const directory = mkdtempSync(join(tmpdir(), "rbuild-returns-bench-"));
	const image = boxImage(box, join(directory, "context"), size);
	try {
		await using local = await startDockerd();
		await using peers = await openPeers(wanted, {
			...{ box, socketPath: local.socketPath, rbuild, directory },
			openLink: (target) => openLink(labFolder, speed, target),
		});
		const rounds = await timeRounds(peers.byName, image, runs, directory);
		const link = `${speed.mbit || "no limit of"} Mbit/s, ${2 * speed.delayMs} ms`;
		console.log(`### Image of ${size} MB into a local docker, ${link}\n`);
		printRounds(rounds);
	} finally {
		await image.remove();
		rmSync(directory, { recursive: true });
	}
}

function wishesIn(args: readonly string[]) {
	const text = { type: "string" } as const;
	const { values } = parseArgs({
		args: [...args],
		options: {
			returns: { type: "boolean" },
			...{ size: text, mbit: text, "delay-ms": text, runs: text, peers: text },
		},
	});
	return {
		/** MB */
		size: Number(values.size ?? 170),
		speed: { mbit: Number(values.mbit ?? 50), delayMs: Number(values["delay-ms"] ?? 10) },
		runs: Number(values.runs ?? 3),
		wanted: (values.peers ?? "docker,podman,rbuild").split(","),
	};
}
