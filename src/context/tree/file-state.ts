import type { Stats } from "node:fs";

/** What changes whenever a file's content does, together with its size and modification time. */
export interface FileState {
	readonly device: number;
	readonly inode: number;
	/**
	 * When the file was last changed in any way, in milliseconds since 1970. No program can set it: not on
	 * a Unix, where it is st_ctime, and not on Windows, where it is the ChangeTime of NTFS. 0 where the
	 * file system has none.
	 */
	readonly changedMs: number;
}

export function fileState({ dev, ino, ctimeMs }: Stats): FileState {
	return { device: dev, inode: ino, changedMs: ctimeMs };
}
