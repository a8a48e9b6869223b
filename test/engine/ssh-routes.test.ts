import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { chmod, copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { homedir, tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { text } from "node:stream/consumers";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import type { Environment } from "../../src/environment.js";
import { ConnectionError, type ConnectionFailure } from "../../src/errors.js";
import { DEFAULT_SOCKET } from "../../src/target/daemon-sockets.js";
import { parseTarget } from "../../src/target/parse-target.js";
import { openTransport, readTransportSettings } from "../../src/transport/open-transport.js";
import type { Transport } from "../../src/transport/transport.js";
import { suiteUnless } from "../support/requirement.js";
import { type Sshd, startSshd, whyNoSshd } from "../support/sshd.js";

// Boxes of many kinds, each with an sshd of its own: how the daemon is reached there, or why not.

const run = promisify(execFile);
const never = new AbortController().signal;

const why = whyNoSshd() ?? (await whyNoDockerClient());
/** What a box is made of; removed at the end. */
let folder: string;
let daemon: Server;
/** Where the daemon listens: at no place of its own accord. */
let socket: string;

interface Box {
	readonly name: string;
	/** Lines for sshd_config. */
	readonly sshd: () => readonly string[] | Promise<readonly string[]>;
	/** Whether the user names the socket; else it must be found. */
	readonly named?: boolean;
	readonly route?: "ssh, streamlocal" | "ssh, dial-stdio";
	readonly failure?: ConnectionFailure;
	readonly says?: RegExp;
	readonly connections?: number;
	readonly needsRoot?: boolean;
}

const NO_FORWARDING = "AllowStreamLocalForwarding no";
const environment = (...variables: string[]) => `SetEnv ${variables.join(" ")}`;
/** Runs what the client asks for below a folder with nothing but busybox, as on a bare box. */
const bare = (root: string) => `ForceCommand chroot ${root} /bin/sh -c "$SSH_ORIGINAL_COMMAND"`;

const BOXES: readonly Box[] = [
	{
		name: "a socket that the user names",
		sshd: () => [],
		named: true,
		route: "ssh, streamlocal",
	},
	{
		name: "forwarding alone, without a shell",
		sshd: () => ["ForceCommand /usr/sbin/nologin"],
		named: true,
		route: "ssh, streamlocal",
	},
	{
		name: "no session at all",
		sshd: () => ["MaxSessions 0"],
		named: true,
		route: "ssh, streamlocal",
	},
	{
		name: "DOCKER_HOST in the user's environment",
		sshd: () => [environment(`DOCKER_HOST=unix://${socket}`)],
		route: "ssh, streamlocal",
	},
	{
		name: "a daemon without root, in the user's runtime folder",
		sshd: async () => [environment(`XDG_RUNTIME_DIR=${await withSocketAt("docker.sock")}`)],
		route: "ssh, streamlocal",
	},
	{
		name: "podman's socket in the user's runtime folder",
		sshd: async () => [environment(`XDG_RUNTIME_DIR=${await withSocketAt("podman/podman.sock")}`)],
		route: "ssh, streamlocal",
	},
	...[
		".docker/run/docker.sock",
		".orbstack/run/docker.sock",
		".colima/default/docker.sock",
		".lima/docker/sock/docker.sock",
		".rd/docker.sock",
		".local/share/containers/podman/machine/podman.sock",
	].map(
		(path): Box => ({
			name: `a Mac's ~/${path}`,
			sshd: async () => [
				environment(`HOME=${await withSocketAt(path)}`, `XDG_RUNTIME_DIR=${folder}/none`),
			],
			route: "ssh, streamlocal",
		}),
	),
	{
		name: "AllowStreamLocalForwarding no",
		sshd: () => [NO_FORWARDING],
		named: true,
		route: "ssh, dial-stdio",
	},
	{
		name: "DisableForwarding, and a socket of the user's own",
		sshd: async () => [
			"DisableForwarding yes",
			environment(`XDG_RUNTIME_DIR=${await withSocketAt("docker.sock")}`),
		],
		route: "ssh, dial-stdio",
	},
	{
		name: "DOCKER_HOST that only its docker understands",
		sshd: async () => {
			const listener = createServer(daemon.listeners("request")[0] as never).listen(0, "127.0.0.1");
			await once(listener, "listening");
			listener.unref();
			const { port } = listener.address() as { port: number };
			return [environment(`DOCKER_HOST=tcp://127.0.0.1:${port}`)];
		},
		route: "ssh, dial-stdio",
	},
	{
		name: "one session at a time",
		sshd: () => [NO_FORWARDING, "MaxSessions 1"],
		named: true,
		route: "ssh, dial-stdio",
		connections: 3,
	},
	{
		name: "a message of the day and a shell that prints",
		sshd: async () => {
			const noise = join(folder, "noise.sh");
			await writeFile(noise, "echo Welcome; echo HTTP/1.1 500 Motd; echo loud >&2\n");
			return [NO_FORWARDING, environment(`BASH_ENV=${noise}`), "PrintMotd yes", `Banner ${noise}`];
		},
		named: true,
		route: "ssh, dial-stdio",
	},
	...["zsh", "fish", "tcsh"].map(
		(shell): Box => ({
			name: `a user whose shell is ${shell}`,
			sshd: () => [NO_FORWARDING, `ForceCommand ${shell} -c "$SSH_ORIGINAL_COMMAND"`],
			named: true,
			route: "ssh, dial-stdio",
		}),
	),
	{
		name: "dial-stdio as the only command",
		sshd: () => [`ForceCommand docker -H unix://${socket} system dial-stdio`],
		route: "ssh, dial-stdio",
	},
	{
		name: "dial-stdio as the only command, in a shell that prints",
		sshd: async () => {
			const noise = join(folder, "noise.sh");
			await writeFile(noise, "echo Welcome; echo HTTP/1.1 500 Motd; echo loud >&2\n");
			return [
				environment(`BASH_ENV=${noise}`),
				`ForceCommand docker -H unix://${socket} system dial-stdio`,
			];
		},
		route: "ssh, dial-stdio",
	},
	{
		name: "a list of commands that knows what docker asks for",
		sshd: async () => {
			const list = join(folder, "list.sh");
			await writeFile(
				list,
				`#!/bin/sh
case $SSH_ORIGINAL_COMMAND in
"docker --host=unix://${socket} system dial-stdio") exec $SSH_ORIGINAL_COMMAND;;
*) echo "not allowed" >&2; exit 1;;
esac
`,
				{ mode: 0o755 },
			);
			return [NO_FORWARDING, `ForceCommand ${list}`];
		},
		named: true,
		route: "ssh, dial-stdio",
	},
	{
		name: "docker where a shell without login does not look",
		sshd: async () => {
			const home = join(folder, "off-path");
			await mkdir(join(home, ".orbstack/bin"), { recursive: true });
			const { stdout } = await run("sh", ["-c", "command -v docker"]);
			await symlink(stdout.trim(), join(home, ".orbstack/bin/docker"));
			await mkdir(join(home, "bin"));
			for (const program of ["sh", "id"]) {
				await symlink(`/bin/${program}`, join(home, "bin", program));
			}
			return [NO_FORWARDING, environment(`HOME=${home}`, `PATH=${home}/bin`)];
		},
		named: true,
		route: "ssh, dial-stdio",
	},
	{
		name: "a banner of 30 kB",
		sshd: async () => {
			const banner = join(folder, "banner");
			await writeFile(banner, `${"Welcome! ".repeat(100)}\n`.repeat(33));
			return [`Banner ${banner}`];
		},
		named: true,
		route: "ssh, streamlocal",
	},
	{
		name: "files only, by sftp, and forwarding",
		sshd: () => ["ForceCommand internal-sftp"],
		named: true,
		route: "ssh, streamlocal",
	},
	{
		name: "files only, by sftp",
		sshd: () => ["ForceCommand internal-sftp", NO_FORWARDING],
		named: true,
		failure: "unreachable",
		says: /sshd does not forward to .*daemon.sock, and user \S+ cannot run "docker system dial-stdio"/,
	},
	{
		name: "no docker",
		sshd: async () => [NO_FORWARDING, bare(await bareRoot())],
		named: true,
		failure: "docker-not-installed",
		says: /docker is not installed there/,
		needsRoot: true,
	},
	{
		name: "a socket that the user may not use",
		sshd: async () => {
			await chmod(folder, 0o755);
			await chmod(socket, 0o600);
			return [
				'ForceCommand setpriv --reuid 65534 --regid 65534 --clear-groups sh -c "$SSH_ORIGINAL_COMMAND"',
				NO_FORWARDING,
			];
		},
		named: true,
		failure: "socket-permission",
		says: /may not use .*daemon.sock/,
		needsRoot: true,
	},
	{
		name: "neither forwarding nor a shell",
		sshd: () => [NO_FORWARDING, "ForceCommand /usr/sbin/nologin"],
		named: true,
		failure: "unreachable",
		says: /sshd does not forward to .*daemon.sock, and user \S+ cannot run "docker system dial-stdio"/,
	},
	{
		name: "neither forwarding nor sessions",
		sshd: () => [NO_FORWARDING, "MaxSessions 0"],
		named: true,
		failure: "unreachable",
		says: /sshd does not forward to/,
	},
];

suiteUnless(why, "the way to the daemon on a box with", () => {
	before(async () => {
		folder = await mkdtemp(join(tmpdir(), "rbuild-routes-"));
		socket = join(folder, "daemon.sock");
		daemon = createServer((request, response) => {
			response.setHeader("Api-Version", "1.41");
			response.end(request.url?.endsWith("/version") ? '{"ApiVersion":"1.41"}' : "pong");
		}).listen(socket);
		await once(daemon, "listening");
	});
	after(async () => {
		daemon.close();
		await rm(folder, { recursive: true });
	});

	for (const box of BOXES) {
		test(box.name, { skip: whyNot(box) }, async () => {
			await using sshd = await startSshd({ config: await box.sshd() });
			if (box.failure !== undefined) {
				await assert.rejects(open(sshd, box), (error) => {
					assert.ok(error instanceof ConnectionError, String(error));
					assert.equal(error.failure, box.failure, error.message);
					assert.match(error.message, box.says ?? /./);
					assert.match(error.message, /^[^\n]+$/);
					assert.ok(error.hint);
					return true;
				});
				return;
			}
			await using transport = await open(sshd, box);
			assert.equal(transport.route, box.route);
			const streams = [await transport.open(never), await transport.open(never)];
			assert.deepEqual(await Promise.all(streams.map(ping)), ["pong", "pong"]);
			assert.equal(await ping(await transport.open(never)), "pong");
			const connections = sshd.log().match(/Accepted publickey/g)?.length ?? 0;
			assert.ok(connections <= (box.connections ?? 1), `${connections} connections`);
			assert.ok(transport.wire.received > 3 * "pong".length);
		});
	}
});

function whyNot({ needsRoot = false, named = false }: Box): string | false {
	if (needsRoot && userInfo().uid !== 0) return "only root can make such a box";
	return !named && existsSync(DEFAULT_SOCKET) && `this machine has a daemon at ${DEFAULT_SOCKET}`;
}

async function open(sshd: Sshd, { named = false }: Box): Promise<Transport> {
	const client: Environment = {
		variables: { PATH: process.env.PATH },
		homeDirectory: homedir(),
		userName: userInfo().username,
		platform: process.platform,
		workingDirectory: folder,
		sshConfigFile: sshd.sshConfigFile,
	};
	const on = named ? `ssh://${sshd.alias}${socket}` : sshd.alias;
	const chosen = { target: parseTarget(on), chosenBy: "--on" };
	return await openTransport(chosen, readTransportSettings(chosen, client, never), never);
}

async function ping(stream: Duplex): Promise<string> {
	stream.write("GET /_ping HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n\r\n");
	return (await text(stream)).split("\r\n\r\n")[1] ?? "";
}

/** A folder in which the daemon's socket has another name. */
async function withSocketAt(path: string): Promise<string> {
	const home = await mkdtemp(join(folder, "home-"));
	await mkdir(join(home, path, ".."), { recursive: true });
	await symlink(socket, join(home, path));
	return home;
}

async function bareRoot(): Promise<string> {
	const root = await mkdtemp(join(folder, "bare-"));
	await mkdir(join(root, "bin"));
	await copyFile("/bin/busybox", join(root, "bin/busybox"));
	await symlink("busybox", join(root, "bin/sh"));
	return root;
}

async function whyNoDockerClient(): Promise<string | undefined> {
	const works = await run("docker", ["--version"]).catch(() => undefined);
	return works === undefined ? "there is no docker command" : undefined;
}
