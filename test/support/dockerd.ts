import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { get } from "node:http";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "./free-port.js";

export interface DockerdOptions {
	/** Everything of the daemon's lives here, and is removed with it. Keep it short: sockets go in it. */
	readonly directory?: string;
	/** What /_ping advertises; both builders answer whatever it says. */
	readonly builder?: "buildkit" | "classic";
	readonly storageDriver?: string;
	/** "host:port" each; those on 127.0.0.0/8 need not be named. */
	readonly insecureRegistries?: readonly string[];
	/** Listen on loopback, too, for those whom this authority has signed a certificate for; absent: no. */
	readonly tls?: { readonly ca: string; readonly certificate: string; readonly key: string };
}

/** A Docker daemon of our own, which shares nothing but the kernel with one that is already there. */
export interface Dockerd extends AsyncDisposable {
	readonly socketPath: string;
	readonly directory: string;
	readonly pid: number;
	/** Where it listens with TLS, on 127.0.0.1; 0 where it does not. */
	readonly tlsPort: number;
	/** The end of its log. */
	log(): string;
	/** Ends it and all it started, and removes everything it left. */
	stop(): Promise<void>;
}

/** Why no daemon can be started on this machine, for a person; undefined when one can. */
export function whyNoDockerd(): string | undefined {
	if (process.platform !== "linux") return `dockerd runs on Linux, this is ${process.platform}`;
	if (process.getuid?.() !== 0) return "dockerd needs root";
	for (const program of ["dockerd", "containerd", "runc", "busybox"]) {
		try {
			execFileSync("sh", ["-c", `command -v ${program}`], { stdio: "ignore" });
		} catch {
			return `${program} is not installed (apt-get install docker.io busybox-static)`;
		}
	}
	return undefined;
}

/** Milliseconds until a daemon that does not answer counts as broken; it takes one or two seconds. */
const START_TIMEOUT = 60_000;

export async function startDockerd(options: DockerdOptions = {}): Promise<Dockerd> {
	const directory = options.directory ?? mkdtempSync(join(tmpdir(), "rbuild-dockerd-"));
	mkdirSync(directory, { recursive: true });
	const socketPath = join(directory, "docker.sock");
	const bridge = createBridge();
	const keeper = startKeeper(directory, bridge);
	const tlsPort = options.tls === undefined ? 0 : await freePort("127.0.0.1");
	const daemon = spawnDaemon(directory, bridge, tlsPort, options);
	keeper.stdin?.write(`${daemon.pid}\n`);

	let stopping: Promise<void> | undefined;
	const stop = () => {
		stopping ??= (async () => {
			keeper.ref();
			const ended = once(keeper, "exit");
			keeper.stdin?.end();
			await ended;
		})();
		return stopping;
	};
	const log = () => lastLines(join(directory, "dockerd.log"));
	try {
		await answers(socketPath, daemon);
	} catch (error) {
		const why = log();
		await stop();
		throw new Error(`dockerd did not start: ${(error as Error).message}\n${why}`);
	}
	return {
		socketPath,
		directory,
		pid: daemon.pid ?? 0,
		tlsPort,
		log,
		stop,
		[Symbol.asyncDispose]: stop,
	};
}

function spawnDaemon(
	directory: string,
	bridge: string,
	tlsPort: number,
	options: DockerdOptions,
): ChildProcess {
	// The machine's own /etc/docker/daemon.json must not be read.
	const config = join(directory, "daemon.json");
	const buildkit = options.builder !== "classic";
	writeFileSync(config, JSON.stringify({ features: { buildkit } }));
	// Where the machine runs a containerd, dockerd uses that one: hence namespaces of our own.
	const namespace = bridge;
	const output = openSync(join(directory, "dockerd.log"), "a");
	const daemon = spawn(
		"dockerd",
		[
			["--config-file", config],
			["--data-root", join(directory, "data")],
			["--exec-root", join(directory, "exec")],
			["--pidfile", join(directory, "dockerd.pid")],
			["--host", `unix://${join(directory, "docker.sock")}`],
			["--containerd-namespace", namespace],
			["--containerd-plugins-namespace", `${namespace}-plugins`],
			["--bridge", bridge],
			// No rule of the firewall and no setting of the kernel is touched.
			["--iptables=false", "--ip6tables=false", "--ip-masq=false", "--ip-forward=false"],
			options.storageDriver === undefined ? [] : ["--storage-driver", options.storageDriver],
			(options.insecureRegistries ?? []).flatMap((name) => ["--insecure-registry", name]),
			options.tls === undefined ? [] : tlsArguments(options.tls, tlsPort),
		].flat(),
		// A process group of its own: a Ctrl-C in the terminal is not for it.
		{ detached: true, stdio: ["ignore", output, output] },
	);
	closeSync(output);
	daemon.unref();
	return daemon;
}

