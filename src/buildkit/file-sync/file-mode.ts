import type { ContextEntry, EntryType } from "../../context/tree/manifest.js";

/** The bits of Go's os.FileMode beyond the permissions; they are not those of stat(2). */
const GO_TYPE: Readonly<Record<EntryType, number>> = {
	file: 0,
	directory: 2 ** 31,
	symlink: 2 ** 27,
	"block-device": 2 ** 26,
	"char-device": 2 ** 26 + 2 ** 21,
	fifo: 2 ** 25,
};
const GO_SETUID = 2 ** 23;
const GO_SETGID = 2 ** 22;
const GO_STICKY = 2 ** 20;

/** An entry's mode as Go's os.FileMode has it: an unsigned 32-bit number. */
export function goFileMode({ type, mode }: Pick<ContextEntry, "type" | "mode">): number {
	// The daemon's links have these on any Linux; others would be taken for a change, each time.
	if (type === "symlink") return GO_TYPE.symlink + 0o777;
	return (
		GO_TYPE[type] +
		(mode & 0o777) +
		(mode & 0o4000 ? GO_SETUID : 0) +
		(mode & 0o2000 ? GO_SETGID : 0) +
		(mode & 0o1000 ? GO_STICKY : 0)
	);
}
