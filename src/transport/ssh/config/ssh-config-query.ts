import { execFile } from "node:child_process";
import type { Environment } from "../../../environment.js";
import { UsageError } from "../../../errors.js";
import { programToStart } from "../../../installed-program.js";
import { connectInterrupted } from "../../connect-socket.js";
import type { SshOptions, SshTarget } from "./ssh-settings.js";

const QUERY_TIMEOUT_MS = 10_000;

/** Keywords whose line holds several paths. */
const LISTS = new Set(["userknownhostsfile", "globalknownhostsfile"]);

/**
 * Runs `ssh -G`, which prints what ssh would use for a host (OpenSSH 6.8): Include, Match and all.
 * @returns undefined where there is no ssh program, one that does not know -G, or one that does nothing for a user
 * id without a name.
 * @throws UsageError when ssh refuses its configuration.
 */
export async function querySshConfig(
	target: SshTarget,
	environment: Environment,
	signal: AbortSignal,
): Promise<SshOptions | undefined> {
	const { sshConfigFile } = environment;
	const args = [
		...(sshConfigFile === undefined ? [] : ["-F", sshConfigFile]),
		...(target.user === undefined ? [] : ["-l", target.user]),
		...(target.port === undefined ? [] : ["-p", String(target.port)]),
		"-T",
		"-G",
		"--",
		target.host,
	];
	const answer = await run(programToStart("ssh", environment), args, environment, signal);
	if (signal.aborted) {
		throw connectInterrupted(target.host);
	}
	switch (answer.kind) {
		case "absent":
			return undefined;
		case "failed":
			if (/unknown option|illegal option|usage:|^No user exists for uid/i.test(answer.stderr)) {
				return undefined;
			}
			throw new UsageError(
				`ssh cannot read its configuration for ${target.host}: ${complaint(answer.stderr)}`,
				{
					hint: `see what is wrong with: ${["ssh", ...args.filter((arg) => arg !== "--")].join(" ")}`,
				},
			);
		case "done":
			return parseQueryAnswer(answer.stdout);
	}
}

export function parseQueryAnswer(text: string): SshOptions {
	const options = new Map<string, string[]>();
	for (const line of text.split(/\r?\n/)) {
		const blank = line.indexOf(" ");
		if (blank < 0) {
			continue;
		}
		const keyword = line.slice(0, blank).toLowerCase();
		const rest = line.slice(blank + 1);
		const values = options.get(keyword) ?? [];
		values.push(...(LISTS.has(keyword) ? splitPaths(rest) : [rest]));
		options.set(keyword, values);
	}
	return options;
}

type Answer =
	| { readonly kind: "done"; readonly stdout: string }
	| { readonly kind: "failed"; readonly stderr: string }
	| { readonly kind: "absent" };

function run(
	program: string,
	args: readonly string[],
	environment: Environment,
	signal: AbortSignal,
): Promise<Answer> {
	return new Promise((resolve) => {
		const child = execFile(
			program,
			args,
			{
				cwd: environment.workingDirectory,
				env: { ...environment.variables },
				signal,
				timeout: QUERY_TIMEOUT_MS,
				windowsHide: true,
			},
			(error, stdout, stderr) => {
				if (error === null) {
					resolve({ kind: "done", stdout });
				} else if (child.pid === undefined) {
					resolve({ kind: "absent" });
				} else {
					resolve({ kind: "failed", stderr: stderr || error.message });
				}
			},
		);
		child.stdin?.end();
	});
}

/** What comes first names the place; what follows counts the mistakes. */
function complaint(stderr: string): string {
	const lines = stderr.trim().split(/[\r\n]+/);
	const line = lines.find((each) => / line \d+/.test(each)) ?? lines[0] ?? "";
	return line.replace(/^(.*?):? line (\d+): /, "$1:$2: ");
}

/** Paths in a row are not quoted, and may hold blanks: each begins with its root. */
function splitPaths(text: string): string[] {
	return text.split(/ (?=[~/]|[A-Za-z]:[\\/]|__PROGRAMDATA__)/);
}
