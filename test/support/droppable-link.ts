import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Box } from "./box.js";

/** A network between rbuild and a box that breaks when it is told to, and works again at once. */
interface DroppableLink extends AsyncDisposable {
	/** What to put on the command line to build on the box over this link. */
	readonly flags: readonly string[];
	/** How many connections were made over it so far. */
	readonly connections: number;
	/** Breaks what is connected now. */
	drop(): void;
	/** Breaks the first connection when it has carried so many bytes to the box, or from it. */
	dropAfter(bytes: number, direction: "up" | "down"): void;
}

/** @param delayMs what is carried takes so long, each way */
export async function droppableLink(box: Box, { delayMs = 0 } = {}): Promise<DroppableLink> {
	const alias = new URL(box.on.includes("://") ? box.on : `ssh://${box.on}`).hostname;
	const settings = execFileSync("ssh", ["-G", "-F", box.sshConfigFile, alias], {
		encoding: "utf8",
	});
	const setting = (name: string) => new RegExp(`^${name} (.+)$`, "m").exec(settings)?.[1] ?? "";
	const pairs = new Set<readonly Socket[]>();
	let connections = 0;
	let limit: { bytes: number; readonly direction: "up" | "down" } | undefined;

	const server = createServer((client) => {
		connections += 1;
		const far = connect(Number(setting("port")), setting("hostname"));
		const pair = [client, far] as const;
		pairs.add(pair);
		const end = () => {
			for (const socket of pair) socket.destroy();
			pairs.delete(pair);
		};
		const counted = (from: Socket, to: Socket, direction: "up" | "down", isFirst: boolean) => {
			let bytes = 0;
			from.on("data", (chunk) => {
				bytes += chunk.length;
				if (isFirst && direction === limit?.direction && bytes > limit.bytes) end();
			});
			if (delayMs === 0) from.pipe(to);
			else from.on("data", (chunk) => void setTimeout(() => to.write(chunk), delayMs));
			from.on("error", end).on("close", end);
		};
		const isFirst = connections === 1;
		counted(client, far, "up", isFirst);
		counted(far, client, "down", isFirst);
	}).listen(0, "127.0.0.1");
	await once(server, "listening");

	const directory = mkdtempSync(join(tmpdir(), "rbuild-link-"));
	const config = join(directory, "ssh_config");
	const { port } = server.address() as AddressInfo;
	// Host keys are known by the port of the box itself.
	const keyAlias = setting("hostkeyalias") || `[${setting("hostname")}]:${setting("port")}`;
	writeFileSync(
		config,
		`Host ${alias}\n Hostname 127.0.0.1\n Port ${port}\n HostKeyAlias ${keyAlias}\nInclude ${box.sshConfigFile}\n`,
	);
	const drop = () => {
		for (const pair of pairs) for (const socket of pair) socket.destroy();
	};
	return {
		flags: ["--on", box.on, "--ssh-config", config],
		get connections() {
			return connections;
		},
		drop,
		dropAfter(bytes, direction) {
			limit = { bytes, direction };
		},
		async [Symbol.asyncDispose]() {
			server.close();
			drop();
			rmSync(directory, { recursive: true, force: true });
		},
	};
}
