import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";

export interface Finished {
	readonly code: number | null;
	readonly stdout: string;
	readonly stderr: string;
}

export interface CliOptions {
	readonly cwd?: string;
	/** Over the environment of the tests, which has no variable that rbuild would listen to. */
	readonly env?: Readonly<Record<string, string>>;
	readonly input?: string | Uint8Array;
	/** Also when root runs the tests: without root's leave to read and write what modes forbid. */
	readonly obeysModes?: boolean;
	/** Milliseconds; absent: two minutes. */
	readonly timeoutMs?: number;
}

/** Not the cache of who runs the tests, but with what test/run.ts has put into one. */
const cache = mkdtempSync(join(tmpdir(), "rbuild-cache-"));
if (process.env.RBUILD_TEST_CACHE)
	cpSync(process.env.RBUILD_TEST_CACHE, cache, { recursive: true });
process.once("exit", () => rmSync(cache, { recursive: true, force: true }));

const command = fileURLToPath(new URL("../../../bin/rbuild.js", import.meta.url));

/**
 * Not another user: that one may not be able to reach the checkout or node itself (capabilities(7)).
 */
const OBEYING =
	process.getuid?.() === 0
		? [
				...["setpriv", "--bounding-set=-dac_override,-dac_read_search"],
				...["--inh-caps=-dac_override,-dac_read_search", process.execPath],
			]
		: [process.execPath];

/** The environment of a command. */
export function variablesOf({ env: given }: Pick<CliOptions, "env">): NodeJS.ProcessEnv {
	const {
		DOCKER_HOST: _host,
		DOCKER_CONTEXT: _context,
		DOCKER_TLS: _tls,
		DOCKER_TLS_VERIFY: _verify,
		DOCKER_CERT_PATH: _certificates,
		RBUILD_ON: _on,
		RBUILD_CONTEXT_KEY: _key,
		CI: _ci,
		...env
	} = process.env;
	const kept = { XDG_CACHE_HOME: cache, LOCALAPPDATA: cache };
	return { ...env, DOCKER_CONFIG: "/nonexistent", ...kept, ...given };
}

/** The command, as its own process and without a terminal. */
export function startRbuild(args: readonly string[], options: CliOptions = {}): ChildProcess {
	const [program = "", ...before] = options.obeysModes ? OBEYING : [process.execPath];
	const child = spawn(program, [...before, command, ...args], {
		cwd: options.cwd,
		env: variablesOf(options),
		stdio: ["pipe", "pipe", "pipe"],
		// What hangs must fail its test.
		timeout: options.timeoutMs ?? 120_000,
		killSignal: "SIGKILL",
	});
	child.stdin?.on("error", () => {});
	child.stdin?.end(options.input ?? "");
	return child;
}

export async function rbuild(args: readonly string[], options: CliOptions = {}): Promise<Finished> {
	return finished(startRbuild(args, options));
}

export async function finished(child: ChildProcess): Promise<Finished> {
	const [stdout, stderr, [code]] = await Promise.all([
		child.stdout ? text(child.stdout) : "",
		child.stderr ? text(child.stderr) : "",
		once(child, "close") as Promise<[number | null]>,
	]);
	return { code, stdout, stderr };
}
