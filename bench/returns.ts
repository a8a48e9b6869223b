import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { createWriteStream, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { parseArgs } from "node:util";
import { BASE_IMAGE } from "../test/support/base-image.js";
import { startDockerd } from "../test/support/dockerd.js";
import { lab } from "../test/support/lab.js";
import { type Link, openLink } from "./link.js";
import { median } from "./median.js";
import { type PodmanScp, startPodmanScp } from "./podman-scp.js";
import { shell } from "./shell.js";

// `npm run bench -- --returns`: an image of the box brought into a docker of this machine, first and after
// its top layer has changed, beside `ssh box docker save | docker load` and `podman image scp`; and saved to
// a file. "peak" is rbuild's largest resident size.
//
//   npm run bench -- --returns --size 170 --mbit 50 --delay-ms 10 --runs 3
//   npm run bench -- --returns --size 2000 --mbit 0 --delay-ms 0 --runs 1 --peers rbuild

const IMAGE = "rbuild-bench-returns";
const TOP_BYTES = 1_000_000;
const MB = 1_000_000;

interface Round {
	readonly seconds: number;
	/** From the box to here. */
	readonly bytes: number;
	/** Of the command itself, at its peak; for rbuild only. */
	readonly memory: number;
}

interface Peer {
	readonly link: Link;
	/** @param cache its own, empty at first */
	readonly command: (cache: string) => string;
	/** Removes all that was brought to where it brings images, but not its cache. */
	readonly forget: () => Promise<unknown>;
	/** Removes the last image, of which the layers below stay: the next peer must not find its top layer. */
	readonly forgetLast: () => Promise<unknown>;
	/** Makes a new image known to it; not timed. */
	readonly prepare?: () => Promise<void>;
}

/** @param rbuild the command's file; `labFolder` has wan-proxy.mjs */
export async function benchReturns(
	args: readonly string[],
	rbuild: string,
	labFolder: string,
): Promise<void> {
	const number = { type: "string" } as const;
	const { values } = parseArgs({
		args: [...args],
		options: {
			returns: { type: "boolean" },
			...{ size: number, mbit: number, "delay-ms": number, runs: number, peers: number },
		},
	});
	const [size, mbit, delayMs, runs] = [
		Number(values.size ?? 170),
		Number(values.mbit ?? 50),
		Number(values["delay-ms"] ?? 10),
		Number(values.runs ?? 3),
	];
	const wanted = (values.peers ?? "docker,podman,rbuild").split(",");
	const here = lab();
	if (here === undefined) throw new Error("the benchmark needs the engines of ../shared/lab");
	const directory = mkdtempSync(join(tmpdir(), "rbuild-returns-bench-"));
	const speed = { delayMs, mbit };
	const { hostName, port } = await settingsOf(here.sshConfigFile, here.networkHost);
	const link = await openLink(labFolder, speed, { host: hostName, port });
	await using local = await startDockerd();
	const sshConfig = join(directory, "ssh_config");
	writeFileSync(
		sshConfig,
		`Host ${here.networkHost}\n  HostName 127.0.0.1\n  Port ${link.port}\nInclude ${here.sshConfigFile}\n`,
	);
	const docker = `docker -H unix://${local.socketPath}`;
	const direct = `ssh -F ${here.sshConfigFile} ${here.networkHost}`;
	const saved = join(directory, "saved.tar");
	const inDocker = {
		link,
		forget: () => shell(`${docker} image prune -af`),
		forgetLast: () => shell(`${docker} rmi ${IMAGE}`),
	};
	const removeFile = () => shell(`rm -f ${saved}`);
	const pull = (cache: string, flags: string) =>
		`XDG_CACHE_HOME=${cache} DOCKER_HOST=unix://${local.socketPath} /usr/bin/time -f 'peak %M' ` +
		`${process.execPath} ${rbuild} pull ${IMAGE} ${flags} --on ${here.networkHost} --ssh-config ${sshConfig} --progress plain`;
	const peers = new Map<string, Peer>();
	const scp = wanted.includes("podman")
		? await startPodmanScp(here, (port) =>
				openLink(labFolder, speed, { host: "127.0.0.1", port }),
			).catch((error: Error) =>
				console.log(`podman image scp does not run here: ${error.message}\n`),
			)
		: undefined;
	if (wanted.includes("docker")) {
		const from = `ssh -F ${sshConfig} ${here.networkHost} docker save ${IMAGE}`;
		peers.set("docker save, ssh, docker load", {
			...inDocker,
			command: () => `${from} | ${docker} load`,
		});
	}
	if (scp) peers.set("podman image scp", peerOf(scp));
	if (wanted.includes("rbuild")) {
		peers.set("rbuild pull", { ...inDocker, command: (cache) => pull(cache, "") });
		peers.set("rbuild pull --save", {
			...{ link, forget: removeFile, forgetLast: removeFile },
			command: (cache) => pull(cache, `--save ${saved}`),
		});
	}
	const context = join(directory, "context");
	mkdirSync(context);
	const build = async (changeBelow: boolean) => {
		if (changeBelow) await writeSomeFiles(join(context, "below"), size * MB - TOP_BYTES);
		writeFileSync(join(context, "top"), randomBytes(TOP_BYTES));
		writeFileSync(join(context, "Dockerfile"), `FROM ${BASE_IMAGE}\nCOPY below /\nCOPY top /top\n`);
		await shell(`tar -C ${context} -c . | ${direct} docker build -q -t ${IMAGE} -`);
	};
	const rounds = new Map<string, Round[]>();
	try {
		for (let run = 0; run < runs; run++) {
			const caches = new Map(
				[...peers.keys()].map((peer, index) => [peer, join(directory, `cache-${run}-${index}`)]),
			);
			for (const phase of ["first", "top changed"]) {
				await build(phase === "first");
				for (const [name, peer] of peers) {
					await peer.prepare?.();
					// Each one finds what it brought itself: this one's image before is the other's, too.
					if (phase === "first") await peer.forget();
					const round = await measured(peer, peer.command(caches.get(name) ?? ""));
					const key = `${phase}\t${name}`;
					rounds.set(key, [...(rounds.get(key) ?? []), round]);
					if (phase === "top changed") await peer.forgetLast();
				}
			}
		}
		console.log(
			`### Image of ${size} MB into a local docker, ${mbit || "no limit of"} Mbit/s, ${2 * delayMs} ms\n`,
		);
		print(rounds);
	} finally {
		await link.close();
		await scp?.[Symbol.asyncDispose]();
		await shell(`${direct} docker rmi -f ${IMAGE}`).catch(() => {});
		rmSync(directory, { recursive: true });
	}
}

function peerOf(scp: PodmanScp): Peer {
	const { link, forget } = scp;
	const command = () => scp.command(IMAGE);
	return { link, forget, forgetLast: forget, command, prepare: () => scp.prepare(IMAGE) };
}

async function measured({ link }: Peer, command: string): Promise<Round> {
	link.take();
	const startedAt = performance.now();
	const { stderr } = await shell(command);
	const seconds = (performance.now() - startedAt) / 1000;
	const memory = Number(/^peak (\d+)$/m.exec(stderr)?.[1] ?? 0) * 1024;
	return { seconds, bytes: link.take().downBytes, memory };
}

function print(rounds: ReadonlyMap<string, readonly Round[]>): void {
	console.log("| what | how | runs | s | received MB | peak MB |\n|---|---|--:|--:|--:|--:|");
	for (const [key, some] of rounds) {
		const figures = [
			median(some, ({ seconds }) => seconds).toFixed(2),
			(median(some, ({ bytes }) => bytes) / MB).toFixed(2),
			(median(some, ({ memory }) => memory) / MB).toFixed(0),
		];
		console.log(`| ${key.replace("\t", " | ")} | ${some.length} | ${figures.join(" | ")} |`);
	}
}

/** Programs and libraries of this machine: they compress as those of images do. */
async function writeSomeFiles(path: string, bytes: number): Promise<void> {
	// Again and again where there are fewer than that.
	const files = "while tar -C / -c usr/lib usr/bin usr/share; do :; done";
	const tar = spawn("sh", ["-c", `(${files}) | head -c ${bytes - 512}`]);
	tar.stderr.resume();
	const file = createWriteStream(path);
	// So that each round's is new to the box.
	file.write(randomBytes(512));
	await pipeline(tar.stdout, file);
}

async function settingsOf(
	sshConfig: string,
	host: string,
): Promise<{ readonly hostName: string; readonly port: number }> {
	const { stdout } = await shell(`ssh -F ${sshConfig} -G ${host}`);
	const value = (name: string) => new RegExp(`^${name} (.*)$`, "m").exec(stdout)?.[1] ?? "";
	return { hostName: value("hostname"), port: Number(value("port")) };
}
