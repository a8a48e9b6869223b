import {
	chmodSync,
	closeSync,
	lstatSync,
	openSync,
	readdirSync,
	readSync,
	renameSync,
	rmdirSync,
	rmSync,
	type Stats,
	unlinkSync,
} from "node:fs";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { isInUse, renamePatiently } from "../../disk/patient-rename.js";

/** Milliseconds that the calls, which block, may take from everything else at once. */
const LONGEST_HOLD = 50;

const COMPARED_BYTES = 256 * 1024;

/**
 * Moves what is in one folder into another: folders are merged, everything else is replaced; a symlink is
 * never followed. A file that is there with the same content, permissions and time stays, so that who watches
 * it has nothing to do; replacing one also costs much more than comparing it (ext4 writes it out at once).
 *
 * @param from left empty
 * @throws NodeJS.ErrnoException
 */
export async function mergeInto(from: string, to: string): Promise<void> {
	await new Merge().folder(from, to);
}

class Merge {
	#turnedAt = performance.now();
	readonly #one = Buffer.allocUnsafe(COMPARED_BYTES);
	readonly #other = Buffer.allocUnsafe(COMPARED_BYTES);

	async folder(from: string, to: string): Promise<void> {
		for (const name of readdirSync(from)) {
			await this.#breathe();
			await this.#entry(join(from, name), join(to, name));
		}
	}

	async #entry(source: string, target: string): Promise<void> {
		const found = lstatSync(source);
		const existing = lstatSync(target, { throwIfNoEntry: false });
		if (found.isDirectory() && existing?.isDirectory()) {
			// It may be from an earlier build, and read-only; its mode is set when all is done.
			if ((existing.mode & 0o300) !== 0o300) chmodSync(target, existing.mode | 0o700);
			await this.folder(source, target);
			rmdirSync(source);
		} else if (
			existing &&
			looksSame(found, existing) &&
			(await this.#haveSameContent(source, target))
		) {
			unlinkSync(source);
		} else {
			if (found.isDirectory() || existing?.isDirectory()) {
				rmSync(target, { recursive: true, force: true });
			}
			await this.#move(source, target, existing);
		}
	}

	async #move(source: string, target: string, existing: Stats | undefined): Promise<void> {
		try {
			renameSync(source, target);
		} catch (error) {
			if (!isInUse(error)) throw error;
			// Windows replaces no file that is read-only, however long one waits.
			if (existing?.isFile()) chmodSync(target, 0o666);
			await renamePatiently(source, target);
		}
	}

	async #haveSameContent(source: string, target: string): Promise<boolean> {
		const [one, other] = [openToRead(source), openToRead(target)];
		try {
			if (one === undefined || other === undefined) return false;
			for (;;) {
				const length = readSync(one, this.#one);
				const otherLength = readSync(other, this.#other);
				if (this.#one.compare(this.#other, 0, otherLength, 0, length) !== 0) return false;
				if (length === 0) return true;
				await this.#breathe();
			}
		} finally {
			for (const file of [one, other]) if (file !== undefined) closeSync(file);
		}
	}

	async #breathe(): Promise<void> {
		if (performance.now() - this.#turnedAt < LONGEST_HOLD) return;
		await turn();
		this.#turnedAt = performance.now();
	}
}

/** Hard links are replaced, as what they are linked with counts, too. */
function looksSame(one: Stats, other: Stats): boolean {
	return (
		one.isFile() &&
		other.isFile() &&
		one.size === other.size &&
		one.mode === other.mode &&
		one.mtimeMs === other.mtimeMs &&
		one.uid === other.uid &&
		one.nlink === 1 &&
		other.nlink === 1
	);
}

/** What cannot be read can be replaced still. */
function openToRead(path: string): number | undefined {
	try {
		return openSync(path, "r");
	} catch {
		return undefined;
	}
}
