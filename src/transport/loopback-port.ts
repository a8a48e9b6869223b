import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import type { Duplex } from "node:stream";
import { systemReason } from "../system-reason.js";
import { ListenRefusal, type LoopbackPort } from "./transport.js";

/**
 * A port of this machine's own loopback address.
 * @throws ListenRefusal
 */
export async function listenOnLoopback(onStream: (stream: Duplex) => void): Promise<LoopbackPort> {
	const server = createServer(onStream);
	try {
		server.listen(0, LOOPBACK);
		await once(server, "listening");
	} catch (error) {
		throw new ListenRefusal(`no free port on ${LOOPBACK} (${systemReason(error)})`);
	}
	// A connection that this machine has no room for is lost to who made it, and to nobody else.
	server.on("error", () => {});
	return {
		port: (server.address() as AddressInfo).port,
		async [Symbol.asyncDispose]() {
			server.close();
		},
	};
}

const LOOPBACK = "127.0.0.1";
