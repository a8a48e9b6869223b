import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, rmSync } from "node:fs";
import {
	chmod,
	copyFile,
	mkdir,
	mkdtemp,
	readdir,
	readFile,
	rm,
	writeFile,
} from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { freePort } from "./free-port.js";

const run = promisify(execFile);

const SSHD = "/usr/sbin/sshd";

type KeyType = "ed25519" | "ecdsa" | "rsa";

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
export interface Sshd extends AsyncDisposable {
	readonly host: string;
	readonly port: number;
	readonly user: string;
	/** The host's alias in sshConfigFile. */
	readonly alias: string;
	/** A client configuration that knows the alias and its host key. */
	readonly sshConfigFile: string;
	readonly knownHostsFile: string;
	readonly clientKeyFile: string;
	/** The private ones; the public ones have ".pub" at the end. */
	readonly hostKeyFiles: readonly string[];
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
	const { config = [], hostKeyTypes = ["ed25519"] } = options;
	const host = "127.0.0.1";
	const alias = "testbox";
	const { username: user } = userInfo();
	const path = (name: string) => join(directory, name);

	const clientKeyFile = path("client_key");
	const hostKeyFiles = hostKeyTypes.map((type) => path(`host_key_${type}`));
	await Promise.all([
		generateKey(clientKeyFile, "ed25519"),
		...hostKeyTypes.map((type, index) => generateKey(hostKeyFiles[index] ?? "", type)),
	]);
	await copyFile(`${clientKeyFile}.pub`, path("authorized_keys"));

	const port = await freePort(host);
	const knownHostsFile = path("known_hosts");
	const hostKeys = await Promise.all(hostKeyFiles.map((file) => readFile(`${file}.pub`, "utf8")));
	await writeFile(
		knownHostsFile,
		hostKeys.map((key) => `[${host}]:${port} ${key.split(" ").slice(0, 2).join(" ").trim()}\n`),
	);
	const sshConfigFile = path("ssh_config");
	await writeFile(
		sshConfigFile,
		`Host ${alias}
  HostName ${host}
  Port ${port}
  User ${user}
  IdentityFile ${clientKeyFile}
  IdentitiesOnly yes
  IdentityAgent none
  UserKnownHostsFile ${knownHostsFile}
  GlobalKnownHostsFile /dev/null
  StrictHostKeyChecking yes
`,
	);
	const sshdConfigFile = path("sshd_config");
	await writeFile(
		sshdConfigFile,
		`${config.join("\n")}
ListenAddress ${host}:${port}
${hostKeyFiles.map((file) => `HostKey ${file}`).join("\n")}
AuthorizedKeysFile ${path("authorized_keys")}
PidFile none
StrictModes no
UsePAM no
UseDNS no
PermitRootLogin yes
PasswordAuthentication no
KbdInteractiveAuthentication no
AllowStreamLocalForwarding yes
LogLevel VERBOSE
`,
	);
	if (userInfo().uid === 0) {
		// sshd's empty directory for privilege separation; Debian's service creates it at its start.
		await mkdir("/run/sshd", { recursive: true, mode: 0o755 });
	}

	const server = spawn(SSHD, ["-D", "-e", "-f", sshdConfigFile], {
		stdio: ["ignore", "ignore", "pipe"],
		env: { ...process.env, ...options.variables },
	});
	let log = "";
	server.stderr.setEncoding("utf8").on("data", (text: string) => {
		log += text;
	});
	await listening(server, () => log);

	const isOurs = options.directory === undefined;
	/** Nobody stops it when its test file ends in an error outside of a test. */
	const leave = () => {
		server.kill();
		if (isOurs) rmSync(directory, { recursive: true, force: true });
	};
	process.once("exit", leave);
	const stop = async () => {
		process.off("exit", leave);
		const children = await childrenOf(server.pid);
		await end(server);
		endAll(children);
		if (isOurs) await rm(directory, { recursive: true, force: true });
	};
	return {
		host,
		port,
		user,
		alias,
		sshConfigFile,
		knownHostsFile,
		clientKeyFile,
		hostKeyFiles,
		log: () => log,
		dropConnections: async () => endAll(await childrenOf(server.pid)),
		stop,
		[Symbol.asyncDispose]: stop,
	};
}

async function generateKey(file: string, type: KeyType): Promise<void> {
	const size = type === "rsa" ? ["-b", "2048"] : [];
	await run("ssh-keygen", ["-q", "-t", type, ...size, "-N", "", "-C", "rbuild test", "-f", file]);
	await chmod(file, 0o600);
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
