import { isYes } from "./ssh-option-values.js";
import type { SshOptions } from "./ssh-settings.js";

const METHODS = ["publickey", "keyboard-interactive", "password"] as const;

/** The ways to log in that ssh2 knows and that need nobody else (RFC 4252, RFC 4256). */
export type LoginMethod = (typeof METHODS)[number];

/** What ssh_config(5) says about proving who the user is. */
export interface LoginSettings {
	/** Those that are allowed, in the order in which to try them. */
	readonly methods: readonly LoginMethod[];
	/** How often a password may be typed. */
	readonly passwordPrompts: number;
	/** The user's certificates, which only the ssh program can show; they need not exist. */
	readonly certificateFiles: readonly string[];
	readonly pkcs11Provider: string | undefined;
	readonly gssapi: boolean;
}

/** @param paths Expands those of a keyword. */
export function loginSettings(
	options: SshOptions,
	paths: (keyword: string) => readonly string[],
): LoginSettings {
	const first = (...keywords: readonly string[]) =>
		keywords.map((keyword) => options.get(keyword)?.[0]).find((value) => value !== undefined);
	const allowed: Readonly<Record<LoginMethod, string | undefined>> = {
		publickey: first("pubkeyauthentication"),
		"keyboard-interactive": first(
			"kbdinteractiveauthentication",
			"challengeresponseauthentication",
		),
		password: first("passwordauthentication"),
	};
	const preferred = first("preferredauthentications")?.split(",") ?? METHODS;
	const pkcs11Provider = first("pkcs11provider");
	return {
		methods: preferred
			.map((name) => METHODS.find((method) => method === name.trim()))
			.filter((method) => method !== undefined)
			.filter((method) => !isNo(allowed[method])),
		passwordPrompts: Number(first("numberofpasswordprompts") ?? 3),
		certificateFiles: paths("certificatefile"),
		pkcs11Provider: isNo(pkcs11Provider) ? undefined : pkcs11Provider,
		gssapi: isYes(first("gssapiauthentication")),
	};
}

function isNo(value: string | undefined): boolean {
	return value !== undefined && /^(no|false|none)$/i.test(value);
}
