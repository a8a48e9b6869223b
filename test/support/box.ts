import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connectEngine } from "../../src/engine/connect-engine.js";
import type { Engine } from "../../src/engine/engine.js";
import { createBaseImage } from "./base-image.js";
import { type DockerdOptions, startDockerd } from "./dockerd.js";
import { type SshdOptions, startSshd } from "./sshd.js";
import { unixTransport } from "./unix-transport.js";

/** A machine to build on, as the user of rbuild sees it: an sshd with a Docker daemon behind it. */
export interface Box extends AsyncDisposable {
	/** What to put on the command line to build on it. */
	readonly flags: readonly string[];
	readonly on: string;
	readonly sshConfigFile: string;
	/** The daemon's socket on this machine, for looking at what was built. */
	readonly socketPath: string;
	readonly engine: Engine;
	daemonLog(): string;
}

/** A throwaway box on loopback that has BASE_IMAGE. */
export async function startBox(
	options: DockerdOptions & Pick<SshdOptions, "config"> = {},
): Promise<Box> {
	const { config = [] } = options;
	const directory = mkdtempSync(join(tmpdir(), "rbuild-box-"));
	const [dockerd, sshd] = await Promise.all([
		startDockerd(options),
		startSshd({ directory, config }),
	]);
	const transport = unixTransport(dockerd.socketPath);
	const engine = await connectEngine(transport, new AbortController().signal);
	await createBaseImage(engine);
	const on = `ssh://${sshd.alias}${dockerd.socketPath}`;
	return {
		on,
		flags: ["--on", on, "--ssh-config", sshd.sshConfigFile],
		sshConfigFile: sshd.sshConfigFile,
		socketPath: dockerd.socketPath,
		engine,
		daemonLog: () => dockerd.log(),
		async [Symbol.asyncDispose]() {
			await engine[Symbol.asyncDispose]();
			await Promise.all([dockerd.stop(), sshd.stop()]);
			rmSync(directory, { recursive: true, force: true });
		},
	};
}
