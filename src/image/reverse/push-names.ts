import { randomBytes } from "node:crypto";
import type { Engine } from "../../engine/engine.js";
import { listImages, removeImage } from "../../engine/images.js";
import { EngineError, RbuildError } from "../../errors.js";

/** How long names may take to go, in milliseconds, also when the run was interrupted. */
const TIMEOUT = 10_000;

/**
 * In milliseconds. A daemon needs the name when its push begins, and not after that: one so old is of a
 * push that is over, also where the clocks of two machines that use a box differ by hours.
 */
const LEFT_BEHIND = 24 * 60 * 60 * 1000;

/** With the time at which the name was made: seconds since 1970. */
const FORM = /^127\.0\.0\.1:\d+\/rbuild\/([0-9a-f]{8})[0-9a-f]{12}:latest$/;

/** Where a push to this side goes: a name that no other push has, and that tells its age. */
export function pushRepository(): string {
	const seconds = Math.floor(Date.now() / 1000);
	return `rbuild/${seconds.toString(16).padStart(8, "0")}${randomBytes(6).toString("hex")}`;
}

/** The name of an image in that repository, on the daemon's loopback address. */
export function pushName(port: number, repository: string): string {
	return `127.0.0.1:${port}/${repository}:latest`;
}

/**
 * The names that images of one daemon have to be pushed to this side. It outlives the connections to
 * that daemon, as a name stays behind where its connection was lost.
 */
export class PushNames {
	/** Those that stayed behind, and the connection that was lost. */
	readonly #left = new Map<string, Engine>();

	/** Takes a name from its image, which stays if it has another one. */
	async remove(engine: Engine, name: string): Promise<void> {
		await this.#remove(engine, [name]);
	}

	/** Removes what earlier connections have left behind. */
	async removeLeft(engine: Engine): Promise<void> {
		const names = [...this.#left].filter(([, lost]) => lost !== engine).map(([name]) => name);
		await this.#remove(engine, names);
	}

	/**
	 * Removes what others have left behind for good, as far as it gets until the signal is aborted. What
	 * another rbuild may be using stays.
	 */
	async removeOld(engine: Engine, signal: AbortSignal): Promise<void> {
		// It takes seconds for a list that docker has in a tenth of one, while it should push.
		if (engine.facts.product === "podman") return;
		try {
			const images = await listImages(engine, signal, { reference: ["127.0.0.1:*/rbuild/*"] });
			const names = images.flatMap(({ tags }) => tags).filter(isOld);
			for (const name of names) await removeImage(engine, name, signal).catch(unlessRefused);
		} catch (error) {
			if (!(error instanceof RbuildError)) throw error;
		}
	}

	async #remove(engine: Engine, names: readonly string[]): Promise<void> {
		if (names.length === 0) return;
		const signal = AbortSignal.timeout(TIMEOUT);
		const remove = async (name: string) => {
			try {
				await removeImage(engine, name, signal).catch(unlessRefused);
				this.#left.delete(name);
			} catch (error) {
				if (!(error instanceof RbuildError)) throw error;
				this.#left.set(name, engine);
			}
		};
		await Promise.all(names.map(remove));
	}
}

/** It is not there, or is in use: asking again is of no use. */
function unlessRefused(error: unknown): void {
	if (!(error instanceof EngineError)) throw error;
}

function isOld(name: string): boolean {
	const [, seconds] = FORM.exec(name) ?? [];
	return seconds !== undefined && Date.now() - Number.parseInt(seconds, 16) * 1000 > LEFT_BEHIND;
}
