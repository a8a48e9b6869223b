import { homedir, userInfo } from "node:os";
import { isAbsolute } from "node:path";
import type { Surroundings } from "../build/open-build.js";
import type { Environment, Prompt } from "../environment.js";

/** What a build needs of this process. */
export function processSurroundings(sshConfigFile?: string, prompt?: Prompt): Surroundings {
	const { stdin, stdout } = process;
	return { environment: processEnvironment(sshConfigFile, prompt), stdin, stdout };
}

export function processEnvironment(sshConfigFile?: string, prompt?: Prompt): Environment {
	return {
		variables: process.env,
		homeDirectory: homeDirectory(),
		userName: loginName(),
		platform: process.platform,
		workingDirectory: process.cwd(),
		...(sshConfigFile === undefined ? {} : { sshConfigFile }),
		prompt,
	};
}

/** An empty HOME is taken for none. */
function homeDirectory(): string {
	const home = homedir();
	return isAbsolute(home) ? home : userInfo().homedir;
}

/** A container may run under a user id that has no name. */
function loginName(): string {
	try {
		return userInfo().username;
	} catch {
		return process.env.USER ?? process.env.USERNAME ?? "";
	}
}
