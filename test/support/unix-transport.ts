import { once } from "node:events";
import { connect } from "node:net";
import { noCompression } from "../../src/transport/stream-compression.js";
import type { Transport } from "../../src/transport/transport.js";

/** The plainest transport there is, for tests of what runs on top of one. */
export function unixTransport(socketPath: string): Transport {
	return {
		target: `unix://${socketPath}`,
		route: "unix",
		roundTripMs: 0,
		wire: { sent: 0, received: 0 },
		async open(signal) {
			const socket = connect({ path: socketPath, allowHalfOpen: true });
			await once(socket, "connect", { signal });
			return socket;
		},
		compress: noCompression,
		async [Symbol.asyncDispose]() {},
	};
}
