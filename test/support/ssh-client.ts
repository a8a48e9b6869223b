import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { setMaxListeners } from "node:events";
import { writeFile } from "node:fs/promises";
import { createServer as createHttpServer, type Server } from "node:http";
import { homedir, userInfo } from "node:os";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import type { Environment } from "../../src/environment.js";
import { ConnectionError } from "../../src/errors.js";
import type { BuildEvent } from "../../src/events.js";
import { parseTarget } from "../../src/target/parse-target.js";
import { openTransport, readTransportSettings } from "../../src/transport/open-transport.js";
import type { Transport } from "../../src/transport/transport.js";
import type { Sshd } from "./sshd.js";

export const never: AbortSignal = new AbortController().signal;
setMaxListeners(0, never);

/** The lines of a Host section that lead to a throwaway sshd, which knows its key. */
export function hostSection(alias: string, sshd: Sshd, lines: readonly string[] = []): string {
	return [
		`Host ${alias}`,
		...lines,
		`HostName ${sshd.host}`,
		`Port ${sshd.port}`,
		`User ${sshd.user}`,
		`IdentityFile ${sshd.clientKeyFile}`,
		"IdentitiesOnly yes",
		"IdentityAgent none",
		`UserKnownHostsFile ${sshd.knownHostsFile}`,
		"GlobalKnownHostsFile /dev/null",
		"StrictHostKeyChecking yes",
		"",
	].join("\n");
}

/** Somebody with this ssh configuration and no other. */
export async function clientWith(
	directory: string,
	config: string,
	changed: Partial<Environment> = {},
): Promise<Environment> {
	const sshConfigFile = join(directory, `config-${randomBytes(4).toString("hex")}`);
	await writeFile(sshConfigFile, config, { mode: 0o600 });
	return {
		variables: { PATH: process.env.PATH },
		homeDirectory: homedir(),
		userName: userInfo().username,
		userId: userInfo().uid,
		platform: process.platform,
		workingDirectory: directory,
		sshConfigFile,
		...changed,
	};
}

export function openTo(
	on: string,
	environment: Environment,
	{
		emit = () => {},
		signal = never,
	}: { emit?: (event: BuildEvent) => void; signal?: AbortSignal } = {},
): Promise<Transport> {
	const chosen = { target: parseTarget(on), chosenBy: "--on" };
	return openTransport(chosen, readTransportSettings(chosen, environment, signal), signal, emit);
}

/** The failure of what must fail: one line, with a hint. */
export async function connectionFailure(
	on: string,
	environment: Environment,
): Promise<ConnectionError> {
	try {
		await using transport = await openTo(on, environment);
		return assert.fail(`it was reached by ${transport.route}`);
	} catch (error) {
		assert.ok(error instanceof ConnectionError, String(error));
		assert.doesNotMatch(error.message, /\n/, "the message is one line");
		assert.notEqual(error.hint, undefined, error.message);
		return error;
	}
}

/** Answers as much of the Engine API as ping() asks for. */
export function startPingServer(socketPath: string): Server {
	return createHttpServer((_, response) => response.end("pong")).listen(socketPath);
}

export async function ping(stream: Duplex): Promise<string> {
	stream.write("GET /_ping HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n\r\n");
	let text = "";
	for await (const chunk of stream) text += chunk;
	return text.split("\r\n\r\n")[1] ?? "";
}
