import { execFile } from "node:child_process";
import { chmod, copyFile, readFile, writeFile } from "node:fs/promises";
import { userInfo } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { freePort } from "./free-port.js";

const run = promisify(execFile);

export type KeyType = "ed25519" | "ecdsa" | "rsa";

/** What an sshd of ours is started with, and what a client needs to know of it. */
export interface SshdFiles {
	readonly host: string;
	readonly port: number;
	readonly user: string;
	/** The host's alias in sshConfigFile. */
	readonly alias: string;
	/** A client configuration that knows the alias and its host key. */
	readonly sshConfigFile: string;
	readonly knownHostsFile: string;
	readonly clientKeyFile: string;
	/** The private ones; the public ones have ".pub" at the end. */
	readonly hostKeyFiles: readonly string[];
	/** The server's. */
	readonly configFile: string;
}

interface Wishes {
	/** Lines for sshd_config, which come first. */
	readonly config?: readonly string[];
	readonly hostKeyTypes?: readonly KeyType[];
}

export async function writeSshdFiles(
	directory: string,
	{ config = [], hostKeyTypes = ["ed25519"] }: Wishes,
): Promise<SshdFiles> {
	const path = (name: string) => join(directory, name);
	const host = "127.0.0.1";
	const files = {
		...{ host, port: await freePort(host), user: userInfo().username, alias: "testbox" },
		sshConfigFile: path("ssh_config"),
		knownHostsFile: path("known_hosts"),
		clientKeyFile: path("client_key"),
		hostKeyFiles: hostKeyTypes.map((type) => path(`host_key_${type}`)),
		configFile: path("sshd_config"),
	};
	const authorizedKeysFile = path("authorized_keys");
	await Promise.all([
		generateKey(files.clientKeyFile, "ed25519"),
		...hostKeyTypes.map((type, index) => generateKey(files.hostKeyFiles[index] ?? "", type)),
	]);
	await copyFile(`${files.clientKeyFile}.pub`, authorizedKeysFile);
	await writeFile(files.knownHostsFile, await knownHosts(files));
	await writeFile(files.sshConfigFile, clientConfig(files));
	await writeFile(files.configFile, serverConfig(files, authorizedKeysFile, config));
	return files;
}

async function generateKey(file: string, type: KeyType): Promise<void> {
	const size = type === "rsa" ? ["-b", "2048"] : [];
	await run("ssh-keygen", ["-q", "-t", type, ...size, "-N", "", "-C", "rbuild test", "-f", file]);
	await chmod(file, 0o600);
}

async function knownHosts({ host, port, hostKeyFiles }: SshdFiles): Promise<readonly string[]> {
	const keys = await Promise.all(hostKeyFiles.map((file) => readFile(`${file}.pub`, "utf8")));
	return keys.map((key) => `[${host}]:${port} ${key.split(" ").slice(0, 2).join(" ").trim()}\n`);
}

function clientConfig({ alias, host, port, user, clientKeyFile, knownHostsFile }: SshdFiles) {
	return `Host ${alias}
  HostName ${host}
  Port ${port}
  User ${user}
  IdentityFile ${clientKeyFile}
  IdentitiesOnly yes
  IdentityAgent none
  UserKnownHostsFile ${knownHostsFile}
  GlobalKnownHostsFile /dev/null
  StrictHostKeyChecking yes
`;
}

function serverConfig(
	{ host, port, hostKeyFiles }: SshdFiles,
	authorizedKeysFile: string,
	config: readonly string[],
) {
	return `${config.join("\n")}
ListenAddress ${host}:${port}
${hostKeyFiles.map((file) => `HostKey ${file}`).join("\n")}
AuthorizedKeysFile ${authorizedKeysFile}
PidFile none
StrictModes no
UsePAM no
UseDNS no
PermitRootLogin yes
PasswordAuthentication no
KbdInteractiveAuthentication no
AllowStreamLocalForwarding yes
LogLevel VERBOSE
`;
}
