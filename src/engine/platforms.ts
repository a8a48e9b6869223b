import { UsageError } from "../errors.js";

/**
 * OCI platforms as text, "os/architecture[/variant]" (image-spec, image-index "platform"). The other
 * names for the same thing are those that containerd's platforms package knows.
 */

const OPERATING_SYSTEMS = new Set(["linux", "windows", "darwin", "macos", "freebsd", "wasi"]);

const ARCHITECTURES = new Set([
	"386",
	"amd64",
	"arm",
	"arm64",
	"loong64",
	"mips64le",
	"ppc64le",
	"riscv64",
	"s390x",
	"wasm",
]);

/** For an operating system alone: it does not tell the machine, so one is as good as another. */
const ANY_ARCHITECTURE = "amd64";

/**
 * One spelling for each platform a user may write: "x86_64" is "linux/amd64", "linux/aarch64" and
 * "arm64/v8" are "linux/arm64", "linux/arm" is "linux/arm/v7".
 *
 * @param specifier "os", "architecture", "os/architecture", "architecture/variant" or all three
 * @param source the flag or variable that it was written in
 * @throws UsageError
 */
export function normalizePlatform(specifier: string, source = "--platform"): string {
	const parts = specifier.toLowerCase().split("/");
	const [first = "", second, third] = parts;
	const wellFormed = parts.length <= 3 && parts.every((part) => /^[a-z0-9_.-]+$/.test(part));
	if (wellFormed && OPERATING_SYSTEMS.has(first)) {
		return joinPlatform(first, second ?? ANY_ARCHITECTURE, third);
	}
	const known = ARCHITECTURES.has(normalizeCpu(first, "")[0] ?? "");
	if (wellFormed && known && third === undefined) return joinPlatform("linux", first, second);
	throw new UsageError(`${source} "${specifier}" is not a platform`, {
		hint: 'write it as os/architecture, such as "linux/amd64" or "linux/arm64"',
	});
}

/** The same spelling for the fields in which daemons and images state their platform. */
export function joinPlatform(os: string, architecture: string, variant = ""): string {
	const system = os === "macos" ? "darwin" : os;
	return [system, ...normalizeCpu(architecture, variant)].join("/");
}

/** Architecture and, where it says something, variant. */
function normalizeCpu(architecture: string, variant: string): string[] {
	const level = variant.replace(/^(?=\d)/, "v").replace(/\.0$/, "");
	switch (architecture) {
		case "i386":
		case "i686":
			return ["386"];
		case "x86_64":
		case "x86-64":
		case "amd64":
			return level === "" || level === "v1" ? ["amd64"] : ["amd64", level];
		case "aarch64":
		case "arm64":
			return level === "" || level === "v8" ? ["arm64"] : ["arm64", level];
		case "armhf":
		case "armv7l":
			return ["arm", "v7"];
		case "armel":
		case "armv6l":
			return ["arm", "v6"];
		case "arm":
			return ["arm", level === "" ? "v7" : level];
		default:
			return level === "" ? [architecture] : [architecture, level];
	}
}

/**
 * Whether a machine runs a platform's programs itself, without emulation. Both sides normalised.
 * Every level of amd64 and arm64 counts, as a daemon does not tell its CPU's. 32-bit ARM on arm64
 * does not: most of today's arm64 servers and all Apple machines cannot.
 */
export function runsNatively(wanted: string, machine: string): boolean {
	const [os, architecture, variant = ""] = wanted.split("/");
	const [machineOs, machineArchitecture, machineVariant = ""] = machine.split("/");
	if (os !== machineOs) return false;
	if (architecture === "386" && machineArchitecture === "amd64") return true;
	if (architecture !== machineArchitecture) return false;
	return architecture !== "arm" || variant <= machineVariant;
}
