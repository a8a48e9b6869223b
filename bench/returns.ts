import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createWriteStream, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { parseArgs } from "node:util";
import { BASE_IMAGE } from "../test/support/base-image.js";
import { startDockerd } from "../test/support/dockerd.js";
import { lab } from "../test/support/lab.js";

// `npm run bench -- --returns`: an image of the box brought into a docker of this machine, first and after
// its top layer has changed, beside `ssh box docker save | docker load`.
//
//   npm run bench -- --returns --size 170 --mbit 50 --delay-ms 10 --runs 3

const IMAGE = "rbuild-bench-returns";
const TOP_BYTES = 1_000_000;
const MB = 1_000_000;

interface Link {
	take(): { readonly upBytes: number; readonly downBytes: number };
	close(): Promise<void>;
}

interface Round {
	readonly seconds: number;
	/** From the box to here. */
	readonly bytes: number;
	/** Of the command itself, at its peak; for rbuild only. */
	readonly memory: number;
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
			...{ size: number, mbit: number, "delay-ms": number, runs: number },
		},
	});
	const [size, mbit, delayMs, runs] = [
		Number(values.size ?? 170),
		Number(values.mbit ?? 50),
		Number(values["delay-ms"] ?? 10),
		Number(values.runs ?? 3),
	];
	const here = lab();
	if (here === undefined) throw new Error("the benchmark needs the engines of ../shared/lab");
	const directory = mkdtempSync(join(tmpdir(), "rbuild-returns-bench-"));
	const { startProxy } = (await import(join(labFolder, "wan-proxy.mjs"))) as {
		startProxy(options: object): Promise<Link>;
	};
	const { hostName, port } = await settingsOf(here.sshConfigFile, here.networkHost);
	const listen = 22_000 + Math.floor(Math.random() * 1000) + 100;
	const link = await startProxy({ listen, target: port, targetHost: hostName, delayMs, mbit });
	await using local = await startDockerd();
	const sshConfig = join(directory, "ssh_config");
	writeFileSync(
		sshConfig,
		`Host ${here.networkHost}\n  HostName 127.0.0.1\n  Port ${listen}\nInclude ${here.sshConfigFile}\n`,
	);
	const docker = `docker -H unix://${local.socketPath}`;
	const direct = `ssh -F ${here.sshConfigFile} ${here.networkHost}`;
	const peers: Readonly<Record<string, (cache: string) => string>> = {
		"docker save, ssh, docker load": () =>
			`ssh -F ${sshConfig} ${here.networkHost} docker save ${IMAGE} | ${docker} load`,
		"rbuild pull": (cache) =>
			`XDG_CACHE_HOME=${cache} DOCKER_HOST=unix://${local.socketPath} /usr/bin/time -f 'peak %M' ` +
			`${process.execPath} ${rbuild} pull ${IMAGE} --on ${here.networkHost} --ssh-config ${sshConfig} --progress plain`,
	};
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
			const caches = Object.fromEntries(
				Object.keys(peers).map((peer, index) => [peer, join(directory, `cache-${run}-${index}`)]),
			);
			for (const phase of ["first", "top changed"]) {
				await build(phase === "first");
				for (const [peer, command] of Object.entries(peers)) {
					// Each one finds what it brought itself: this one's image before is the other's, too.
					if (phase === "first") await shell(`${docker} image prune -af`);
					link.take();
					const startedAt = performance.now();
					const { stderr } = await shell(command(caches[peer] ?? ""));
					const seconds = (performance.now() - startedAt) / 1000;
					const bytes = link.take().downBytes;
					const memory = Number(/^peak (\d+)$/m.exec(stderr)?.[1] ?? 0) * 1024;
					const key = `${phase}\t${peer}`;
					rounds.set(key, [...(rounds.get(key) ?? []), { seconds, bytes, memory }]);
					if (phase === "top changed") await shell(`${docker} rmi ${IMAGE}`);
				}
			}
		}
		console.log(`### Image of ${size} MB into a local docker, ${mbit} Mbit/s, ${2 * delayMs} ms\n`);
		console.log("| what | how | runs | s | received MB | peak MB |\n|---|---|--:|--:|--:|--:|");
		for (const [key, some] of rounds) {
			const middle = (of: (round: Round) => number) =>
				some.map(of).sort((a, b) => a - b)[some.length >> 1] ?? 0;
			const figures = [
				middle(({ seconds }) => seconds).toFixed(2),
				(middle(({ bytes }) => bytes) / MB).toFixed(2),
				(middle(({ memory }) => memory) / MB).toFixed(0),
			];
			console.log(`| ${key.replace("\t", " | ")} | ${some.length} | ${figures.join(" | ")} |`);
		}
	} finally {
		await link.close();
		await shell(`${direct} docker rmi -f ${IMAGE}`).catch(() => {});
		rmSync(directory, { recursive: true });
	}
}

/** Programs and libraries of this machine: they compress as those of images do. */
async function writeSomeFiles(path: string, bytes: number): Promise<void> {
	const tar = spawn("sh", ["-c", `tar -C / -c usr/lib usr/bin usr/share | head -c ${bytes - 512}`]);
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

async function shell(
	command: string,
): Promise<{ readonly stdout: string; readonly stderr: string }> {
	const child = spawn("bash", ["-o", "pipefail", "-c", command], {
		stdio: ["ignore", "pipe", "pipe"],
	});
	const [stdout, stderr, [code]] = await Promise.all([
		text(child.stdout),
		text(child.stderr),
		once(child, "close") as Promise<[number | null]>,
	]);
	if (code !== 0) throw new Error(`${command} ended with ${code}: ${stderr}`);
	return { stdout, stderr };
}
