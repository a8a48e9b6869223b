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

interface Pair {
	readonly client: Socket;
	readonly far: Socket;
}

interface Limit {
	readonly bytes: number;
	readonly direction: "up" | "down";
}

/** @param delayMs what is carried takes so long, each way */
export async function droppableLink(box: Box, { delayMs = 0 } = {}): Promise<DroppableLink> {
	const alias = new URL(box.on.includes("://") ? box.on : `ssh://${box.on}`).hostname;
	const settings = execFileSync("ssh", ["-G", "-F", box.sshConfigFile, alias], {
		encoding: "utf8",
	});
	const setting = (name: string) => new RegExp(`^${name} (.+)$`, "m").exec(settings)?.[1] ?? "";
	const pairs = new Set<Pair>();
	let connections = 0;
	let limit: Limit | undefined;

	const server = createServer((client) => {
		connections += 1;
		const far = connect(Number(setting("port")), setting("hostname"));
		const pair = { client, far };
		pairs.add(pair);
		client.on("close", () => pairs.delete(pair));
		carry(pair, delayMs, connections === 1 ? () => limit : () => undefined);
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
		for (const pair of pairs) destroy(pair);
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

/** Each way, until one of both ends, or the limit is exceeded. */
function carry(pair: Pair, delayMs: number, limit: () => Limit | undefined): void {
	const one = (from: Socket, to: Socket, direction: Limit["direction"]) => {
		let bytes = 0;
		from.on("data", (chunk) => {
			bytes += chunk.length;
			const now = limit();
			if (direction === now?.direction && bytes > now.bytes) destroy(pair);
		});
		if (delayMs === 0) from.pipe(to);
		else from.on("data", (chunk) => void setTimeout(() => to.write(chunk), delayMs));
		from.on("error", () => destroy(pair)).on("close", () => destroy(pair));
	};
	one(pair.client, pair.far, "up");
	one(pair.far, pair.client, "down");
}

function destroy({ client, far }: Pair): void {
	client.destroy();
	far.destroy();
}
