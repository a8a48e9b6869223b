import { spawnSync } from "node:child_process";

const RUNS = 15;

/** CPU that `rbuild --version` takes, beside node doing nothing and docker's own command. */
export function measureStartup(rbuild: string): void {
	const commands = {
		"rbuild --version": `${process.execPath} ${rbuild} --version`,
		"node -e 0": `${process.execPath} -e 0`,
		"docker --version": "docker --version",
	};
	console.log("### Start-up, CPU in ms (user and system, median)\n");
	console.log("| command | runs | CPU ms |\n|---|--:|--:|");
	for (const [name, command] of Object.entries(commands)) {
		const figures = Array.from({ length: RUNS }, () => cpuMilliseconds(command)).sort(
			(a, b) => a - b,
		);
		console.log(`| ${name} | ${RUNS} | ${figures[RUNS >> 1]} |`);
	}
}

function cpuMilliseconds(command: string): number {
	const { stderr } = spawnSync("bash", ["-c", `TIMEFORMAT="%U %S"; time ${command} >/dev/null`], {
		encoding: "utf8",
	});
	const [user = 0, system = 0] = (stderr.trim().split("\n").at(-1) ?? "").split(" ").map(Number);
	return Math.round((user + system) * 1000);
}
