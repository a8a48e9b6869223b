import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";

/** 1 Mbit/s */
const BYTES_PER_SECOND = 125_000;
const TICKS_PER_SECOND = 100;

/** A link with a buffer without end: takes all that it is given, and lets it out slowly. */
export interface SlowLink {
	readonly port: number;
	readonly bytesPerSecond: number;
	/** Bytes that have left it on the far side so far. */
	readonly carried: number;
	/** The most bytes that were ever on their way. */
	readonly mostHeld: number;
	readonly close: () => void;
}

/** What comes back is not held up. */
export async function startSlowLink(targetPort: number): Promise<SlowLink> {
	const held: Buffer[] = [];
	let bytesHeld = 0;
	let mostHeld = 0;
	let carried = 0;
	const server = createServer((client) => {
		const onward = connect(targetPort, "127.0.0.1");
		client.on("data", (chunk) => {
			held.push(chunk);
			bytesHeld += chunk.length;
			mostHeld = Math.max(mostHeld, bytesHeld);
		});
		const release = setInterval(() => {
			for (let left = BYTES_PER_SECOND / TICKS_PER_SECOND; left > 0 && held.length > 0; ) {
				const chunk = held.shift() as Buffer;
				onward.write(chunk.subarray(0, left));
				if (chunk.length > left) held.unshift(chunk.subarray(left));
				const released = Math.min(left, chunk.length);
				bytesHeld -= released;
				carried += released;
				left -= released;
			}
		}, 1000 / TICKS_PER_SECOND);
		onward.pipe(client);
		onward.on("error", () => {});
		client
			.on("error", () => {})
			.on("close", () => {
				clearInterval(release);
				onward.destroy();
			});
	}).listen(0, "127.0.0.1");
	await once(server, "listening");
	return {
		port: (server.address() as AddressInfo).port,
		bytesPerSecond: BYTES_PER_SECOND,
		get carried() {
			return carried;
		},
		get mostHeld() {
			return mostHeld;
		},
		close: () => server.close(),
	};
}
