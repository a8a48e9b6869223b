import { once } from "node:events";
import { createServer } from "node:net";

/** One that nobody listens on, as yet. */
export async function freePort(host: string): Promise<number> {
	const server = createServer();
	server.listen(0, host);
	await once(server, "listening");
	const address = server.address();
	server.close();
	await once(server, "close");
	if (address === null || typeof address === "string") {
		throw new Error("no TCP port was given");
	}
	return address.port;
}
