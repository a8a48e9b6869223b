/**
 * Whether a host matches a list of patterns as ssh_config(5) and sshd(8) mean it: `*` and `?` are
 * wildcards, case does not count, and one matching `!pattern` outweighs all others.
 */
export function matchesHost(host: string, patterns: readonly string[]): boolean {
	let matched = false;
	for (const pattern of patterns) {
		const negated = pattern.startsWith("!");
		if (matchesPattern(host, negated ? pattern.slice(1) : pattern)) {
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
	return new RegExp(`^${source}$`, "is").test(text);
}
