import { existsSync, readdirSync, readFileSync } from "node:fs";

/** Journals of ext4, each by its device. */
const JOURNALS = "/proc/fs/jbd2";

/**
 * Warns of a disk on which cold runs cannot be compared: ext4 without a journal does not use an inode again
 * that was freed in the last minutes, and goes past all of them for each new file (recently_deleted() in
 * Linux' fs/ext4/ialloc.c). Each prune makes the daemon slower, up to four times for 20,000 files.
 *
 * @returns undefined where nothing is known against it
 */
export function whyColdRunsDiffer(directory: string): string | undefined {
	if (!existsSync("/proc/self/mountinfo")) return undefined;
	const mount = readFileSync("/proc/self/mountinfo", "utf8")
		.split("\n")
		.map(parseMount)
		.filter(({ point }) => point === "/" || `${directory}/`.startsWith(`${point}/`))
		.toSorted((a, b) => a.point.length - b.point.length)
		.at(-1);
	if (mount?.type !== "ext4") return undefined;
	const device = mount.source.replace("/dev/", "");
	const journals = existsSync(JOURNALS) ? readdirSync(JOURNALS) : [];
	if (journals.some((journal) => journal.startsWith(`${device}-`))) return undefined;
	return `${directory} is on ext4 without a journal, where each prune makes the next cold runs slower: mount a file system with one there`;
}

/** proc(5): ID, parent, device, root, mount point, options, tags, "-", type, source, options. */
function parseMount(line: string): { point: string; type: string; source: string } {
	const [before = "", after = ""] = line.split(" - ");
	const [type = "", source = ""] = after.split(" ");
	return { point: before.split(" ")[4] ?? "", type, source };
}
