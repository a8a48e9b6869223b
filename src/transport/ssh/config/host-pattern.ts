/**
 * Whether a host matches a list of patterns as ssh_config(5) and sshd(8) mean it: `*` and `?` are
 * wildcards, and one matching `!pattern` outweighs all others. Patterns may be written in capitals; the
 * host is taken as it is (match_hostname in OpenSSH's match.c).
 */
export function matchesHost(host: string, patterns: readonly string[]): boolean {
	return matchesAny(
		host,
		patterns.map((pattern) => pattern.toLowerCase()),
	);
}

/** The same with case, as for the names of users. */
export function matchesAny(text: string, patterns: readonly string[]): boolean {
	let matched = false;
	for (const pattern of patterns) {
		const negated = pattern.startsWith("!");
		if (matchesPattern(text, negated ? pattern.slice(1) : pattern)) {
			if (negated) {
				return false;
			}
			matched = true;
		}
	}
	return matched;
}

export function matchesPattern(text: string, pattern: string): boolean {
	const source = pattern
		.replace(/[.+^${}()|[\]\\]/g, "\\$&")
		.replace(/\*+/g, ".*")
		.replaceAll("?", ".");
	return new RegExp(`^${source}$`, "s").test(text);
}
