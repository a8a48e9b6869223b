import { spawnSync } from "node:child_process";
import {
	accessSync,
	chmodSync,
	constants,
	mkdtempSync,
	readdirSync,
	readFileSync,
	rmSync,
	statfsSync,
	writeFileSync,
} from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { cacheAfterFirstBuild } from "./support/first-build.js";

// `npm test`: the unit tests side by side, then those in a real browser and those with real daemons, one
// file after the other, as each of them starts some. Names of suites, or parts of file names, narrow it down:
// `npm test -- unit`, `npm test -- engine`, `npm test -- known-hosts`.

const here = fileURLToPath(new URL(".", import.meta.url));
const wanted = process.argv.slice(2);

/** Of a suite, sorted, relative to its folder. */
function testFiles(suite: string): string[] {
	return readdirSync(join(here, suite), { recursive: true, encoding: "utf8" })
		.filter((file) => file.endsWith(".test.js"))
		.filter(
			(file) =>
				wanted.length === 0 || wanted.includes(suite) || wanted.some((w) => file.includes(w)),
		)
		.sort();
}

/** What no test is about, and each of some 200 starts of node would read: 50 ms. */
const UNWANTED = { NODE_EXTRA_CA_CERTS: undefined };

function runNode(
	files: readonly string[],
	options: readonly string[],
	variables: Readonly<Record<string, string>> = {},
): boolean {
	const { status } = spawnSync(process.execPath, ["--test", ...options, ...files], {
		stdio: ["ignore", "inherit", "inherit"],
		env: { ...process.env, ...UNWANTED, ...variables },
	});
	return status === 0;
}

function run(suite: string, options: readonly string[]): boolean {
	const files = testFiles(suite);
	if (files.length === 0) return true;
	console.log(`# ${suite}: ${files.length} files`);
	return runNode(
		files.map((file) => join(here, suite, file)),
		["--test-concurrency=1", ...options],
	);
}

// Node takes one fewer than there are processors, and half of a file's time is waiting.
const SIDE_BY_SIDE = 2 * availableParallelism();
const UNIT_FILE_TIMEOUT_MS = 60_000;

/** With as long as random tests are told to take (test/engine/random-clones.ts), on each of two daemons. */
const ENGINE_FILE_TIMEOUT_MS = 300_000 + 2_000 * Number(process.env.RBUILD_TEST_SECONDS ?? 0);

/**
 * Runs many files of unit tests in one process, because to start node and to load what they test takes most
 * of them longer than to run. Those that start the command have a process each: it is others that they wait
 * for.
 */
async function runUnitTests(options: readonly string[]): Promise<boolean> {
	const files = testFiles("unit");
	if (files.length === 0) return true;
	console.log(`# unit: ${files.length} files`);
	const ofCommand = files.filter(startsCommand);
	const others = files.filter((file) => !ofCommand.includes(file));
	// Like cards, as what is long in one folder would be together otherwise.
	const hands = Array.from({ length: 2 * SIDE_BY_SIDE }, (_, hand) =>
		others.filter((_, index) => index % (2 * SIDE_BY_SIDE) === hand),
	);
	const folder = mkdtempSync(join(memoryFolder() ?? tmpdir(), "rbuild-test-run-"));
	// As /tmp is: some tests are somebody else for a while.
	chmodSync(folder, 0o1777);
	const entries = [...ofCommand.map((file) => [file]), ...hands]
		.filter((hand) => hand.length > 0)
		.map((hand, index) => {
			// Node runs them by name, and those of the command take longest.
			const entry = join(folder, `${String(index).padStart(3, "0")}.mjs`);
			writeFileSync(entry, ['import { suite } from "node:test";', ...hand.map(suiteOf)].join("\n"));
			return entry;
		});
	const cache = ofCommand.length > 0 ? await cacheAfterFirstBuild(folder) : "";
	const passed = runNode(entries, [`--test-concurrency=${SIDE_BY_SIDE}`, ...options], {
		RBUILD_TEST_CACHE: cache,
		TMPDIR: folder,
	});
	// A process that crashes is named by its entry alone: that one lists the files, and can be run again.
	if (passed) rmSync(folder, { recursive: true });
	return passed;
}

/** The tests use a tenth of it. */
const MEMORY_FOLDER_BYTES = 512 * 1024 * 1024;

/**
 * Where files are in memory alone (shm_overview(7)), as the tests make and remove thousands of small ones:
 * on a disk they wait for it a third of their time. Undefined where there is no such folder, or no room.
 */
function memoryFolder(): string | undefined {
	const folder = "/dev/shm";
	try {
		const { bavail, bsize } = statfsSync(folder);
		accessSync(folder, constants.W_OK | constants.X_OK);
		return bavail * bsize >= MEMORY_FOLDER_BYTES ? folder : undefined;
	} catch {
		return undefined;
	}
}

/** By what it imports. */
function startsCommand(file: string): boolean {
	return /\/support\/(cli|terminal)\.js"/.test(readFileSync(join(here, "unit", file), "utf8"));
}

/** Statement that makes a suite of a file, with hooks and a time limit of its own. */
function suiteOf(file: string): string {
	const url = pathToFileURL(join(here, "unit", file)).href;
	const [name, module] = [file, url].map((text) => JSON.stringify(text));
	return `suite(${name}, { timeout: ${UNIT_FILE_TIMEOUT_MS} }, async () => { await import(${module}); });`;
}

// What hangs must end the run, not hold it up: also a loop, which no timer of its own process ends.
const reporter = process.stdout.isTTY ? [] : ["--test-reporter=dot"];
const passed = [
	await runUnitTests(["--test-timeout=300000", ...reporter]),
	run("browser", ["--test-timeout=120000", ...reporter]),
	run("engine", [`--test-timeout=${ENGINE_FILE_TIMEOUT_MS}`, "--test-reporter=spec"]),
].every(Boolean);
process.exitCode = passed ? 0 : 1;
