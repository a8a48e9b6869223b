import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { TokenServer } from "./token-server.js";

interface RegistryOptions {
	/** Who may pull and push; anybody when absent. */
	readonly login?: { readonly username: string; readonly password: string };
	/** Who makes its tokens, instead of a login. */
	readonly tokens?: TokenServer;
	/** Absent: plain HTTP. */
	readonly tls?: { readonly certificateFile: string; readonly keyFile: string };
	/** An address of this machine; absent: 127.0.0.1. */
	readonly address?: string;
}

/** A registry on this machine, with a store of its own. */
export interface Registry extends AsyncDisposable {
	/** "address:port", the first part of its images' names. */
	readonly host: string;
	stop(): Promise<void>;
}

/** Why no registry can be started on this machine, for a person; undefined when one can. */
export function whyNoRegistry(): string | undefined {
	for (const program of ["docker-registry", "htpasswd", "openssl"]) {
		try {
			execFileSync("sh", ["-c", `command -v ${program}`], { stdio: "ignore" });
		} catch {
			return `${program} is not installed (apt-get install docker-registry apache2-utils openssl)`;
		}
	}
	return undefined;
}

/** Ends with its standard input: on stop(), and also when this process dies, however it dies. */
const KEEPER = `
docker-registry serve "$1/config.yml" 2>&1 &
read -r _
kill $!
wait $!
rm -rf "$1"
`;

export async function startRegistry(options: RegistryOptions = {}): Promise<Registry> {
	const { login, tokens, tls, address = "127.0.0.1" } = options;
	const directory = mkdtempSync(join(tmpdir(), "rbuild-registry-"));
	const passwords = join(directory, "htpasswd");
	if (login !== undefined) {
		const { username, password } = login;
		writeFileSync(passwords, execFileSync("htpasswd", ["-Bbn", username, password]));
	}
	// JSON is YAML too.
	writeFileSync(
		join(directory, "config.yml"),
		JSON.stringify({
			version: "0.1",
			storage: { filesystem: { rootdirectory: join(directory, "store") } },
			http: {
				addr: `${address}:0`,
				...(tls && { tls: { certificate: tls.certificateFile, key: tls.keyFile } }),
			},
			...(login && { auth: { htpasswd: { realm: "rbuild", path: passwords } } }),
			...(tokens && { auth: { token: tokenAuth(tokens) } }),
		}),
	);
	const keeper = spawn("sh", ["-c", KEEPER, "registry-keeper", directory], {
		detached: true,
		stdio: ["pipe", "pipe", "ignore"],
	});
	const stop = async () => {
		if (keeper.exitCode !== null) return;
		keeper.ref();
		const ended = once(keeper, "exit");
		keeper.stdin.end();
		await ended;
	};
	const log: string[] = [];
	for await (const line of createInterface(keeper.stdout)) {
		const host = /listening on ([\d.]+:\d+)/.exec(line)?.[1];
		if (host !== undefined) {
			// A forgotten stop() must not keep the tests from ending.
			for (const handle of [keeper, keeper.stdin, keeper.stdout]) {
				(handle as { unref?: () => void }).unref?.();
			}
			keeper.stdout.resume();
			return { host, stop, [Symbol.asyncDispose]: stop };
		}
		log.push(line);
		if (log.some((entry) => entry.includes("level=fatal"))) break;
	}
	await stop();
	throw new Error(`docker-registry did not start:\n${log.join("\n")}`);
}

function tokenAuth({ realm, service, issuer, certificateFile }: TokenServer) {
	return { realm, service, issuer, rootcertbundle: certificateFile };
}
