import type { Environment } from "../environment.js";
import { UsageError } from "../errors.js";
import { listLogins, type StoredLogin } from "../image/credentials/registry-credentials.js";
import { findProgram } from "../installed-program.js";
import type { Finding } from "./check.js";

/** Of which registries there are credentials on this machine. Asks no helper, which might ask the user. */
export async function registryLogins(environment: Environment): Promise<Finding> {
	let logins: readonly StoredLogin[];
	try {
		logins = await listLogins(environment);
	} catch (error) {
		if (!(error instanceof UsageError)) throw error;
		return { state: "failed", detail: error.message, fix: error.hint };
	}
	const missing = new Map<string, string>();
	for (const { helper, origin } of logins) {
		const program = `docker-credential-${helper}`;
		if (helper && findProgram(program, environment) === undefined) missing.set(program, origin);
	}
	const names = new Set(
		logins.map(({ registry, helper }) =>
			[registry ?? "others", helper && `by docker-credential-${helper}`].filter(Boolean).join(" "),
		),
	);
	const detail = names.size === 0 ? "none: pulls and pushes are anonymous" : [...names].join(", ");
	if (missing.size === 0) return { state: "ok", detail };
	return {
		state: "warning",
		detail: `${detail}; ${[...missing.keys()].join(", ")} not on the PATH`,
		fix: `install it, or take it out of ${[...new Set(missing.values())].join(" and ")}`,
	};
}
