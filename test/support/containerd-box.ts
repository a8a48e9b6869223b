import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { connectEngine } from "../../src/engine/connect-engine.js";
import type { Engine } from "../../src/engine/engine.js";
import { createBaseImage } from "./base-image.js";
import type { Box } from "./box.js";
import type { Lab } from "./lab.js";
import { unixTransport } from "./unix-transport.js";

/** Milliseconds until a daemon that does not answer counts as broken; it takes some seconds. */
const START_TIMEOUT = 60_000;

/** Ends with its standard input: on dispose, and also when this process dies, however it dies. */
const KEEPER = `
dockerd --data-root "$1/data" --exec-root "$1/exec" --pidfile "$1/pid" --host "unix://$1/docker.sock" \\
	--bridge=none --iptables=false --ip6tables=false --feature containerd-snapshotter=true >"$1/log" 2>&1 &
read -r _
kill $!
wait $!
# It mounts its root upon itself.
umount "$1/data"
rm -rf "$1"
`;

/**
 * A Docker 28.5 of our own that keeps its images in containerd, which the lab's does not: the lab's
 * programs, on this machine's network, so that it reaches a registry on loopback.
 */
export async function startContainerdBox({ directory }: Lab): Promise<Box> {
	const root = join(directory, "sidroot");
	const home = mkdtempSync(join(root, "tmp/rbuild-containerd-"));
	const socketPath = join(home, "docker.sock");
	const log = () => readFileSync(join(home, "log"), "utf8").slice(-4000);
	const holder = readFileSync(join(directory, "run/holder.pid"), "utf8").trim();
	const namespaces = ["-t", holder, "--mount", "--root", "--wd"];
	const inside = `/tmp/${basename(home)}`;
	const keeper = spawn("nsenter", [...namespaces, "sh", "-c", KEEPER, "keeper", inside], {
		env: { HOME: "/root", PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" },
		stdio: ["pipe", "ignore", "ignore"],
		detached: true,
	});
	const ended = once(keeper, "exit");
	let engine: Engine | undefined;
	const stop = async () => {
		await engine?.[Symbol.asyncDispose]();
		keeper.stdin.end();
		await ended;
	};
	try {
		await listens(socketPath, log);
		engine = await connectEngine(unixTransport(socketPath), new AbortController().signal);
		await createBaseImage(engine);
	} catch (error) {
		await stop();
		throw error;
	}
	const on = `unix://${socketPath}`;
	return {
		on,
		flags: ["--on", on],
		sshConfigFile: "/dev/null",
		socketPath,
		engine,
		daemonLog: log,
		[Symbol.asyncDispose]: stop,
	};
}

async function listens(socketPath: string, log: () => string): Promise<void> {
	const deadline = Date.now() + START_TIMEOUT;
	while (!existsSync(socketPath)) {
		if (Date.now() > deadline) throw new Error(`dockerd did not start:\n${log()}`);
		await sleep(50);
	}
}
