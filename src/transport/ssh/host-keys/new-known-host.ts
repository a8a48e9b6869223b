import { appendFile, open } from "node:fs/promises";
import { dirname } from "node:path";
import { makeFolder } from "../../../disk/folder.js";
import { systemReason } from "../../../system-reason.js";
import type { SshSettings } from "../config/ssh-settings.js";
import { knownHostLine, knownHostName } from "./known-hosts.js";

/** The name by which known_hosts knows the host of these settings. */
export function knownNameOf({ hostKeyAlias, hostName, port }: SshSettings): string {
	return hostKeyAlias === undefined ? knownHostName(hostName, port) : hostKeyAlias.toLowerCase();
}

/** Neither where the user keeps no such file. */
interface RememberedHostKey {
	/** Where it stands now. */
	readonly file?: string;
	/** Why it stands nowhere. */
	readonly problem?: string;
}

/** Adds a host key to the first of the user's known_hosts files, as one line at its end. */
export async function rememberHostKey(
	settings: SshSettings,
	key: Buffer,
): Promise<RememberedHostKey> {
	const [file] = settings.userKnownHostsFiles;
	const name = knownNameOf(settings);
	// A name that would mean something else there, as OpenSSH has it.
	const isPlain = /^(\[[^@?*#[\]|'"\\, ]+\]:\d+|[^@?*#[\]|'"\\, ]+)$/.test(name);
	if (file === undefined || file === "/dev/null") return {};
	if (!isPlain) return { problem: `"${name}" is not valid in ${file}` };
	const line = knownHostLine(name, key, settings.hashKnownHosts);
	try {
		await makeFolder(dirname(file), 0o700);
		// One write, so that two who append at a time do not mix.
		const lineBreak = (await endsWithinLine(file)) ? "\n" : "";
		await appendFile(file, `${lineBreak}${line}\n`, { mode: 0o600 });
		return { file };
	} catch (error) {
		return { problem: `cannot add it to ${file}: ${systemReason(error)}` };
	}
}

async function endsWithinLine(path: string): Promise<boolean> {
	const file = await open(path).catch(() => undefined);
	if (file === undefined) return false;
	try {
		const { size } = await file.stat();
		if (size === 0) return false;
		const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1);
		return buffer[0] !== 0x0a;
	} finally {
		await file.close();
	}
}
