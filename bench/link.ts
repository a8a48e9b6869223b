import { join } from "node:path";
import { freePort } from "../test/support/free-port.js";

/** A link of limited speed to a port, by the lab's wan-proxy.mjs. */
export interface Link {
	/** Of 127.0.0.1. */
	readonly port: number;
	/** What went through it since the last time. */
	take(): { readonly upBytes: number; readonly downBytes: number };
	close(): Promise<void>;
}

export interface LinkSpeed {
	/** Each way. */
	readonly delayMs: number;
	/** 0: no limit. */
	readonly mbit: number;
}

export async function openLink(
	labFolder: string,
	speed: LinkSpeed,
	target: { readonly host: string; readonly port: number },
): Promise<Link> {
	const { startProxy } = (await import(join(labFolder, "wan-proxy.mjs"))) as {
		startProxy(options: object): Promise<Omit<Link, "port">>;
	};
	const port = await freePort("127.0.0.1");
	const ends = { listen: port, target: target.port, targetHost: target.host };
	const proxy = await startProxy({ ...ends, ...speed });
	return { port, take: () => proxy.take(), close: () => proxy.close() };
}
