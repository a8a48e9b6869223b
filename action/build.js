// One build of the GitHub Action: inputs from the environment, the key into the agent that this runs
// under, the report into outputs and the summary. What is written meanwhile is removed at the end.
import { spawn, spawnSync } from "node:child_process";
import {
	appendFileSync,
	existsSync,
	mkdtempSync,
	readFileSync,
	rmSync,
	writeFileSync,
} from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { shellWords } from "./shell-words.js";
import { summary } from "./summary.js";

const command = join(import.meta.dirname, "../bin/rbuild.js");
const { env } = process;

const key = env.INPUT_SSH_KEY ?? "";
delete env.INPUT_SSH_KEY;

/** Leads ssh and rbuild to the known hosts of this build, and to the usual ones. */
function writeSshConfig(directory, knownHosts) {
	const known = join(directory, "known_hosts");
	const config = join(directory, "ssh_config");
	writeFileSync(known, `${knownHosts.replaceAll("\r", "").trim()}\n`, { mode: 0o600 });
	// Git's ssh takes a path with a drive for one below ~/.ssh. Elsewhere HOME counts, which ssh does not look at.
	const usual = process.platform === "win32" ? "~/.ssh" : join(homedir(), ".ssh");
	const lines = [
		`UserKnownHostsFile "${known}" "${usual}/known_hosts"`,
		"StrictHostKeyChecking yes",
		`Include "${usual}/config"`,
	];
	writeFileSync(config, `${lines.join("\n")}\n`, { mode: 0o600 });
	return config;
}

function addKey() {
	const input = `${key.replaceAll("\r", "").trim()}\n`;
	// It comes through a pipe, and is in no file and no argument.
	const { status, stderr, error } = spawnSync("ssh-add", ["-q", "-"], {
		input,
		encoding: "utf8",
		env: { ...env, SSH_ASKPASS_REQUIRE: "never" },
	});
	if (status === 0) return;
	const line = String(error ?? stderr)
		.trim()
		.split("\n")
		.at(-1);
	throw new Error(
		`ssh-add does not take the ssh-key: ${line}. Is it a whole private key without a passphrase?`,
	);
}

/** As YAML 1.2 writes it, and as the runner takes it in other actions. */
function isTrue(name, value = "") {
	if (["true", "True", "TRUE"].includes(value)) return true;
	if (["false", "False", "FALSE", ""].includes(value)) return false;
	throw new Error(`${name}: "${value}" is neither true nor false`);
}

function flags(directory) {
	const list = (text = "") =>
		text
			.split(/[\n,]/)
			.map((one) => one.trim())
			.filter(Boolean);
	const one = (flag, value) => (value ? [flag, value] : []);
	const knownHosts = env.INPUT_KNOWN_HOSTS?.trim();
	const args = shellWords(env.INPUT_ARGS ?? "");
	// They build nothing that there could be a report of.
	const isQuestion = args.some((word) => /^--(check|call)(=|$)/.test(word));
	return [
		env.INPUT_CONTEXT || ".",
		...one("--on", env.INPUT_ON),
		...one("--file", env.INPUT_FILE),
		...one("--platform", env.INPUT_PLATFORM),
		...list(env.INPUT_TAGS).flatMap((tag) => ["--tag", tag]),
		...(isTrue("push", env.INPUT_PUSH) ? ["--push"] : []),
		...(knownHosts ? ["--ssh-config", writeSshConfig(directory, knownHosts)] : []),
		...args,
		...(isQuestion || metadataFile(args)
			? []
			: ["--metadata-file", join(directory, "metadata.json")]),
	];
}

/** Where a command line wants the report, if it does. */
function metadataFile(args) {
	const index = args.findLastIndex((word) => /^--metadata-file(=|$)/.test(word));
	if (index < 0) return undefined;
	const [, value] = args[index].split(/=(.*)/s);
	return value ?? args[index + 1];
}

/** The runner ends a cancelled job with SIGINT, then SIGTERM: rbuild cancels the build on the box then. */
function runBuild(args) {
	return new Promise((resolve, reject) => {
		const child = spawn(process.execPath, [command, ...args], { stdio: ["ignore", 1, 2], env });
		for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => child.kill(signal));
		child.once("error", reject).once("close", (code) => resolve(code ?? 130));
	});
}

function report(file) {
	const metadata = JSON.parse(readFileSync(file, "utf8"));
	const digest = metadata.deliveries.find(({ method }) => method === "push")?.digest ?? "";
	const outputs = {
		"image-id": metadata.imageId ?? "",
		digest,
		metadata: JSON.stringify(metadata),
	};
	const lines = Object.entries(outputs).map(([name, value]) => `${name}=${value}\n`);
	if (env.GITHUB_OUTPUT) appendFileSync(env.GITHUB_OUTPUT, lines.join(""));
	if (env.GITHUB_STEP_SUMMARY) appendFileSync(env.GITHUB_STEP_SUMMARY, summary(metadata, digest));
}

const directory = mkdtempSync(join(env.RUNNER_TEMP || tmpdir(), "rbuild-"));
try {
	if (key !== "") addKey();
	const args = flags(directory);
	process.exitCode = await runBuild(args);
	const file = metadataFile(args);
	if (process.exitCode === 0 && file !== undefined && existsSync(file)) report(file);
} catch (error) {
	// The runner takes each line for a command of its own.
	const message = error.message.replaceAll("%", "%25").replace(/\r?\n|\r/g, "%0A");
	console.log(`::error::rbuild: ${message}`);
	process.exitCode = 1;
} finally {
	rmSync(directory, { recursive: true, force: true });
	// It would look for this process every ten seconds only.
	if (key !== "") spawnSync("ssh-agent", ["-k"], { stdio: "ignore" });
}
