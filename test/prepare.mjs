// Makes a fresh clone ready to run: npm packages, the compiled sources and, as root on Debian or
// Ubuntu, the system packages that the demo and the tests with real daemons and a real browser need.
// Plain JavaScript on Node's own modules, because nothing else is there yet. Quick when there is
// nothing to do.
import { spawnSync } from "node:child_process";
import { accessSync, constants, existsSync, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

/** Debian's package for each program. */
const PACKAGES = {
	dockerd: "docker.io",
	sshd: "openssh-server",
	ssh: "openssh-client",
	busybox: "busybox-static",
	"docker-registry": "docker-registry",
	htpasswd: "apache2-utils",
	git: "git",
	openssl: "openssl",
	chromium: "chromium",
	skopeo: "skopeo",
	gcc: "gcc",
	"softhsm2-util": "softhsm2",
	krb5kdc: "krb5-kdc",
	"kadmin.local": "krb5-admin-server",
	kinit: "krb5-user",
	zsh: "zsh",
	fish: "fish",
	tcsh: "tcsh",
};

function run(command, args) {
	const { status, error } = spawnSync(command, args, {
		cwd: root,
		stdio: ["ignore", 2, 2],
		env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
		shell: process.platform === "win32",
	});
	if (error || status !== 0) {
		console.error(`prepare: ${[command, ...args].join(" ")} failed: ${error ?? `exit ${status}`}`);
		process.exit(1);
	}
}

/** npm writes a copy of the lockfile's packages beside what it installed. */
function packagesAreInstalled() {
	const installed = join(root, "node_modules", ".package-lock.json");
	if (!existsSync(installed)) return false;
	const wanted = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")).packages;
	const present = JSON.parse(readFileSync(installed, "utf8")).packages;
	return Object.entries(wanted).every(
		([path, { version, optional }]) =>
			path === "" || optional === true || present[path]?.version === version,
	);
}

function isInstalled(program) {
	const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin", "/sbin"];
	return folders.some((folder) => {
		try {
			accessSync(join(folder, program), constants.X_OK);
			return true;
		} catch {
			return false;
		}
	});
}

function installSystemPackages() {
	const missing = Object.keys(PACKAGES).filter((program) => !isInstalled(program));
	if (missing.length === 0) return;
	const packages = missing.map((program) => PACKAGES[program]);
	if (process.getuid?.() === 0 && existsSync("/etc/debian_version")) {
		console.error(`prepare: installing ${packages.join(" ")}`);
		run("apt-get", ["update", "-qq"]);
		run("apt-get", ["install", "-y", "-qq", "--no-install-recommends", ...packages]);
	} else {
		console.error(
			`prepare: some tests need ${missing.join(", ")}: on Debian or Ubuntu, as root: apt-get install ${packages.join(" ")}`,
		);
	}
}

if (!packagesAreInstalled()) run("npm", ["ci", "--no-audit", "--no-fund"]);
run("npm", ["run", "--silent", "build"]);
if (!process.argv.includes("--no-engine")) installSystemPackages();
