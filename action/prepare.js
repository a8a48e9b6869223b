// Makes the action's own checkout ready to run: a checkout of a tag has no bundle. On node's own modules.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);

function run(command, args) {
	const { status, error } = spawnSync(command, args, {
		cwd: root,
		stdio: ["ignore", 2, 2],
		shell: process.platform === "win32",
	});
	if (error || status !== 0) {
		console.log(`::error::rbuild: ${command} ${args[0]} failed: ${error ?? `exit ${status}`}`);
		process.exit(1);
	}
}

if (major < 20 || (major === 20 && minor < 19)) {
	console.log(
		`::error::rbuild needs node 20.19 or later, this is ${process.version}: add actions/setup-node`,
	);
	process.exit(1);
}
if (!existsSync(join(root, "dist/bundle/main.js"))) {
	run("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"]);
	run("node", ["esbuild.js"]);
}
