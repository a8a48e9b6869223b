import * as tls from "node:tls";
import { Worker } from "node:worker_threads";

/** What node has from 22.15 on, and @types/node of 20 does not know. */
const { getCACertificates } = tls as { getCACertificates?: (of: "system") => string[] };

const PROGRAM = `
const { getCACertificates } = require("node:tls");
require("node:worker_threads").parentPort.postMessage(getCACertificates("system"));
`;

/**
 * Whom the key chain of macOS or the certificate store of Windows trusts, as PEM; none before node 22.15. A Mac
 * takes seconds for it, as it checks each certificate (nodejs/node#63313), so that is done in a thread of its own.
 */
export async function systemCertificates(): Promise<readonly string[]> {
	if (getCACertificates === undefined) return [];
	return new Promise((resolve) => {
		const worker = new Worker(PROGRAM, { eval: true, execArgv: [], name: "rbuild certificates" });
		worker
			.once("message", (certificates: readonly string[]) => resolve(certificates))
			// Then those that node brings along have to do.
			.once("error", () => resolve([]))
			.once("exit", () => resolve([]));
	});
}
