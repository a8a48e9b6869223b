import { createHash } from "node:crypto";
import { join } from "node:path";
import { cacheFolder, readKeptFile } from "../../cache-folder.js";
import { replaceCacheFile } from "../../disk/cache-file.js";
import type { Environment } from "../../environment.js";
import type { Target } from "../../target/target.js";
import type { BoxAnswer } from "./ask-box.js";

/** How long an answer is taken for true, in milliseconds: boxes seldom change, networks do. */
const KEPT = 10 * 60_000;

interface KnownAnswer {
	/** An OCI platform. */
	readonly platform: string;
	/** Milliseconds. */
	readonly latencyMs: number;
	/** When it was given, in milliseconds since 1970. */
	readonly at: number;
}

/** What boxes have lately said of themselves, so that they need not be asked at each build. */
export class KnownAnswers {
	readonly #path: string;
	readonly #answers: Map<string, KnownAnswer>;
	readonly #sshConfigFile: string | undefined;

	static async read(environment: Environment): Promise<KnownAnswers> {
		const path = join(cacheFolder(environment), "boxes.json");
		const text = String(await readKeptFile(path).catch(() => ""));
		const now = Date.now();
		const fresh = parse(text).filter(([, { at }]) => at <= now && now - at < KEPT);
		return new KnownAnswers(path, new Map(fresh), environment.sshConfigFile);
	}

	private constructor(
		path: string,
		answers: Map<string, KnownAnswer>,
		sshConfigFile: string | undefined,
	) {
		this.#path = path;
		this.#answers = answers;
		this.#sshConfigFile = sshConfigFile;
	}

	of(target: Target): KnownAnswer | undefined {
		return this.#answers.get(this.#key(target));
	}

	remember(target: Target, { engine, latencyMs }: BoxAnswer): void {
		const answer = { platform: engine.platform, latencyMs, at: Date.now() };
		this.#answers.set(this.#key(target), answer);
	}

	forget(target: Target): void {
		this.#answers.delete(this.#key(target));
	}

	/** Never fails: without it, boxes are asked again. */
	async write(): Promise<void> {
		const text = JSON.stringify(Object.fromEntries(this.#answers));
		await replaceCacheFile(this.#path, Buffer.from(text)).catch(() => {});
	}

	/** The same alias of another ssh_config is another box. */
	#key(target: Target): string {
		const text = JSON.stringify([target, this.#sshConfigFile]);
		return createHash("sha256").update(text).digest("hex");
	}
}

function parse(text: string): [string, KnownAnswer][] {
	try {
		return Object.entries(JSON.parse(text) as Record<string, KnownAnswer>).filter(
			([, { platform, latencyMs, at }]) =>
				typeof platform === "string" && Number.isFinite(latencyMs) && Number.isFinite(at),
		);
	} catch {
		return [];
	}
}
