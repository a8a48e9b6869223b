import { ConnectionError, type ConnectionFailure } from "../../errors.js";
import { tailOf } from "./remote-daemon.js";

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
	const said = tailOf(stderr) || "it ended without a word";
	return new ConnectionError(failure, `cannot reach ${place} with the ssh program: ${said}`, {
		hint: `see what ssh says: ssh -v ${sshArguments}`,
	});
}
