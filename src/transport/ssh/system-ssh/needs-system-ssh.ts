import { ConnectionError, type ConnectionFailure } from "../../../errors.js";

/**
 * The host can be reached, but not with what ssh2 knows. Whoever opens the connection may catch this and
 * take the ssh program in its place; to the user it is a failure like any other.
 */
export class NeedsSystemSsh extends ConnectionError {
	/** What it takes, such as "a host certificate", to go before "needs the ssh program". */
	readonly reason: string;

	/**
	 * @param place For messages, such as "x86box (192.168.31.100:22)".
	 * @param refusal What is to be told where the ssh program does not get in either.
	 */
	constructor(reason: string, place: string, failure: ConnectionFailure, refusal?: unknown) {
		super(failure, `cannot reach ${place}: ${reason} needs the ssh program`, {
			cause: refusal,
			hint: "install OpenSSH's client, and leave out --ssh-client builtin",
		});
		this.reason = reason;
	}
}
