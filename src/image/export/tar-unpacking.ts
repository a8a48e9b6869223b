import { linkSync, lstatSync } from "node:fs";
import * as os from "node:os";
import { join, resolve } from "node:path";
import { pipeline } from "node:stream/promises";
import { type ExtractOptions, extract, type Headers } from "tar-fs";
import { DeliveryError } from "../../errors.js";
import { atOnce, IMMEDIATE_FS } from "./immediate-fs.js";
import { type Collision, foldsCase, TakenNames } from "./taken-names.js";

/** A directory or symlink, whose mode and time are for whoever puts it in its place to set, at last. */
export interface Unfinished {
	/** Within the tar, with "/". */
	readonly path: string;
	/** The lower nine bits; undefined for a symlink, which has none. */
	readonly mode: number | undefined;
	readonly mtime: Date;
}

export interface Unpacked {
	/** In the order of the tar. */
	readonly unfinished: readonly Unfinished[];
	/** Devices, pipes, and what this system has not: paths within the tar. */
	readonly skipped: readonly string[];
	/** What has another name here, as Windows does not take its own. */
	readonly renamed: readonly Renamed[];
	/** What took the place of another file, as both have the same name here. */
	readonly collisions: readonly Collision[];
}

export interface Renamed {
	readonly path: string;
	readonly as: string;
}

/**
 * Unpacks a tar of which nothing is believed into a folder that is empty and nobody else's. Files belong
 * to the user, with the permissions and times of the tar; setuid, setgid and sticky bits are dropped.
 * Symlinks are made as they are, wherever they lead, and nothing is written through one.
 *
 * @param folder absolute, with all symlinks resolved
 * @throws DeliveryError for a tar that leads out of the folder or cannot be unpacked; the system's
 * errors; whatever `tar` throws
 */
export async function unpackTar(
	tar: AsyncIterable<Uint8Array>,
	folder: string,
	signal: AbortSignal,
): Promise<Unpacked> {
	const unfinished: Unfinished[] = [];
	const links: Link[] = [];
	const skipped: string[] = [];
	const renamed: Renamed[] = [];
	const names = new TakenNames(foldsCase(folder));
	let refusal: DeliveryError | undefined;

	const prepare = (whole: Headers & Linked): Headers => {
		const header = os.platform() === "win32" ? withNamesOfWindows(whole) : whole;
		const { name: path, type, mtime, linkname } = header;
		if (path !== whole.name) renamed.push({ path: whole.name, as: path });
		if (type !== "directory") names.take(whole.name, path);
		if (type === "symlink") links.push({ path });
		if (type === "link") links.push({ path, target: linkname ?? "" });
		if (type === "symlink") unfinished.push({ path, mode: undefined, mtime });
		if (type !== "directory") return header;
		unfinished.push({ path, mode: header.mode & 0o777, mtime });
		// A directory that its owner may not write to takes no files.
		return { ...header, mode: 0o700 };
	};
	const leaveOut = (_path: string, header?: Headers): boolean => {
		if (header === undefined) return false;
		refusal ??= refusalOf(header);
		if (refusal !== undefined) {
			unpacking.destroy(refusal);
			return true;
		}
		if (UNPACKED_TYPES.has(header.type)) return false;
		skipped.push(header.name);
		return true;
	};
	const options: ExtractOptions & Undeclared = {
		map: prepare,
		ignore: leaveOut,
		umask: 0,
		chown: false,
		// A root file system is full of absolute ones.
		validateSymlinks: false,
		fs: { ...IMMEDIATE_FS, stat: atOnce(statDirectory) },
	};
	const unpacking = extract(folder, options);
	// They may fail once more after their end, and an entry that is left out has no other listener.
	unpacking.on("error", () => {});
	unpacking.on("entry", (_header, content) => content.on("error", () => {}));
	try {
		await pipeline(tar, unpacking, { signal });
	} catch (error) {
		throw refusal ?? inOurWords(error, folder);
	}
	for (const link of links) {
		// On Windows, tar-fs makes none and says nothing.
		if (!isThere(join(folder, link.path)) && !isLinked(folder, link)) skipped.push(link.path);
	}
	return { unfinished, skipped, renamed, collisions: names.collisions };
}

