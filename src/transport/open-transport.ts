import type { Environment } from "../environment.js";
import type { Emit } from "../events.js";
import type { ChosenTarget } from "../target/target.js";
import { openSocketTransport } from "./socket-transport.js";
import type { SshSettings } from "./ssh/config/ssh-settings.js";
import type { TlsMaterial } from "./tls-material.js";
import type { Transport } from "./transport.js";

/** What has to be known of a target before it can be called. */
export type TransportSettings = Promise<
	| { readonly kind: "ssh"; readonly ssh: SshSettings }
	| { readonly kind: "tls"; readonly tls: TlsMaterial }
	| undefined
>;

/**
 * Reads the user's ssh configuration, which takes no network but some 20 ms: time that a caller may have
 * for something else. For a target with TLS, its certificates.
 * @throws UsageError for an ssh configuration that rbuild cannot follow, and for files that are not what
 * they should be; InterruptedError
 */
export async function readTransportSettings(
	{ target }: ChosenTarget,
	environment: Environment,
	signal: AbortSignal,
): Promise<Awaited<TransportSettings>> {
	if (target.kind === "ssh") {
		const [{ sshSettings }, { whySystemSsh }] = await Promise.all([
			import("./ssh/config/ssh-settings.js"),
			import("./ssh/system-ssh/system-ssh-reasons.js"),
		]);
		const reading = sshSettings(target, environment, signal);
		loadAhead(environment);
		const ssh = await reading;
		return { kind: "ssh", ssh: { ...ssh, needsSystemSsh: await whySystemSsh(ssh) } };
	}
	if (target.kind !== "tls") return undefined;
	const { readTlsMaterial } = await import("./tls-material.js");
	return { kind: "tls", tls: await readTlsMaterial(target.tls, environment.platform) };
}

/** ssh2 takes about as long to load as the ssh program to print its configuration. */
function loadAhead({ sshClient }: Environment): void {
	if (sshClient === "system") return;
	// Who needs it will hear of the failure.
	import("ssh2").catch(() => {});
}

/**
 * Opens the way to the chosen daemon, up to a first stream to it.
 * @param settings Of that target.
 * @param signal Ends the attempt; an open transport is ended by disposing of it.
 * @param emit Receives warnings only, such as a host key that was accepted without being known.
 * @param whileWaiting Called once, when there is nothing to do but to wait for the other side: the time
 * to load what will be needed next.
 * @throws ConnectionError whose `failure` tells the causes apart; what reading the settings throws;
 * InterruptedError
 */
export async function openTransport(
	{ target }: ChosenTarget,
	settings: TransportSettings,
	signal: AbortSignal,
	emit: Emit = () => {},
	whileWaiting: () => void = () => {},
): Promise<Transport> {
	if (target.kind === "ssh") {
		const { openSshTransport } = await import("./ssh/ssh-transport.js");
		const known = await settings;
		if (known?.kind !== "ssh") {
			throw new Error("an ssh target was opened with the settings of another");
		}
		return await openSshTransport(target, known.ssh, signal, emit, whileWaiting);
	}
	const known = target.kind === "tls" ? await settings : undefined;
	const material = known?.kind === "tls" ? known.tls : undefined;
	const opening = openSocketTransport(target, material, signal, emit);
	whileWaiting();
	return await opening;
}
