import { createHash } from "node:crypto";
import type { Environment } from "../environment.js";
import { UsageError } from "../errors.js";

/** What ssh_config(5) lists as TOKENS, by letter; "%%" is not among them. */
export type Tokens = Readonly<Record<string, string>>;

interface TokenValues {
	/** As the user wrote it. */
	readonly alias: string;
	readonly hostName: string;
	readonly port: number;
	readonly user: string;
	readonly hostKeyAlias: string | undefined;
	/** The host of ProxyJump's last hop; empty without. */
	readonly jumpHost: string;
}

export function tokensOf(values: TokenValues, environment: Environment): Tokens {
	const { alias, hostName, user, jumpHost } = values;
	const { homeDirectory, userName, machineName = "localhost", userId } = environment;
	const port = String(values.port);
	return {
		C: createHash("sha1")
			.update(machineName + hostName + port + user + jumpHost)
			.digest("hex"),
		L: machineName.replace(/\..*/, ""),
		d: homeDirectory,
		h: hostName,
		i: String(userId ?? 0),
		j: jumpHost,
		k: values.hostKeyAlias ?? alias,
		l: machineName,
		n: alias,
		p: port,
		r: user,
		u: userName,
	};
}

/** Those that a ProxyCommand may have (expand_proxy_command in OpenSSH's sshconnect.c). */
export function proxyTokens({ h = "", k = "", n = "", p = "", r = "" }: Tokens): Tokens {
	return { h, k, n, p, r };
}

/** @throws UsageError for a token that OpenSSH would refuse here, too. */
export function replaceTokens(text: string, tokens: Tokens): string {
	return text.replace(/%(.?)/gs, (_, letter: string) => {
		const value = letter === "%" ? "%" : tokens[letter];
		if (value !== undefined && letter !== "") return value;
		throw new UsageError(`ssh config: unknown token "%${letter}" in "${text}"`, {
			hint: "write %% for a percent sign; see TOKENS in ssh_config(5)",
		});
	});
}

/** `${NAME}` anywhere, and the %-tokens. @throws UsageError */
export function replaceVariables(
	text: string,
	tokens: Tokens,
	variables: Environment["variables"],
): string {
	// In pieces, so that what a variable holds is not read again.
	return text
		.split(/(\$\{[^}]*\}?)/)
		.map((piece, index) => {
			if (index % 2 === 0) return replaceTokens(piece, tokens);
			const value = piece.endsWith("}") ? variables[piece.slice(2, -1)] : undefined;
			if (value !== undefined) return value;
			throw new UsageError(`ssh config: ${piece} has no value, in "${text}"`, {
				hint: "set the environment variable, or take it out of the ssh config",
			});
		})
		.join("");
}

/** `~` and `~/path`; another user's home is not looked up. */
export function expandHome(text: string, { homeDirectory }: Environment): string {
	return text.replace(/^~(?=[/\\]|$)/, () => homeDirectory);
}