/** What tar-fs 3.1 takes and its types do not have. */
interface Undeclared {
	readonly umask: number;
	readonly chown: boolean;
	readonly validateSymlinks: boolean;
	readonly fs: object;
}

interface Linked {
	readonly linkname?: string | null;
}

interface Link {
	readonly path: string;
	/** Of a hard link, within the tar. */
	readonly target?: string;
}

const UNPACKED_TYPES = new Set<string>(["file", "directory", "link", "symlink"]);

/**
 * What tar-fs asks whether a directory is there already, before it sets its mode and time: a symlink of
 * that name, from the same tar, would have those of what it leads to set.
 */
function statDirectory(path: string): void {
	// With a slash at its end, a symlink would be followed.
	if (!lstatSync(resolve(path)).isDirectory()) throw new Error(`${path} is not a directory`);
}

function isThere(path: string): boolean {
	return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

/** Makes a hard link where it can be made; no symlink can lead out of the folder, as there are none then. */
function isLinked(folder: string, { path, target }: Link): boolean {
	if (target === undefined) return false;
	try {
		linkSync(join(folder, join("/", target)), join(folder, path));
		return true;
	} catch {
		return false;
	}
}

/** tar-fs would do it for most of them, without a word, and not for what hard links lead to. */
function withNamesOfWindows<Header extends Headers & Linked>(header: Header): Header {
	const { name, type, linkname } = header;
	if (!UNPACKED_TYPES.has(type)) return header;
	const renamed = { ...header, name: nameOfWindows(name) };
	return type === "link" ? { ...renamed, linkname: nameOfWindows(linkname ?? "") } : renamed;
}

/** Node can make files with all but the first of these, which most other programs there can neither open nor remove. */
function nameOfWindows(path: string): string {
	const parts = path.replace(/[\\:*?"<>|\p{Cc}]/gu, "_").split("/");
	return parts
		.map((name) =>
			/^\.\.?$/.test(name) ? name : name.replace(DEVICE, "$&_").replace(/[. ]$/, "_"),
		)
		.join("/");
}

/** What stands for a device in any folder, whatever comes behind a dot ("Naming Files, Paths, and Namespaces"). */
const DEVICE = /^(?:con|prn|aux|nul|(?:com|lpt)[0-9¹²³])(?= *(?:\.|$))/i;

/** No builder makes such a tar, so it is not put right but refused. */
function refusalOf({ name, linkname }: Headers & Linked) {
	const parts = name.split("/");
	if (name.startsWith("/") || parts.includes("..")) {
		return new DeliveryError(
			`the daemon sent a file for outside of the folder: ${JSON.stringify(name)}`,
			{ hint: "nothing was written there; can that machine be trusted?" },
		);
	}
	// What does not decode as UTF-8: two such names could become one.
	if (name.includes("\ufffd") || linkname?.includes("\ufffd")) {
		return new DeliveryError(`the name of ${JSON.stringify(name)} is not UTF-8`, {
			hint: "use --output type=tar,dest=FILE, and unpack that",
		});
	}
	return undefined;
}

/** tar-fs and tar-stream find fault with a tar in errors without a code. */
function inOurWords(error: unknown, folder: string): unknown {
	if (!(error instanceof Error) || error.constructor !== Error || "code" in error) return error;
	const reason = error.message.replaceAll(`${folder}/`, "");
	return new DeliveryError(`the daemon sent a tar that cannot be unpacked: ${reason}`, {
		hint: "use --output type=tar,dest=FILE, and look into it",
		cause: error,
	});
}
