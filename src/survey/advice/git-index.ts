import { fromBytes } from "../../context/tree/path-bytes.js";

/** What git tracks in a working tree; paths are relative to its top. */
export interface TrackedPaths {
	readonly files: ReadonlySet<string>;
	/** Those that hold tracked files. */
	readonly directories: ReadonlySet<string>;
	/** Submodules, and directories that a sparse checkout has folded: what is in them is not listed. */
	readonly folded: ReadonlySet<string>;
}

const HEADER_BYTES = 12;
/** Of an entry up to its hash: times, device, inode, mode, owner, group, size. */
const STATE_BYTES = 40;
const MODE_AT = 24;
const EXTENDED = 0x4000;

/**
 * Reads .git/index: git's gitformat-index, versions 2 to 4.
 *
 * @param hashBytes 20, or 32 in a repository of SHA-256
 * @returns undefined for what is no such file, or does not list all paths itself (a split index)
 */
export function readGitIndex(bytes: Buffer, hashBytes: number): TrackedPaths | undefined {
	try {
		return readEntries(bytes, hashBytes);
	} catch (error) {
		if (error instanceof RangeError) return undefined;
		throw error;
	}
}

function readEntries(bytes: Buffer, hashBytes: number): TrackedPaths | undefined {
	const version = bytes.readUInt32BE(4);
	if (bytes.toString("latin1", 0, 4) !== "DIRC" || version < 2 || version > 4) return undefined;
	const files = new Set<string>();
	const directories = new Set<string>();
	const folded = new Set<string>();
	let at = HEADER_BYTES;
	let name: Buffer = Buffer.alloc(0);
	for (let left = bytes.readUInt32BE(8); left > 0; left--) {
		const start = at;
		const type = bytes.readUInt32BE(start + MODE_AT) >>> 12;
		const flags = bytes.readUInt16BE(start + STATE_BYTES + hashBytes);
		at = start + STATE_BYTES + hashBytes + (flags & EXTENDED ? 4 : 2);
		let shared = 0;
		if (version === 4) {
			let byte = bytes.readUInt8(at++);
			let dropped = byte & 0x7f;
			while (byte & 0x80) {
				byte = bytes.readUInt8(at++);
				dropped = (dropped + 1) * 128 + (byte & 0x7f);
			}
			shared = name.length - dropped;
		}
		const end = bytes.indexOf(0, at);
		if (end < 0 || shared < 0) return undefined;
		const rest = bytes.subarray(at, end);
		name = shared === 0 ? rest : Buffer.concat([name.subarray(0, shared), rest]);
		// Before version 4, one to eight zeros end an entry at a multiple of eight bytes.
		at = version === 4 ? end + 1 : start + ((end - start + 8) & ~7);
		const path = fromBytes(name);
		if (type === FILE || type === LINK) files.add(path);
		else folded.add(path.replace(/\/$/, ""));
		addParents(directories, path);
	}
	const isSplit = bytes.toString("latin1", at, at + 4) === "link";
	return isSplit ? undefined : { files, directories, folded };
}

const FILE = 0o10;
const LINK = 0o12;

function addParents(directories: Set<string>, path: string): void {
	for (let end = path.lastIndexOf("/"); end > 0; end = path.lastIndexOf("/", end - 1)) {
		const directory = path.slice(0, end);
		if (directories.has(directory)) return;
		directories.add(directory);
	}
}
