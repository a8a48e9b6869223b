import { execFileSync, spawn } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/**
 * The arm64 machine of ../shared/lab/arm64: dockerd 20.10 and an sshd in an emulator. It is made where it
 * is not there, which takes up to half an hour, and left running where it ran before.
 */
interface Arm64Box extends AsyncDisposable {
	/** Its alias in `sshConfig`. */
	readonly alias: string;
	/** Lines for an ssh_config. */
	readonly sshConfig: string;
	/** What a program there writes. */
	run(command: string): Buffer;
}

const SCRIPTS = join(process.cwd(), "../shared/lab/arm64");
const DIRECTORY = process.env.ARM_DIR ?? join(tmpdir(), "arm");
const PORT = process.env.ARM_PORT ?? "22064";
/** Milliseconds that it may take to boot. */
const LONGEST_BOOT = 10 * 60_000;

/** Why there can be none here, for a person. */
export function whyNoArm64(): string | undefined {
	return existsSync(SCRIPTS) ? undefined : `there is no ${SCRIPTS}`;
}

/** @param directory for its host key */
export async function startArm64Box(directory: string): Promise<Arm64Box> {
	if (!existsSync(join(DIRECTORY, "disk.img"))) shell("make.sh");
	// An emulator on this machine would run what only that one must.
	execFileSync("update-binfmts", ["--disable", "qemu-aarch64"]);
	const ran = pid() !== undefined;
	if (!ran) spawn("sh", [join(SCRIPTS, "boot.sh")], { detached: true, stdio: "ignore" }).unref();
	const deadline = Date.now() + LONGEST_BOOT;
	while (!answers()) {
		if (Date.now() > deadline) throw new Error(`see ${join(DIRECTORY, "boot.log")}`);
		await sleep(5_000);
	}
	// Its kernel has AppArmor and no profiles, which fails every RUN: a daemon that sees none goes without.
	there("! umount /sys/kernel/security 2>&- || systemctl restart docker");
	const knownHosts = join(directory, "arm64_known_hosts");
	writeFileSync(
		knownHosts,
		execFileSync("ssh-keyscan", ["-T", "60", "-p", PORT, "127.0.0.1"], { stdio: "pipe" }),
	);
	return {
		alias: "armbox",
		sshConfig: `Host armbox
  HostName 127.0.0.1
  Port ${PORT}
  User root
  IdentityFile ${join(DIRECTORY, "id")}
  IdentitiesOnly yes
  IdentityAgent none
  UserKnownHostsFile ${knownHosts}
`,
		run: there,
		async [Symbol.asyncDispose]() {
			const running = pid();
			if (!ran && running !== undefined) process.kill(running);
		},
	};
}

/** Of the emulator that runs. */
function pid(): number | undefined {
	try {
		const id = readFileSync(join(DIRECTORY, "pid"), "utf8").trim();
		const command = readFileSync(`/proc/${id}/cmdline`, "utf8");
		return command.startsWith("qemu-system-aarch64") ? Number(id) : undefined;
	} catch {
		return undefined;
	}
}

function shell(script: string): void {
	execFileSync("sh", [join(SCRIPTS, script)], { stdio: "inherit" });
}

function answers(): boolean {
	try {
		there("docker version");
		return true;
	} catch {
		return false;
	}
}

function there(command: string): Buffer {
	const options = [
		...["BatchMode=yes", "StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null"],
		...["ConnectTimeout=30", "LogLevel=ERROR"],
	].flatMap((option) => ["-o", option]);
	const place = ["-i", join(DIRECTORY, "id"), "-p", PORT, "root@127.0.0.1"];
	return execFileSync("ssh", [...options, ...place, command], {
		stdio: "pipe",
		maxBuffer: 1 << 28,
	});
}
