import { ConnectionError, type ConnectionFailure } from "../../../errors.js";
import { tailOf } from "../daemon-route/remote-daemon.js";

/** What OpenSSH's client writes to stderr before it ends with 255; the first that fits counts. */
const COMPLAINTS: readonly (readonly [RegExp, ConnectionFailure])[] = [
	[/REMOTE HOST IDENTIFICATION HAS CHANGED|is revoked|REVOKED HOST KEY/, "host-key-changed"],
	[/Host key verification failed|No .* host key is known/, "host-key-unknown"],
	[/Could not resolve hostname/, "unresolved"],
	[/Permission denied \(|Too many authentication failures/, "not-authenticated"],
	[/timed out/i, "timed-out"],
	[/Connection refused/, "refused"],
	[/No route to host|unreachable/i, "unreachable"],
	[/kex_exchange_identification|banner exchange|Unable to negotiate|no matching/, "protocol"],
];

/** Why the ssh program did not get in, of the same kinds as when rbuild itself logs in. */
export function sshProgramFailure(
	stderr: string,
	place: string,
	sshArguments: string,
): ConnectionError {
	const failure = COMPLAINTS.find(([complaint]) => complaint.test(stderr))?.[1] ?? "unreachable";
	if (failure === "host-key-changed") return changedKey(stderr, place);
	const said = tailOf(stderr) || "it ended without a message";
	return new ConnectionError(failure, `cannot reach ${place} with the ssh program: ${said}`, {
		hint: `see what ssh says: ssh -v ${sshArguments}`,
	});
}

/** What ssh says of it is a page, and its last lines are advice. */
function changedKey(stderr: string, place: string): ConnectionError {
	const [, shown = "another one"] = /^\s*(SHA256:\S+?)\.?\s*$/m.exec(stderr) ?? [];
	const [, known] = /^Offending .*key in (\S+:\d+)\s*$/m.exec(stderr) ?? [];
	const [removal] = /ssh-keygen -f .*$/m.exec(stderr) ?? [];
	const reason =
		known === undefined
			? tailOf(stderr)
			: `host key changed: it shows ${shown}, but ${known} knows another one`;
	return new ConnectionError(
		"host-key-changed",
		`cannot reach ${place} with the ssh program: ${reason}`,
		{
			hint:
				removal === undefined
					? "do not connect before the box's administrator has told you its new key"
					: `somebody may be listening in; if the box was reinstalled, run: ${removal.trim()}`,
		},
	);
}
