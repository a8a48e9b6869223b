import { isYes } from "../config/ssh-option-values.js";
import type { SshSettings } from "../config/ssh-settings.js";

/**
 * Whether the ssh program may take passphrases from macOS's keychain, which nobody else can read there. That is
 * Apple's UseKeychain, which its `ssh -G` does not print (ssh.c, dump_client_config): the files are read for it.
 *
 * @throws InterruptedError
 */
export async function usesKeychain(
	{ alias, user, port, environment }: SshSettings,
	signal: AbortSignal,
): Promise<boolean> {
	const { platform, sshClient = "auto" } = environment;
	if (platform !== "darwin" || sshClient !== "auto") return false;
	const { readSshConfig } = await import("../config/ssh-config-file.js");
	const target = { kind: "ssh", host: alias, user, port } as const;
	try {
		const options = await readSshConfig(target, environment, signal);
		return isYes(options.get("usekeychain")?.[0]);
	} catch (error) {
		if (signal.aborted) throw error;
		// The ssh program did understand these files.
		return false;
	}
}
