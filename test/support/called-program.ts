import { Console } from "node:console";
import { Readable, Writable } from "node:stream";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { compileProgram } from "../../src/cli/process/compiled-program.js";
import type * as Program from "../../src/cli/program.js";
import { type CliOptions, type Finished, variablesOf } from "./cli.js";

/** What bin/rbuild.js starts. */
const bundle = fileURLToPath(new URL("../../bundle/program.cjs", import.meta.url));

let program: typeof Program | undefined;
let last: Promise<unknown> = Promise.resolve();

/**
 * Runs a command line as rbuild() does, but in this process, in a tenth of the time: for what is about words,
 * files and exit codes. Its streams, directory and variables are this process's own while it runs, so that one
 * runs after the other. Like a process, it is over when nothing is left that would keep one from ending.
 */
export function rbuildHere(
	args: readonly string[],
	options: Pick<CliOptions, "cwd" | "env" | "input"> = {},
): Promise<Finished> {
	const finished = last.then(() => run(args, options));
	last = finished.catch(() => {});
	return finished;
}

async function run(
	args: readonly string[],
	{ cwd = process.cwd(), input = "", ...options }: CliOptions,
): Promise<Finished> {
	program ??= compileProgram<typeof Program>(bundle, `${bundle}.never-kept`).exports;
	const former = count(process.getActiveResourcesInfo());
	const [stdout, stderr] = [new Written(), new Written()];
	const stdin = Readable.from([Buffer.from(input)], { objectMode: false });
	using _streams = replaced(process, { stdin, stdout, stderr });
	// With which yargs prints.
	using _console = replaced(globalThis, { console: new Console(stdout, stderr) });
	using _variables = variables(variablesOf(options));
	using _directory = directory(cwd);
	const { exitCode } = await program.runProgram(args);
	while (exceeds(count(process.getActiveResourcesInfo()), former)) await setTimeout(1);
	return { code: exitCode, stdout: stdout.text, stderr: stderr.text };
}

/** A stream that is no terminal. */
class Written extends Writable {
	readonly #chunks: Buffer[] = [];

	get text(): string {
		return Buffer.concat(this.#chunks).toString();
	}

	override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
		this.#chunks.push(chunk);
		done();
	}
}

function replaced<Owner extends object>(
	owner: Owner,
	values: Readonly<Record<string, unknown>>,
): Disposable {
	const former = Object.keys(values).map(
		(name) => [name, Object.getOwnPropertyDescriptor(owner, name) ?? {}] as const,
	);
	for (const [name, value] of Object.entries(values)) {
		Object.defineProperty(owner, name, { value, configurable: true, enumerable: true });
	}
	return {
		[Symbol.dispose]() {
			for (const [name, property] of former) Object.defineProperty(owner, name, property);
		},
	};
}

function variables(wanted: NodeJS.ProcessEnv): Disposable {
	const former = { ...process.env };
	const set = (all: NodeJS.ProcessEnv) => {
		for (const name of Object.keys(process.env)) if (!(name in all)) delete process.env[name];
		Object.assign(process.env, all);
	};
	set(wanted);
	return { [Symbol.dispose]: () => set(former) };
}

function directory(path: string): Disposable {
	const former = process.cwd();
	process.chdir(path);
	return { [Symbol.dispose]: () => process.chdir(former) };
}

function count(names: readonly string[]): ReadonlyMap<string, number> {
	const counts = new Map<string, number>();
	for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
	return counts;
}

function exceeds(now: ReadonlyMap<string, number>, former: ReadonlyMap<string, number>): boolean {
	return [...now].some(([name, number]) => number > (former.get(name) ?? 0));
}
