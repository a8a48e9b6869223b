import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import type { Finished } from "./cli.js";

export type { Finished };

interface ScriptOptions {
	readonly cwd: string;
	/** Over that of the tests, without what rbuild or an agent would listen to. */
	readonly env: Readonly<Record<string, string>>;
	/** Aborting it sends SIGINT, as a runner does with a job that is cancelled. */
	readonly signal?: AbortSignal | undefined;
}

/** Runs lines as GitHub's runner runs `shell: bash`. */
export async function runScript(script: string, options: ScriptOptions): Promise<Finished> {
	const {
		DOCKER_HOST: _host,
		DOCKER_CONTEXT: _context,
		RBUILD_ON: _on,
		SSH_AUTH_SOCK: _agent,
		...env
	} = process.env;
	const child = spawn("bash", ["--noprofile", "--norc", "-eo", "pipefail", "-c", script], {
		cwd: options.cwd,
		env: { ...env, DOCKER_CONFIG: "/nonexistent", ...options.env },
		stdio: ["ignore", "pipe", "pipe"],
		timeout: 120_000,
		killSignal: "SIGKILL",
	});
	options.signal?.addEventListener("abort", () => child.kill("SIGINT"), { once: true });
	const [stdout, stderr, [code]] = await Promise.all([
		text(child.stdout),
		text(child.stderr),
		once(child, "close") as Promise<[number | null]>,
	]);
	return { code, stdout, stderr };
}
