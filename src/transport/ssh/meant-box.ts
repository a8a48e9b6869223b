import { ConnectionError } from "../../errors.js";
import { suggestion } from "../../suggestion.js";
import { listContexts } from "../../target/context-store.js";
import { sshAliases } from "../../target/ssh-aliases.js";
import type { SshSettings } from "./config/ssh-settings.js";

/**
 * A name that does not resolve, and of which ssh_config knows nothing, may be that of a box misspelt: the ssh
 * alias or docker context that is close to it is then in the hint. Any other failure stays as it is.
 */
export async function withMeantBox(
	failure: unknown,
	{ alias, hostName, proxy, environment }: SshSettings,
): Promise<unknown> {
	if (!(failure instanceof ConnectionError) || failure.failure !== "unresolved") return failure;
	if (alias !== hostName || proxy !== undefined) return failure;
	const aliases = await sshAliases(environment);
	if (aliases.includes(alias)) return failure;
	const contexts = await listContexts(environment);
	const meant = suggestion(alias, [...aliases, ...contexts.map(({ name }) => name)]);
	if (meant === undefined) return failure;
	const hint = `did you mean: ${meant}?`;
	return new ConnectionError(failure.failure, failure.message, { hint, cause: failure });
}
