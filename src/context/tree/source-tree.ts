import {
	closeSync,
	constants,
	fstatSync,
	lstatSync,
	openSync,
	readdirSync,
	readlinkSync,
	readSync,
	type Stats,
	statSync,
} from "node:fs";
import { ContextError } from "../../errors.js";
import type { EntryType } from "./manifest.js";
import { fromBytes, pathOnDisk, sortByBytes } from "./path-bytes.js";
import { changedWhileRead, readFailure } from "./read-failure.js";

/** A thing in the source tree. Sockets and what else no archive can hold are never one. */
export interface Found {
	readonly type: EntryType;
	readonly stats: Stats;
}

/**
 * The context directory on disk, by paths relative to it ("" is itself). Blocks its thread: system
 * calls made one after the other, in a worker, are many times faster than node's asynchronous ones.
 * Links are not followed, but for the root itself.
 */
export class SourceTree {
	readonly root: string;
	readonly #platform: NodeJS.Platform;
	/** Owners and permissions of files that could be opened. */
	readonly #opened = new Set<string>();

	/** @throws ContextError if root is not a directory. */
	constructor(root: string, platform: NodeJS.Platform) {
		this.root = root;
		this.#platform = platform;
		let stats: Stats | undefined;
		try {
			stats = statSync(root, { throwIfNoEntry: false });
		} catch (error) {
			throw readFailure("", error);
		}
		if (stats === undefined) throw new ContextError(`the build context ${root} does not exist`);
		if (!stats.isDirectory()) {
			throw new ContextError(`the build context ${root} is not a directory`);
		}
	}

	/**
	 * The names in a directory, in the order of their bytes; undefined if it has vanished.
	 * @throws ContextError
	 */
	names(directory: string): string[] | undefined {
		try {
			return sortByBytes(readNames(pathOnDisk(this.root, directory)));
		} catch (error) {
			const { code } = error as NodeJS.ErrnoException;
			if (directory !== "" && (code === "ENOENT" || code === "ENOTDIR")) return undefined;
			throw readFailure(directory, error);
		}
	}

	/**
	 * Undefined if it has vanished, or cannot be sent.
	 * @throws ContextError
	 */
	look(path: string): Found | undefined {
		try {
			const stats = lstatSync(pathOnDisk(this.root, path), { throwIfNoEntry: false });
			const type = stats && entryType(stats);
			return stats && type && { type, stats };
		} catch (error) {
			// A file where a path has a directory: then there is nothing at that path.
			if ((error as NodeJS.ErrnoException).code === "ENOTDIR") return undefined;
			throw readFailure(path, error);
		}
	}

	/** @throws ContextError */
	linkTarget(path: string): string {
		try {
			const target = fromBytes(readlinkSync(pathOnDisk(this.root, path), "buffer"));
			return this.#platform === "win32" ? target.replaceAll("\\", "/") : target;
		} catch (error) {
			throw readFailure(path, error);
		}
	}

	/** What tells one file from all others: the same for two hard links. */
	identity(path: string, stats: Stats): string {
		if (Number.isSafeInteger(stats.ino)) return `${stats.dev}:${stats.ino}`;
		// NTFS and some network file systems use all of the 64 bits.
		try {
			return `${stats.dev}:${lstatSync(pathOnDisk(this.root, path), { bigint: true }).ino}`;
		} catch (error) {
			throw readFailure(path, error);
		}
	}

	/** mode & 0o7777. Windows only knows what is read-only, and docker makes it 0555 there, and all else 0755. */
	permissions(stats: Stats): number {
		return this.#platform === "win32" ? (stats.mode | 0o111) & 0o755 : stats.mode & 0o7777;
	}

	/**
	 * Tries to open a file, if none of that owner with such permissions was opened before, and not all may.
	 * @throws ContextError
	 */
	requireReadable(path: string, stats: Stats): void {
		const readers = this.permissions(stats) & READABLE_BY_ALL;
		if (readers === READABLE_BY_ALL) return;
		const kind = `${stats.uid}:${stats.gid}:${readers}`;
		if (this.#opened.has(kind)) return;
		closeSync(this.open(path));
		this.#opened.add(kind);
	}

	/** How st_rdev is split: makedev(3). */
	device(stats: Stats): { major: number; minor: number } {
		const number = BigInt(stats.rdev);
		if (this.#platform === "darwin") {
			return { major: Number((number >> 24n) & 0xffn), minor: Number(number & 0xffffffn) };
		}
		return {
			major: Number(((number >> 8n) & 0xfffn) | ((number >> 32n) & 0xfffff000n)),
			minor: Number((number & 0xffn) | ((number >> 12n) & 0xffffff00n)),
		};
	}

	/**
	 * A file descriptor to read from. If something else took the file's place, a link is not followed
	 * and a fifo does not wait for its writer.
	 * @throws ContextError
	 */
	open(path: string): number {
		try {
			return openSync(pathOnDisk(this.root, path), READ_ONLY);
		} catch (error) {
			const { code } = error as NodeJS.ErrnoException;
			if (code === "ELOOP" || code === "ENXIO") throw changedWhileRead(path);
			throw readFailure(path, error);
		}
	}

	/**
	 * The state of an opened file.
	 * @throws ContextError if something else took its place.
	 */
	opened(file: number, path: string): Stats {
		try {
			const stats = fstatSync(file);
			if (stats.isFile()) return stats;
		} catch (error) {
			throw readFailure(path, error);
		}
		throw changedWhileRead(path);
	}

	/**
	 * Reads at most `length` bytes at `position` of an opened file into the buffer, and tells how many.
	 * @throws ContextError
	 */
	read(
		file: number,
		path: string,
		into: { buffer: Uint8Array; at: number; length: number },
		position: number,
	): number {
		try {
			return readSync(file, into.buffer, into.at, into.length, position);
		} catch (error) {
			throw readFailure(path, error);
		}
	}
}

const READABLE_BY_ALL = 0o444;

// Windows has neither of the two flags.
const READ_ONLY = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

/** Names that are not UTF-8 are lost in strings, and reading buffers for all of them is slow. */
function readNames(directory: string | Buffer): string[] {
	const names = readdirSync(directory);
	return names.some((name) => name.includes("\ufffd"))
		? readdirSync(directory, "buffer").map(fromBytes)
		: names;
}

function entryType(stats: Stats): EntryType | undefined {
	switch (stats.mode & constants.S_IFMT) {
		case constants.S_IFREG:
			return "file";
		case constants.S_IFDIR:
			return "directory";
		case constants.S_IFLNK:
			return "symlink";
		case constants.S_IFIFO:
			return "fifo";
		case constants.S_IFCHR:
			return "char-device";
		case constants.S_IFBLK:
			return "block-device";
		default:
			return undefined;
	}
}