function tlsArguments(tls: NonNullable<DockerdOptions["tls"]>, port: number): string[] {
	return [
		...["--host", `tcp://127.0.0.1:${port}`, "--tlsverify", "--tlscacert", tls.ca],
		...["--tlscert", tls.certificate, "--tlskey", tls.key],
	];
}

/**
 * A bridge for the build steps: BuildKit 20.10 fails every RUN under --bridge=none. It leads nowhere
 * but to this machine, as nothing is forwarded.
 */
function createBridge(): string {
	const taken = Object.values(networkInterfaces())
		.flat()
		.map((address) => address?.address ?? "");
	let prefix: string;
	do prefix = `10.${randomInt(128, 255)}.${randomInt(1, 255)}`;
	while (taken.some((address) => address.startsWith(`${prefix}.`)));
	const name = `rbuild${randomInt(0x10000000, 0xffffffff).toString(16)}`;
	const ip = (...words: string[]) => execFileSync("busybox", ["ip", ...words]);
	ip("link", "add", "name", name, "type", "bridge");
	ip("addr", "add", `${prefix}.1/24`, "dev", name);
	ip("link", "set", name, "up");
	return name;
}

/**
 * A process that outlives this one and cleans up when its standard input closes: on stop(), and also
 * when this process dies, however it dies.
 */
function startKeeper(directory: string, bridge: string): ChildProcess {
	const keeper = spawn("sh", ["-c", KEEPER, "dockerd-keeper", directory, bridge], {
		detached: true,
		stdio: ["pipe", "ignore", "ignore"],
	});
	keeper.unref();
	(keeper.stdin as (NodeJS.WritableStream & { unref?: () => void }) | null)?.unref?.();
	return keeper;
}

/**
 * First the daemon is asked to end, then made to; a shim whose daemon was killed lives on, and is
 * known by our directory on its command line. `is` guards against a pid that was given away again.
 */
const KEEPER = `
directory=$1 bridge=$2
is() { [ "$(cat "/proc/$1/comm" 2>/dev/null)" = "$2" ] && ! grep -q '^State:.Z' "/proc/$1/status"; }
read -r daemon
read -r _
is "$daemon" dockerd && kill "$daemon"
tries=0
while is "$daemon" dockerd; do
	tries=$((tries + 1))
	[ $tries -gt 150 ] && kill -9 "$daemon"
	sleep 0.1
done
for process in /proc/[0-9]*; do
	case $(cat "$process/comm" 2>/dev/null) in
	containerd*) tr '\\0' ' ' <"$process/cmdline" | grep -qF "$directory/" && kill -9 "\${process#/proc/}" ;;
	esac
done
sort -r /proc/self/mounts | while read -r _ mount _; do
	case $mount in "$directory"/*) umount -l "$mount" ;; esac
done
busybox ip link del "$bridge"
rm -rf "$directory"
`;

/** Waits until the daemon says who it is. */
async function answers(socketPath: string, daemon: ChildProcess): Promise<void> {
	let failed: Error | undefined;
	daemon.once("error", (error) => {
		failed = error;
	});
	const deadline = Date.now() + START_TIMEOUT;
	while (!(await ping(socketPath))) {
		if (failed !== undefined) throw failed;
		if (daemon.exitCode !== null) throw new Error(`it ended with code ${daemon.exitCode}`);
		if (Date.now() > deadline) throw new Error(`no answer in ${START_TIMEOUT / 1000} s`);
		await sleep(50);
	}
}

function ping(socketPath: string): Promise<boolean> {
	return new Promise((resolve) => {
		get({ socketPath, path: "/_ping", agent: false }, (response) => {
			response.resume().once("end", () => resolve(response.statusCode === 200));
		}).once("error", () => resolve(false));
	});
}

function lastLines(file: string): string {
	return readFileSync(file, "utf8").trimEnd().split("\n").slice(-20).join("\n");
}
