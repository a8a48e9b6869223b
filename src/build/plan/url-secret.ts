import type { BuildEvent, Run } from "../../events.js";
import type { BuildOptions } from "./options.js";

/** Shorter ones are words, too: they are hidden in URLs only. */
const LEAST_TELLING = 8;
/** Who fetches from a host that needs no user name. */
const PLAIN_USERS = new Set(["git", "anonymous"]);

/** By these, programs tell events and errors apart. */
const KINDS = new Set(["type", "status", "id", "stepId"]);
const ERROR_KINDS = new Set(["name", "code", "failure"]);

/**
 * The passwords or tokens in the URLs of contexts ("https://user:token@host/repo.git"). The daemon needs
 * them, and then shows the URLs in the names of its steps and in its errors.
 */
export function secretsOf({
	context,
	buildContexts = {},
}: Pick<BuildOptions, "context" | "buildContexts">): readonly string[] {
	return [context, ...Object.values(buildContexts)].flatMap((source) => {
		const secret = secretOf(String(source));
		return secret === undefined ? [] : [...new Set([secret, decoded(secret)])];
	});
}

function secretOf(source: string): string | undefined {
	const [, scheme = "", user = "", password = ""] =
		/^([a-z][a-z\d+.-]*):\/\/([^/@:]*)(?::([^/@]*))?@/i.exec(source) ?? [];
	if (password !== "") return password;
	// A token may stand alone, in the user's place.
	const isToken = /^https?$/i.test(scheme) && user !== "" && !PLAIN_USERS.has(user);
	return isToken ? user : undefined;
}

/** As programs show it that have read the URL. */
function decoded(text: string): string {
	try {
		return decodeURIComponent(text);
	} catch {
		return text;
	}
}

/** A run whose news never holds the secrets. */
export function keepingSecrets(run: Run, secrets: readonly string[]): Run {
	if (secrets.length === 0) return run;
	return { ...run, emit: (event) => run.emit(masked(event, secrets) as BuildEvent) };
}

/** Takes the secrets out of all that an error says, and what caused it. */
export function withoutSecrets(error: unknown, secrets: readonly string[]): unknown {
	return secrets.length === 0 ? error : masked(error, secrets);
}

function masked(value: unknown, secrets: readonly string[]): unknown {
	if (typeof value === "string") return hide(value, secrets);
	if (Array.isArray(value)) return value.map((item) => masked(item, secrets));
	if (value instanceof Error) {
		// Neither its message nor its stack can be enumerated.
		for (const name of Object.getOwnPropertyNames(value)) {
			if (ERROR_KINDS.has(name)) continue;
			Reflect.set(value, name, masked(Reflect.get(value, name), secrets));
		}
		return value;
	}
	if (typeof value !== "object" || value === null) return value;
	if (Object.getPrototypeOf(value) !== Object.prototype) return value;
	return Object.fromEntries(
		Object.entries(value).map(([name, field]) => [
			name,
			KINDS.has(name) ? field : masked(field, secrets),
		]),
	);
}

function hide(text: string, secrets: readonly string[]): string {
	return secrets.reduce((hidden, secret) => {
		const within = [`:${secret}@`, `//${secret}@`];
		const telling = secret.length < LEAST_TELLING ? within : [secret];
		return telling.reduce(
			(rest, found) =>
				rest.replaceAll(
					found,
					found.replace(secret, () => "xxxxx"),
				),
			hidden,
		);
	}, text);
}
