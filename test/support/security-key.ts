import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const SOURCE = fileURLToPath(new URL("../../../test/support/security-key.c", import.meta.url));

/** A security key that is a library, and a key pair that only it can use. */
export interface SecurityKey {
	/** For ssh_config's SecurityKeyProvider. */
	readonly provider: string;
	/** A private key of type sk-ssh-ed25519@openssh.com; the public one has ".pub" at its end. */
	readonly file: string;
}

/** @param folder in which it is made */
export function makeSecurityKey(folder: string): SecurityKey {
	const provider = join(folder, "security-key.so");
	const file = join(folder, "id_ed25519_sk");
	const options = [
		"-shared",
		"-fPIC",
		"-ffreestanding",
		"-nostdlib",
		"-Wall",
		"-Wextra",
		"-Werror",
	];
	execFileSync("gcc", [...options, "-o", provider, SOURCE]);
	execFileSync("ssh-keygen", ["-q", "-t", "ed25519-sk", "-w", provider, "-N", "", "-f", file]);
	return { provider, file };
}
