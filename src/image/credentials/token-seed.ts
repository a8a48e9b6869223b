import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { UnfinishedFile } from "../../disk/unfinished-file.js";

const SEED_BYTES = 16;

/**
 * A secret of this machine for one registry, made up once and kept: by what follows from it, a daemon
 * knows in the next build that it may go on using the registry tokens of the last one.
 *
 * @param file docker's own `.token_seed` (BuildKit's authprovider/tokenseed.go), so that builds of
 * buildx and rbuild share tokens; where it cannot be written, there is another seed for each build
 */
export async function tokenSeed(file: string, host: string): Promise<Uint8Array> {
	const seeds = await readSeeds(file);
	const known = Buffer.from(seedIn(seeds[host]), "base64");
	if (known.length > 0) return known;
	const seed = randomBytes(SEED_BYTES);
	await keep(file, { ...seeds, [host]: { Seed: seed.toString("base64") } });
	return seed;
}

async function readSeeds(file: string): Promise<Record<string, unknown>> {
	try {
		const seeds: unknown = JSON.parse(await readFile(file, "utf8"));
		return typeof seeds === "object" && seeds !== null ? { ...seeds } : {};
	} catch {
		return {};
	}
}

function seedIn(entry: unknown): string {
	const { Seed } = (entry ?? {}) as { Seed?: unknown };
	return typeof Seed === "string" ? Seed : "";
}

/** Two at once may lose one's seed, which is made up again then. */
async function keep(file: string, seeds: Record<string, unknown>): Promise<void> {
	try {
		await using unfinished = await UnfinishedFile.create(dirname(file), 0o600);
		await unfinished.append(Buffer.from(JSON.stringify(seeds, null, "  ")));
		await unfinished.commit(file);
	} catch {
		// This build has a seed all the same.
	}
}
