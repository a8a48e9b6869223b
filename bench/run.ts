import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { measureContextSurvey } from "./context-survey.js";
import { whyColdRunsDiffer } from "./lab-disk.js";
import { benchOutputs } from "./outputs.js";
import { benchReturns } from "./returns/returns.js";
import { measureStartup } from "./startup.js";

// `npm run bench`: rbuild and its peers side by side in one run, on the engines of ../shared/lab. What
// follows "--" goes to the lab's bench.mjs:
//
//   npm run bench -- --links loop,rtt50 --workloads tiny,monorepo --runs 3 --peers classic,tarpipe
//
// --context times `rbuild context` on 50,000 and 1,000,000 files, and needs no lab.
// --returns: images on their way back, see returns/returns.ts.
// --outputs: files on their way back, see outputs.ts.
// --rbuild 'COMMAND' times another command line, such as one with --transfer tar. --report FILE prints the tables of an earlier run, --out FILE keeps the figures.

const checkout = fileURLToPath(new URL("../..", import.meta.url));
const lab = join(checkout, "../shared/lab");
const rbuild = join(checkout, "bin/rbuild.js");

function bench(args: readonly string[]): void {
	const { status } = spawnSync(process.execPath, [join(lab, "bench.mjs"), ...args], {
		stdio: "inherit",
	});
	if (status !== 0) throw new Error(`bench.mjs ended with ${status}`);
}

const args = process.argv.slice(2);
if (args.includes("--context")) {
	measureContextSurvey(rbuild);
	process.exit(0);
}
if (!existsSync(lab)) {
	console.error("the benchmark needs the engines of ../shared/lab beside the checkout");
	process.exit(1);
}

if (args.includes("--returns")) {
	await benchReturns(args, rbuild, lab);
} else if (args.includes("--outputs")) {
	await benchOutputs(args, rbuild);
} else if (args.includes("--report")) {
	bench(args);
} else {
	execFileSync(join(lab, "up.sh"), { stdio: ["ignore", "ignore", "inherit"] });
	const problem = whyColdRunsDiffer(process.env.LAB_DIR ?? "/tmp/lab");
	if (problem !== undefined) console.error(`warning: ${problem}`);
	if (process.env.NODE_EXTRA_CA_CERTS !== undefined) {
		console.error(
			"warning: NODE_EXTRA_CA_CERTS is set: node reads that file at each start, some 50 ms that rbuild has no part in",
		);
	}
	const directory = mkdtempSync(join(tmpdir(), "rbuild-bench-"));
	const out = args.includes("--out")
		? (args[args.indexOf("--out") + 1] ?? "")
		: join(directory, "r.json");
	try {
		const command = `exec ${process.execPath} ${rbuild} {dir} -t {tag} --on {host} --ssh-config {config}`;
		const asked = [...(args.includes("--out") ? [] : ["--out", out]), ...args];
		bench(args.includes("--rbuild") ? asked : [...asked, "--rbuild", command]);
		bench(["--report", out]);
		measureStartup(rbuild);
	} finally {
		rmSync(directory, { recursive: true });
	}
}
