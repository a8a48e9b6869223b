import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { connectEngine } from "../../src/engine/connect-engine.js";
import type { Engine } from "../../src/engine/engine.js";
import { removeImage } from "../../src/engine/images.js";
import type { Box } from "./box.js";
import { indexImages } from "./index-images.js";
import { unixTransport } from "./unix-transport.js";

/**
 * The modern peers of ../shared/lab, where that folder is beside the checkout: Docker 28.5 and Podman
 * 5.8 in a chroot, behind an sshd on loopback.
 */
export interface Lab {
	/** LAB_DIR, where the chroot is "sidroot" and the id of the process in its namespaces "run/holder.pid". */
	readonly directory: string;
	/** For Environment.sshConfigFile; it knows the hosts below. */
	readonly sshConfigFile: string;
	/** The machine, with Docker's socket where it usually is. */
	readonly host: string;
	/** The same through an sshd that shares the daemon's loopback, for reverse forwards. */
	readonly networkHost: string;
	/** Podman's socket on that machine, for ssh://host/path. */
	readonly podmanSocket: string;
	/** The same sockets as seen from here, for tests that need no ssh. */
	readonly localDockerSocket: string;
	readonly localPodmanSocket: string;
}

let started: { readonly lab: Lab | undefined } | undefined;

/**
 * Brings the lab up, which takes two seconds when it is up already.
 * @returns undefined where there is none
 */
export function lab(): Lab | undefined {
	started ??= { lab: bringUp() };
	return started.lab;
}

/** One of its machines as the tests see any other; it has BASE_IMAGE already. */
export async function labBox(on: string, socketPath: string, sshConfigFile: string): Promise<Box> {
	const engine = await connectEngine(unixTransport(socketPath), new AbortController().signal);
	return {
		on,
		flags: ["--on", on, "--ssh-config", sshConfigFile],
		sshConfigFile,
		socketPath,
		engine,
		daemonLog: () => "",
		async [Symbol.asyncDispose]() {
			await removeOldIndexes(engine);
			await engine[Symbol.asyncDispose]();
		},
	};
}

/** The lab outlives the folders that were built there. */
async function removeOldIndexes(engine: Engine): Promise<void> {
	if (engine.facts.product !== "docker") return;
	const { signal } = new AbortController();
	for (const [name, context] of await indexImages(engine)) {
		const isGone = context.startsWith(tmpdir()) && !existsSync(context);
		if (isGone) await removeImage(engine, name, signal).catch(() => {});
	}
}

function bringUp(): Lab | undefined {
	const script = join(checkout(), "../shared/lab/up.sh");
	if (!existsSync(script)) return undefined;
	const exports = execFileSync(script, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
	const variable = (name: string) =>
		new RegExp(`\\b${name}=(\\S+)`).exec(exports)?.[1] ?? fail(`${script} did not set ${name}`);
	const directory = variable("LAB_DIR");
	const root = join(directory, "sidroot");
	const podmanSocket = "/run/podman/podman.sock";
	return {
		directory,
		sshConfigFile: variable("LAB_SSH_CONFIG"),
		host: "labbox",
		networkHost: "labnet",
		podmanSocket,
		localDockerSocket: join(root, "run/docker.sock"),
		localPodmanSocket: join(root, podmanSocket),
	};
}

/** This file is run from a build directory inside of the checkout. */
function checkout(): string {
	let directory = import.meta.dirname;
	while (!existsSync(join(directory, "package.json"))) directory = dirname(directory);
	return directory;
}

function fail(message: string): never {
	throw new Error(message);
}
