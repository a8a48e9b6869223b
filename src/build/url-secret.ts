import { RbuildError } from "../errors.js";
import type { BuildEvent, Run } from "../events.js";
import type { BuildOptions } from "./options.js";

/**
 * The passwords or tokens in the URLs of contexts ("https://user:token@host/repo.git"). The daemon needs
 * them, and then shows the URLs in the names of its steps and in its errors.
 */
export function secretsOf({
	context,
	buildContexts = {},
}: Pick<BuildOptions, "context" | "buildContexts">): readonly string[] {
	return [context, ...Object.values(buildContexts)].flatMap((source) => secretOf(source) ?? []);
}

function secretOf(context: unknown): string | undefined {
	const [, user, password] = /^https?:\/\/([^/@:]*)(?::([^/@]*))?@/.exec(String(context)) ?? [];
	// A token may stand alone, in the user's place.
	return password || user || undefined;
}

/** A run whose news never holds the secrets. */
export function keepingSecrets(run: Run, secrets: readonly string[]): Run {
	if (secrets.length === 0) return run;
	return { ...run, emit: (event) => run.emit(masked(event, secrets) as BuildEvent) };
}

/** Takes the secrets out of an error's words. */
export function withoutSecrets(error: unknown, secrets: readonly string[]): unknown {
	if (secrets.length > 0 && error instanceof RbuildError) {
		error.message = hide(error.message, secrets);
		if (error.stack !== undefined) error.stack = hide(error.stack, secrets);
	}
	return error;
}

function masked(value: unknown, secrets: readonly string[]): unknown {
	if (typeof value === "string") return hide(value, secrets);
	if (Array.isArray(value)) return value.map((item) => masked(item, secrets));
	if (typeof value !== "object" || value === null) return value;
	return Object.fromEntries(
		Object.entries(value).map(([name, field]) => [name, masked(field, secrets)]),
	);
}

function hide(text: string, secrets: readonly string[]): string {
	return secrets.reduce((hidden, secret) => hidden.replaceAll(secret, "xxxxx"), text);
}
