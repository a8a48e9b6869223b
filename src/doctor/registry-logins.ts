import { access, constants } from "node:fs/promises";
import { delimiter, join } from "node:path";
import type { Environment } from "../environment.js";
import { UsageError } from "../errors.js";
import { listLogins, type RegistryLogin } from "../image/registry-credentials.js";
import type { Finding } from "./check.js";

/** Of which registries there are credentials on this machine. Asks no helper, which might ask the user. */
export async function registryLogins(environment: Environment): Promise<Finding> {
	let logins: readonly RegistryLogin[];
	try {
		logins = await listLogins(environment);
	} catch (error) {
		if (!(error instanceof UsageError)) throw error;
		return { state: "failed", detail: error.message, fix: error.hint };
	}
	const helpers = new Set(logins.flatMap(({ helper }) => helper ?? []));
	const missing: string[] = [];
	for (const helper of helpers) {
		const program = `docker-credential-${helper}`;
		if (!(await isOnPath(program, environment))) missing.push(program);
	}
	const names = new Set(
		logins.map(({ registry, helper }) =>
			[registry ?? "others", helper && `by docker-credential-${helper}`].filter(Boolean).join(" "),
		),
	);
	const detail = names.size === 0 ? "none: pulls and pushes are anonymous" : [...names].join(", ");
	return missing.length === 0
		? { state: "ok", detail }
		: {
				state: "warning",
				detail: `${detail}; ${missing.join(", ")} not on the PATH`,
				fix: `install it, or take it out of ${logins.find(({ helper }) => helper)?.origin}`,
			};
}

async function isOnPath(program: string, { variables, platform }: Environment): Promise<boolean> {
	const folders = (variables.PATH ?? variables.Path ?? "").split(delimiter);
	const endings = platform === "win32" ? [".exe", ".cmd", ".bat"] : [""];
	for (const folder of folders.filter((one) => one !== "")) {
		for (const ending of endings) {
			const found = await access(join(folder, program + ending), constants.X_OK).then(
				() => true,
				() => false,
			);
			if (found) return true;
		}
	}
	return false;
}
