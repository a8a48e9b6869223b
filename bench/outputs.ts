import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { lab } from "../test/support/lab.js";
import { median } from "./median.js";
import { shell } from "./shell.js";

// `npm run bench -- --outputs`: the files of a build in a folder of this machine, beside docker buildx: a folder
// that is new, and one that has them from the build before. The build itself is cached. CPU is the
// client's, without the ssh of buildx.
//
//   npm run bench -- --outputs --files 20000 --runs 3

const FILE_BYTES = 5_000;
const FOLDERS = 200;

interface Round {
	readonly seconds: number;
	readonly cpuSeconds: number;
	readonly megabytes: number;
}

/** @param rbuild the command's file */
export async function benchOutputs(args: readonly string[], rbuild: string): Promise<void> {
	const { values } = parseArgs({
		args: [...args],
		options: {
			outputs: { type: "boolean" },
			files: { type: "string" },
			runs: { type: "string" },
		},
	});
	const [files, runs] = [Number(values.files ?? 20_000), Number(values.runs ?? 3)];
	const here = lab();
	if (here === undefined) throw new Error("the benchmark needs the engines of ../shared/lab");
	// Of this machine and of the lab, where buildx runs.
	const directory = mkdtempSync(join(here.directory, "work/outputs-"));
	const context = join(directory, "context");
	writeContext(context, files);
	const docker = `DOCKER_HOST=ssh://root@${here.host} ${here.directory}/run/bin/lab`;
	const peers = {
		buildx: (out: string) => `${docker} docker build -q -o ${out} ${context}`,
		rbuild: (out: string) =>
			`XDG_CACHE_HOME=${directory}/cache ${process.execPath} ${rbuild} ${context} -o ${out} ` +
			`--on ${here.host} --ssh-config ${here.sshConfigFile} -q`,
	};
	const rounds = new Map<string, Round[]>();
	try {
		// The build's own cache, and the code that node keeps for rbuild.
		for (const command of Object.values(peers)) await shell(command(join(directory, "warm-up")));
		for (let run = 0; run < runs; run++) {
			for (const [name, command] of Object.entries(peers)) {
				const out = join(directory, name);
				rmSync(out, { recursive: true, force: true });
				for (const phase of ["new folder", "the same again"]) {
					const key = `${phase} | ${name}`;
					rounds.set(key, [...(rounds.get(key) ?? []), await measured(command(out))]);
				}
			}
		}
	} finally {
		rmSync(directory, { recursive: true });
	}
	console.log(`### ${files.toLocaleString("en-US")} files into a folder, loopback\n`);
	print(rounds);
}

function writeContext(root: string, files: number): void {
	const line = "export const value = Math.round(Math.random() * 1000);\n";
	const content = line.repeat(FILE_BYTES / line.length);
	for (let folder = 0; folder < FOLDERS; folder++) {
		mkdirSync(join(root, `packages/p${folder}`), { recursive: true });
	}
	for (let file = 0; file < files; file++) {
		writeFileSync(join(root, `packages/p${file % FOLDERS}/${file}.ts`), `// ${file}\n${content}`);
	}
	writeFileSync(join(root, "Dockerfile"), "FROM scratch\nCOPY packages /\n");
}

async function measured(command: string): Promise<Round> {
	const { stderr } = await shell(`/usr/bin/time -f '%e %U %S %M' env ${command}`);
	const figures = stderr.trim().split("\n").at(-1)?.split(" ").map(Number);
	const [seconds = 0, user = 0, system = 0, kilobytes = 0] = figures ?? [];
	return { seconds, cpuSeconds: user + system, megabytes: kilobytes / 1000 };
}

function print(rounds: ReadonlyMap<string, readonly Round[]>): void {
	console.log("| what | how | runs | s | CPU s | peak MB |\n|---|---|--:|--:|--:|--:|");
	for (const [key, some] of rounds) {
		const figures = [
			median(some, ({ seconds }) => seconds).toFixed(2),
			median(some, ({ cpuSeconds }) => cpuSeconds).toFixed(2),
			median(some, ({ megabytes }) => megabytes).toFixed(0),
		];
		console.log(`| ${key} | ${some.length} | ${figures.join(" | ")} |`);
	}
}
