/**
 * What would be uploaded: the outcome of one walk over the context directory, read by every transfer
 * and by `rbuild context`.
 */

export type EntryType = "file" | "directory" | "symlink" | "fifo" | "char-device" | "block-device";

/** One path that is sent. The owner is always 0:0. */
export interface ContextEntry {
	/**
	 * Relative to the context, with "/" between names. File names are bytes: one that is valid UTF-8 is
	 * that text, any other has each invalid byte 0xNN as the lone surrogate U+DCNN (as Python's
	 * surrogateescape does), so that no two names ever become one. See path-bytes.ts.
	 */
	readonly path: string;
	readonly type: EntryType;
	/** Bytes of a regular file, else 0. */
	readonly size: number;
	/** Permission bits with setuid, setgid and sticky: mode & 0o7777. */
	readonly mode: number;
	/** Modification time in milliseconds since 1970, with a fraction. */
	readonly mtimeMs: number;
	/** What to send instead of mtimeMs, in nanoseconds since 1970; a tar takes the whole seconds. */
	readonly modTime?: bigint;
	/** Where a symlink points, as it stands in the file system; same encoding as path. */
	readonly linkname?: string;
	/** For a file that is the same inode as one sent before: that one's path. Its size is 0 in a tar. */
	readonly hardlink?: string;
	/** Device numbers, for devices only. */
	readonly device?: { readonly major: number; readonly minor: number };
}

/** A path that may be part of the context and could not be looked into: whoever takes it fails with this. */
export interface Unreadable {
	readonly path: string;
	/** Whether it is a file, which is among the entries; anything else is not, nor is what may be in it. */
	readonly isEntry: boolean;
	/** As a ContextError has them: errors do not cross threads as what they are. */
	readonly message: string;
	readonly hint: string | undefined;
}

export interface ContextManifest {
	/** The directory that was walked, absolute. */
	readonly root: string;
	/** Parents before children, siblings in the byte order of their names. */
	readonly entries: readonly ContextEntry[];
	/** Everything but directories. */
	readonly files: number;
	/** Sum of the sizes of the regular files, each inode once. */
	readonly bytes: number;
	/**
	 * What the rules left out, as far as the walk saw it: an ignored directory counts as one entry in
	 * `directories`, and what is in it is not looked at.
	 */
	readonly ignored: {
		readonly files: number;
		readonly bytes: number;
		readonly directories: readonly string[];
	};
	/** What is not ignored and cannot be read, in the order of the walk, but for the files, which come last. */
	readonly unreadable: readonly Unreadable[];
}

/** All that most builds want to know of it: the entries are many, and stay where they were found. */
export type ContextSummary = Omit<ContextManifest, "entries"> & {
	/** When the walk began, in milliseconds since 1970. */
	readonly lookedAt: number;
	/** The paths of files that the walk was told to note. */
	readonly noted: readonly string[];
	/** Whether all names, and all targets of links, are UTF-8, which a sync needs. */
	readonly isUtf8: boolean;
};
