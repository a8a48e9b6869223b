import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const RUNS = 3;
const FILE_BYTES = 3_300;

/** `rbuild context` as a whole command, by the number of files: seconds and peak memory, the best of three. */
export function measureContextSurvey(rbuild: string): void {
	console.log("### rbuild context\n");
	console.log("| files | format | s | peak MB |\n|--:|---|--:|--:|");
	for (const [files, bytes] of [
		[50_000, FILE_BYTES],
		[1_000_000, 0],
	] as const) {
		const root = mkdtempSync(join(tmpdir(), "rbuild-bench-"));
		try {
			writeContext(root, files, bytes);
			for (const format of ["table", "json"]) {
				const runs = Array.from({ length: RUNS }, () => timed(rbuild, root, format));
				const [best] = runs.sort((a, b) => a.seconds - b.seconds);
				const count = files.toLocaleString("en-US");
				console.log(`| ${count} | ${format} | ${best?.seconds} | ${best?.megabytes} |`);
			}
		} finally {
			rmSync(root, { recursive: true });
		}
	}
}

function writeContext(root: string, files: number, bytes: number): void {
	const content = "export const value = Math.round(Math.random() * 1000);\n".repeat(60);
	writeFileSync(join(root, "Dockerfile"), "FROM scratch\nCOPY . .\n");
	writeFileSync(join(root, ".dockerignore"), "node_modules\n*.log\n**/*.tmp\n");
	for (let file = 0; file < files; file++) {
		const folder = join(root, `packages/p${file % 97}/src/d${Math.floor(file / 97) % 53}`);
		if (file < 97 * 53) mkdirSync(folder, { recursive: true });
		writeFileSync(join(folder, `file-${file}.ts`), content.slice(0, bytes));
	}
}

/** GNU time's format: seconds, and kilobytes. */
function timed(rbuild: string, root: string, format: string) {
	const command = `${process.execPath} ${rbuild} context ${root} --format ${format} >/dev/null`;
	const { stderr } = spawnSync("/usr/bin/time", ["-f", "%e %M", "bash", "-c", command], {
		encoding: "utf8",
	});
	const [seconds = 0, kilobytes = 0] = (stderr.trim().split("\n").at(-1) ?? "")
		.split(" ")
		.map(Number);
	return { seconds, megabytes: Math.round(kilobytes / 1000) };
}
