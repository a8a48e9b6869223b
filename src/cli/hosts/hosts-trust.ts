import type { Environment } from "../../environment.js";
import { UsageError } from "../../errors.js";
import type { BuildEvent } from "../../events.js";
import { hangingLines } from "../../render/rows.js";
import { namedTarget } from "../../target/choose-target.js";
import { sshSettings } from "../../transport/ssh/config/ssh-settings.js";
import { trustHost } from "../../transport/ssh/trust-host.js";
import { stdoutWidth } from "../process/screen.js";

/** `rbuild hosts trust NAME`: writes a box's host key to known_hosts. */
export async function trust(
	name: string,
	fingerprint: string | undefined,
	environment: Environment,
	signal: AbortSignal,
): Promise<void> {
	const expected = fingerprint?.replace(/=+$/, "");
	if (expected !== undefined && !/^SHA256:[A-Za-z0-9+/]{43}$/.test(expected)) {
		throw new UsageError(`--fingerprint "${fingerprint}" is not a SHA256 fingerprint`, {
			hint: "run on the box: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub",
		});
	}
	const { target } = await namedTarget(name, "hosts trust", {}, environment);
	if (target.kind !== "ssh") {
		throw new UsageError(`${name} is not reached by ssh, so it has no host key`);
	}
	const settings = await sshSettings(target, environment, signal);
	const { place, key, file, isNew } = await trustHost(settings, expected, signal, warn);
	const done = isNew ? `added ${key} to ${file}` : `${key} is known by ${file}`;
	const lines = hangingLines("", `${place}: ${done}`.split(" "), {
		width: stdoutWidth(),
		indent: 4,
	});
	process.stdout.write(`${lines.join("\n")}\n`);
}

function warn(event: BuildEvent): void {
	if (event.type === "warning") process.stderr.write(`warning: ${event.message}\n`);
}
