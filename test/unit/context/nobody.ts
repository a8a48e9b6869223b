import { chmodSync } from "node:fs";

const NOBODY = 65534;

/** Runs as a user for whom permissions hold; root reads everything. */
export function asNobody(root: string, work: () => void): void {
	const isRoot = process.geteuid?.() === 0;
	if (isRoot) {
		chmodSync(root, 0o755);
		process.seteuid?.(NOBODY);
	}
	try {
		work();
	} finally {
		if (isRoot) process.seteuid?.(0);
	}
}
