import { execFileSync, spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";

const PROGRAMS = ["/usr/bin/ssh-add", "/usr/bin/ssh-keygen"];

/** Why no ssh agent can be started here, for a person; undefined when one can. */
export function whyNoSshAgent(): string | undefined {
	if (process.platform === "win32") return "agents on Windows listen on no path";
	return spawnSync("ssh-add", ["-h"]).error && "OpenSSH's client is not installed";
}

/** Puts OpenSSH's programs and the libraries they need below a folder, for COPY into an empty image. */
export function copySshPrograms(root: string): void {
	const libraries = PROGRAMS.flatMap((program) =>
		[...execFileSync("ldd", [program], { encoding: "utf8" }).matchAll(/(\/\S+)/g)].map(String),
	);
	const paths = libraries.map((path) => path.split(",", 1)[0] ?? "");
	for (const path of new Set([...PROGRAMS, ...paths])) {
		mkdirSync(join(root, dirname(path)), { recursive: true });
		copyFileSync(realpathSync(path), join(root, path));
	}
}

/** An agent of OpenSSH's. */
interface RealAgent extends Disposable {
	readonly socketPath: string;
	/** Its keys, as `ssh-add -l` shows them. */
	list(): string;
}

/**
 * @param socketPath where it is to listen; keep it short
 * @param provider of security keys
 */
export function startSshAgent(
	socketPath: string,
	keys: readonly string[],
	provider?: string,
): RealAgent {
	const allowed = provider === undefined ? [] : ["-P", provider];
	const argv = ["-s", "-a", socketPath, ...allowed];
	const output = execFileSync("ssh-agent", argv, { encoding: "utf8" });
	const pid = Number(/SSH_AGENT_PID=(\d+)/.exec(output)?.[1]);
	const sk = provider === undefined ? {} : { SSH_SK_PROVIDER: provider };
	const env = { ...process.env, SSH_AUTH_SOCK: socketPath, ...sk };
	for (const key of keys) execFileSync("ssh-add", ["-q", key], { env });
	const stop = () => {
		process.off("exit", stop);
		try {
			process.kill(pid);
		} catch {
			// It has ended before.
		}
	};
	process.on("exit", stop);
	return {
		socketPath,
		list: () => execFileSync("ssh-add", ["-l"], { env, encoding: "utf8" }),
		[Symbol.dispose]: stop,
	};
}

/** @returns the private key's file; the public one has ".pub" at its end */
export function makeKey(
	file: string,
	type: string,
	{ bits = "", passphrase = "" }: { readonly bits?: string; readonly passphrase?: string } = {},
): string {
	const size = bits === "" ? [] : ["-b", bits];
	const comment = ["-C", `${type} ${bits}`.trim()];
	execFileSync("ssh-keygen", ["-q", "-t", type, ...size, "-N", passphrase, ...comment, "-f", file]);
	return file;
}
