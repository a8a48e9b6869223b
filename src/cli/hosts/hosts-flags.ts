import type { Options } from "yargs";
import type { SshValues } from "../process/process-environment.js";

/** What `rbuild hosts` is told to do. */
export const HOSTS_ACTIONS = ["ls", "add", "rm", "use", "inspect", "trust"] as const;

export const HOSTS_FLAGS = {
	format: {
		type: "string",
		choices: ["table", "json"],
		default: "table",
		describe: "ls: output format",
	},
	timeout: {
		type: "string",
		requiresArg: true,
		describe: "ls, inspect: seconds to wait for an answer (5)",
	},
	"no-ask": { type: "boolean", describe: "ls, inspect: do not connect" },
	description: { type: "string", requiresArg: true, describe: "add: what the host is for" },
	ca: { type: "string", requiresArg: true, describe: "add: the CA of the daemon's certificate" },
	cert: { type: "string", requiresArg: true, describe: "add: the client certificate" },
	key: { type: "string", requiresArg: true, describe: "add: its key" },
	"skip-tls-verify": {
		type: "boolean",
		describe: "add: do not verify the certificate of the daemon",
	},
	fingerprint: {
		type: "string",
		requiresArg: true,
		describe: "trust: the expected fingerprint of its host key, SHA256:…",
	},
	force: { type: "boolean", alias: "f", describe: "rm: even if it is in use" },
	insecure: { type: "boolean", describe: "ls, inspect: connect also to tcp:// without TLS" },
} as const satisfies Record<string, Options>;

export type HostsArguments = SshValues & {
	/** The action and its names. */
	readonly words?: readonly string[];
} & {
	readonly [Flag in keyof typeof HOSTS_FLAGS]?: (typeof HOSTS_FLAGS)[Flag]["type"] extends "boolean"
		? boolean
		: string;
};
