import type { Environment } from "../../../environment.js";
import { UsageError } from "../../../errors.js";
import type { Target } from "../../../target/target.js";
import { interpretOptions } from "./interpret-options.js";
import { type JumpHost, parseJumpHosts } from "./jump-host.js";
import type { LoginSettings } from "./login-settings.js";
import type { SshAlgorithms } from "./ssh-algorithms.js";
import { querySshConfig } from "./ssh-config-query.js";

export type SshTarget = Extract<Target, { kind: "ssh" }>;

/**
 * ssh_config's keywords in lower case, each with its arguments as `ssh -G` prints them. Those that may
 * come several times (IdentityFile) hold one entry a line.
 */
export type SshOptions = ReadonlyMap<string, readonly string[]>;

/** What ssh_config(5) says about one host, as far as rbuild acts on it. */
export interface SshSettings {
	/** The host as the user wrote it. */
	readonly alias: string;
	/** The ssh program's arguments to reach the same host by hand, for hints. */
	readonly sshArguments: string;
	/** The same for `rbuild hosts trust`. */
	readonly trustArguments: string;
	readonly hostName: string;
	readonly port: number;
	readonly user: string;
	/** Only this kind of address. */
	readonly addressFamily: 4 | 6 | undefined;
	/** The address of this machine to connect from. */
	readonly bindAddress: string | undefined;
	/** What lies between; absent where the host is called directly. */
	readonly proxy: SshProxy | undefined;
	readonly algorithms: SshAlgorithms;
	/** What the configuration asks for that only the ssh program can do, such as "MACs umac-64@openssh.com" or "RevokedHostKeys". */
	readonly onlySsh: string | undefined;
	/** Absolute paths, in the order in which they are tried; they need not exist. */
	readonly identityFiles: readonly string[];
	/** Offer no agent key but those that identityFiles name. */
	readonly identitiesOnly: boolean;
	/** The agent's socket, or undefined where there is none or it must not be used. */
	readonly agentSocket: string | undefined;
	/** Ask the user nothing. */
	readonly batchMode: boolean;
	/** The first one is where a new host key is written to. */
	readonly userKnownHostsFiles: readonly string[];
	readonly globalKnownHostsFiles: readonly string[];
	/** Looked up in known_hosts in place of hostName and port. */
	readonly hostKeyAlias: string | undefined;
	readonly strictHostKeyChecking: "yes" | "ask" | "accept-new" | "no";
	/** Write new host names to known_hosts as a hash. */
	readonly hashKnownHosts: boolean;
	readonly connectTimeoutMs: number;
	/** What ServerAliveInterval and ServerAliveCountMax ask for; absent: rbuild's own. */
	readonly keepAlive: { readonly intervalMs: number; readonly countMax: number } | undefined;
	/** Where a ProxyCommand runs, and whom to ask. */
	readonly environment: Environment;
	readonly login: LoginSettings;
	/** What ssh2 cannot do of all this, for people; the ssh program can. */
	readonly needsSystemSsh?: string | undefined;
}

type SshProxy =
	/** ProxyJump: a connection to that host, which may have a proxy of its own. */
	| { readonly kind: "jump"; readonly through: SshSettings }
	/** ProxyCommand, for the user's shell. */
	| { readonly kind: "command"; readonly command: string };

/**
 * Asks the ssh program what its configuration means for this host and for those on the way to it, or
 * reads the files where there is no ssh program.
 * @throws UsageError for a configuration that cannot be read, or goes around in a circle;
 * InterruptedError
 */
export async function sshSettings(
	target: SshTarget,
	environment: Environment,
	signal: AbortSignal,
): Promise<SshSettings> {
	return await settingsOf({ target, via: undefined, trail: [] }, environment, signal);
}

interface Stop {
	readonly target: SshTarget;
	/** The hops that a ProxyJump with several names in front of this one, in place of its own proxy. */
	readonly via: readonly JumpHost[] | undefined;
	/** The stops that lie behind it, the box first. */
	readonly trail: readonly SshSettings[];
}

async function settingsOf(
	{ target, via, trail }: Stop,
	environment: Environment,
	signal: AbortSignal,
): Promise<SshSettings> {
	const options =
		(await querySshConfig(target, environment, signal)) ??
		(await readFiles(target, environment, signal));
	const settings = interpretOptions(options, target, environment);
	if (trail.some((each) => isSameServer(each, settings))) {
		const names = [...trail.map(({ alias }) => alias), settings.alias].join(" -> ");
		throw new UsageError(`ssh config: ProxyJump loop: ${names}`, {
			hint: `give ${settings.alias} a "ProxyJump none", in front of the line that applies to it`,
		});
	}
	// A lone hop has the proxy of its own configuration; the first of several has, too.
	const jump = options.get("proxyjump")?.[0] ?? "none";
	const hops = via !== undefined && via.length > 0 ? via : parseJumpHosts(jump);
	if (hops === undefined) {
		throw new UsageError(`ssh config: bad ProxyJump "${jump}" for ${target.host}`);
	}
	const last = hops.at(-1);
	if (last === undefined) return settings;
	const through = await settingsOf(
		{
			target: jumpTarget(last),
			via: hops.slice(0, -1),
			trail: [...trail, settings],
		},
		environment,
		signal,
	);
	return { ...settings, proxy: { kind: "jump", through } };
}

async function readFiles(target: SshTarget, environment: Environment, signal: AbortSignal) {
	// Loaded only where there is no ssh.
	const { readSshConfig } = await import("./ssh-config-file.js");
	return await readSshConfig(target, environment, signal);
}

function jumpTarget({ host, user, port }: JumpHost): SshTarget {
	return {
		kind: "ssh",
		host,
		...(user === undefined ? {} : { user }),
		...(port === undefined ? {} : { port }),
	};
}

function isSameServer(one: SshSettings, other: SshSettings): boolean {
	return one.hostName === other.hostName && one.port === other.port && one.user === other.user;
}
