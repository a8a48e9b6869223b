import { hostname, userInfo } from "node:os";
import type { Surroundings } from "../../build/planned-run.js";
import type { Environment, Prompt, SshClient } from "../../environment.js";
import { unsupportedValue } from "../../unsupported-value.js";
import { homeDirectory } from "./home-directory.js";
import { standardInput } from "./standard-input.js";

export const SSH_CLIENTS: readonly SshClient[] = ["auto", "builtin", "system"];

/** What the flags of a command say that logs in to a box. */
export interface SshValues {
	readonly "ssh-config"?: string;
	readonly "ssh-client"?: string;
}

/** What a build needs of this process. */
export function processSurroundings(
	{ "ssh-config": sshConfigFile, "ssh-client": sshClient }: SshValues = {},
	prompt?: Prompt,
): Surroundings {
	const environment = processEnvironment(sshConfigFile, prompt, sshClient);
	return { environment, stdin: standardInput(), stdout: process.stdout };
}

/** @throws UsageError for an RBUILD_SSH_CLIENT that is none; the flag is checked with all others */
export function processEnvironment(
	sshConfigFile?: string,
	prompt?: Prompt,
	sshClient?: string,
): Environment {
	return {
		variables: process.env,
		homeDirectory: homeDirectory(),
		userName: loginName(),
		machineName: hostname(),
		userId: process.getuid?.() ?? 0,
		platform: process.platform,
		workingDirectory: process.cwd(),
		...(sshConfigFile === undefined ? {} : { sshConfigFile }),
		sshClient: chosenSshClient(sshClient ?? (process.env.RBUILD_SSH_CLIENT || "auto")),
		prompt,
	};
}

function chosenSshClient(text: string): SshClient {
	const client = SSH_CLIENTS.find((each) => each === text);
	if (client !== undefined) return client;
	throw unsupportedValue("RBUILD_SSH_CLIENT", text, SSH_CLIENTS);
}

/** A container may run under a user id that has no name. */
function loginName(): string {
	try {
		return userInfo().username;
	} catch {
		return process.env.USER ?? process.env.USERNAME ?? "";
	}
}
