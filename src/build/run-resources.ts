import type { Writable } from "node:stream";
import type { Closing } from "../closing.js";
import type { Environment } from "../environment.js";
import type { Run } from "../events.js";
import {
	type CredentialSource,
	registryCredentials,
} from "../image/credentials/registry-credentials.js";
import type { Surroundings } from "./planned-run.js";

/** What a run has at hand, to send a build and to deliver what came of it. */
export interface RunResources {
	readonly environment: Environment;
	readonly credentials: CredentialSource;
	/** For `save: "-"` and outputs to "-". */
	readonly stdout: Writable;
	/** Closes what is opened on the way, at the end of the run. */
	readonly closing: Closing;
}

export function runResources(
	{ environment, stdout }: Surroundings,
	closing: Closing,
	run: Run,
): RunResources {
	return { environment, credentials: registryCredentials(environment, run), stdout, closing };
}
