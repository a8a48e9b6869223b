import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";

/** In a folder of its own, for the length of a test. */
export function namedPipe(context: TestContext): string {
	const root = mkdtempSync(join(tmpdir(), "rbuild-pipe-"));
	context.after(() => rmSync(root, { recursive: true }));
	const pipe = join(root, "pipe");
	execFileSync("mkfifo", [pipe]);
	return pipe;
}
