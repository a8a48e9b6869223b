import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, rmSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { type KeyType, type SshdFiles, writeSshdFiles } from "./sshd-files.js";

const SSHD = "/usr/sbin/sshd";

export interface SshdOptions {
	/** Where keys and configuration go; it must exist. Absent: a temporary one, removed at the end. */
	readonly directory?: string;
	/** Lines for sshd_config. They come first, and sshd takes the first value that it finds. */
	readonly config?: readonly string[];
	readonly hostKeyTypes?: readonly KeyType[];
	/** What the server finds in its environment beside this process's. */
	readonly variables?: Readonly<Record<string, string>>;
}

/** A throwaway sshd on the loopback address that lets the current user in with a key of its own. */
export interface Sshd extends AsyncDisposable, Omit<SshdFiles, "configFile"> {
	/** What sshd has logged so far, at level VERBOSE. */
	log(): string;
	/** Ends every open connection from the server's side, as a crash would. */
	dropConnections(): Promise<void>;
	/** Ends the server and its connections. */
	stop(): Promise<void>;
}

/** Why no sshd can run here, or undefined where one can. */
export function whyNoSshd(): string | undefined {
	if (process.platform !== "linux") {
		return `the throwaway sshd is made for Linux, and this is ${process.platform}`;
	}
	return existsSync(SSHD) ? undefined : `there is no ${SSHD} (apt-get install openssh-server)`;
}

/** @throws when sshd does not come up; the message holds its log. */
export async function startSshd(options: SshdOptions = {}): Promise<Sshd> {
	if (options.directory !== undefined) return await startIn(options.directory, options);
	const directory = await mkdtemp(join(tmpdir(), "rbuild-sshd-"));
	try {
		return await startIn(directory, options);
	} catch (error) {
		await rm(directory, { recursive: true });
		throw error;
	}
}

async function startIn(directory: string, options: SshdOptions): Promise<Sshd> {
	const { configFile, ...known } = await writeSshdFiles(directory, options);
	if (userInfo().uid === 0) {
		// sshd's empty directory for privilege separation; Debian's service creates it at its start.
		await mkdir("/run/sshd", { recursive: true, mode: 0o755 });
	}
	const server = spawn(SSHD, ["-D", "-e", "-f", configFile], {
		stdio: ["ignore", "ignore", "pipe"],
		env: { ...process.env, ...options.variables },
	});
	let log = "";
	server.stderr.setEncoding("utf8").on("data", (text: string) => {
		log += text;
	});
	await listening(server, () => log);
	const stop = stopper(server, options.directory === undefined ? directory : undefined);
	return {
		...known,
		log: () => log,
		dropConnections: async () => endAll(await childrenOf(server.pid)),
		stop,
		[Symbol.asyncDispose]: stop,
	};
}

/** @param directory removed at the end; absent: it is another's */
function stopper(server: ChildProcess, directory: string | undefined): () => Promise<void> {
	/** Nobody stops it when its test file ends in an error outside of a test. */
	const leave = () => {
		server.kill();
		if (directory !== undefined) rmSync(directory, { recursive: true, force: true });
	};
	process.once("exit", leave);
	return async () => {
		process.off("exit", leave);
		const children = await childrenOf(server.pid);
		await end(server);
		endAll(children);
		if (directory !== undefined) await rm(directory, { recursive: true, force: true });
	};
}

function listening(server: ChildProcess, log: () => string): Promise<void> {
	return new Promise((resolve, reject) => {
		const look = () => {
			if (log().includes("Server listening on")) {
				server.off("exit", onExit);
				server.stderr?.off("data", look);
				resolve();
			}
		};
		const onExit = () => reject(new Error(`sshd did not start: ${log()}`));
		server.stderr?.on("data", look);
		server.once("exit", onExit).once("error", reject);
	});
}

/** The process of each connection is a child of the server, and outlives it. */
async function childrenOf(pid: number | undefined): Promise<number[]> {
	const entries = await readdir("/proc").catch(() => []);
	const pids = entries.filter((name) => /^\d+$/.test(name)).map(Number);
	const parents = await Promise.all(
		pids.map(async (child) => {
			const stat = await readFile(`/proc/${child}/stat`, "utf8").catch(() => "");
			// The name stands in brackets and may hold anything; state and parent follow it.
			return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
		}),
	);
	return pids.filter((_, index) => parents[index] === pid);
}

function endAll(pids: readonly number[]): void {
	for (const pid of pids) {
		try {
			process.kill(pid, "SIGKILL");
		} catch {
			// It has ended by itself.
		}
	}
}

async function end(server: ChildProcess): Promise<void> {
	if (server.exitCode === null && server.signalCode === null) {
		server.kill("SIGTERM");
		await once(server, "exit");
	}
}
