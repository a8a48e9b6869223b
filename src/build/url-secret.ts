import { RbuildError } from "../errors.js";
import type { BuildEvent, Run } from "../events.js";

/**
 * The password or token in the URL of a context ("https://user:token@host/repo.git"). The daemon needs
 * it, and then shows the URL in the names of its steps and in its errors.
 */
export function secretOf(context: string): string | undefined {
	const [, user, password] = /^https?:\/\/([^/@:]*)(?::([^/@]*))?@/.exec(context) ?? [];
	// A token may stand alone, in the user's place.
	return password || user || undefined;
}

/** A run whose news never holds the secret. */
export function keepingSecret(run: Run, secret: string | undefined): Run {
	if (secret === undefined) return run;
	return { ...run, emit: (event) => run.emit(masked(event, secret) as BuildEvent) };
}

/** Takes the secret out of an error's words. */
export function withoutSecret(error: unknown, secret: string | undefined): unknown {
	if (secret !== undefined && error instanceof RbuildError) {
		error.message = hide(error.message, secret);
		if (error.stack !== undefined) error.stack = hide(error.stack, secret);
	}
	return error;
}

function masked(value: unknown, secret: string): unknown {
	if (typeof value === "string") return hide(value, secret);
	if (Array.isArray(value)) return value.map((item) => masked(item, secret));
	if (typeof value !== "object" || value === null) return value;
	return Object.fromEntries(
		Object.entries(value).map(([name, field]) => [name, masked(field, secret)]),
	);
}

function hide(text: string, secret: string): string {
	return text.replaceAll(secret, "xxxxx");
}
