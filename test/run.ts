import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

// `npm test`: the unit tests side by side, then those in a real browser and those with real daemons, one
// file after the other, as each of them starts some. Names of suites, or parts of file names, narrow it down:
// `npm test -- unit`, `npm test -- engine`, `npm test -- known-hosts`.

const here = fileURLToPath(new URL(".", import.meta.url));
const wanted = process.argv.slice(2);

function testFiles(suite: string): string[] {
	return readdirSync(join(here, suite), { recursive: true, encoding: "utf8" })
		.filter((file) => file.endsWith(".test.js"))
		.map((file) => join(here, suite, file))
		.filter(
			(file) =>
				wanted.length === 0 || wanted.includes(suite) || wanted.some((w) => file.includes(w)),
		)
		.sort();
}

function run(suite: string, options: readonly string[]): boolean {
	const files = testFiles(suite);
	if (files.length === 0) return true;
	console.log(`# ${suite}: ${files.length} files`);
	const { status } = spawnSync(process.execPath, ["--test", ...options, ...files], {
		stdio: ["ignore", "inherit", "inherit"],
	});
	return status === 0;
}

// Node takes one fewer than there are processors, and half of a file's time is waiting.
const SIDE_BY_SIDE = 2 * availableParallelism();

// What hangs must end the run, not hold it up.
const reporter = process.stdout.isTTY ? [] : ["--test-reporter=dot"];
const passed = [
	run("unit", ["--test-timeout=60000", `--test-concurrency=${SIDE_BY_SIDE}`, ...reporter]),
	run("browser", ["--test-timeout=120000", "--test-concurrency=1", ...reporter]),
	run("engine", ["--test-timeout=300000", "--test-concurrency=1", "--test-reporter=spec"]),
].every(Boolean);
process.exitCode = passed ? 0 : 1;
