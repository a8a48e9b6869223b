import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import type { ReadSecret } from "../../buildkit/secrets.js";
import type { Environment } from "../../environment.js";
import { UsageError } from "../../errors.js";
import { systemReason } from "../../system-reason.js";
import type { SecretOption } from "./options.js";

/** What BuildKit's own clients allow (session/secrets/secretsprovider), in bytes. */
const SIZE_LIMIT = 500 * 1024;

/** The secrets of a run, whatever boxes build for it, and however often. */
export interface PlannedSecrets {
	readonly ids: readonly string[];
	/** Reads each once, when it is first asked for: a pipe, such as `src=<(pass show x)`, gives it once. */
	readonly read: ReadSecret;
}

/** Where a secret is, which has been found there. */
type FoundSecret =
	| { readonly id: string; readonly file: string }
	| { readonly id: string; readonly variable: string };

/**
 * Looks for every secret before anything is sent. One that is given twice is taken from where it was
 * given last, as in buildx.
 *
 * @throws UsageError
 */
export async function planSecrets(
	options: readonly SecretOption[],
	environment: Environment,
): Promise<PlannedSecrets> {
	const secrets = new Map<string, FoundSecret>();
	for (const option of options) secrets.set(option.id, await locate(option, environment));
	return { ids: [...secrets.keys()], read: secretReader(secrets, environment) };
}

function secretReader(
	secrets: ReadonlyMap<string, FoundSecret>,
	{ variables }: Environment,
): ReadSecret {
	const values = new Map<string, Promise<Uint8Array>>();
	return async (id) => {
		const secret = secrets.get(id);
		if (secret === undefined) return undefined;
		const value =
			values.get(id) ??
			("file" in secret
				? readSecretFile(secret)
				: Promise.resolve(Buffer.from(variables[secret.variable] ?? "")));
		values.set(id, value);
		return value;
	};
}

async function locate(option: SecretOption, environment: Environment): Promise<FoundSecret> {
	const { id, env, src } = option;
	if (typeof id !== "string" || id === "") {
		throw new UsageError("a secret has no id", { hint: "write it as --secret id=NAME,src=FILE" });
	}
	if (env !== undefined && src !== undefined) {
		throw new UsageError(`secret "${id}" has two sources, a file and a variable`, {
			hint: "leave out either src or env",
		});
	}
	const { variables, workingDirectory } = environment;
	const variable = env ?? (src === undefined && variables[id] !== undefined ? id : undefined);
	if (variable !== undefined) return checkVariable(id, variable, variables[variable]);
	const file = resolve(workingDirectory, src ?? id);
	await checkFile(id, file, src === undefined);
	return { id, file };
}

function checkVariable(id: string, variable: string, value: string | undefined): FoundSecret {
	if (value === undefined) {
		// Its name is not shown: who writes env=$TOKEN for env=TOKEN has given the secret itself.
		throw new UsageError(`secret "${id}": the environment variable given for it is not set`, {
			hint: `give its name, not its value: --secret id=${id},env=NAME, or a file: src=FILE`,
		});
	}
	if (Buffer.byteLength(value) > SIZE_LIMIT) throw tooBig(id, `the variable ${variable}`);
	return { id, variable };
}

async function checkFile(id: string, file: string, isGuessed: boolean): Promise<void> {
	const found = await stat(file).catch((error: NodeJS.ErrnoException) => {
		if (isGuessed) {
			throw new UsageError(`secret "${id}": there is neither a variable nor a file of that name`, {
				hint: `say where it is: --secret id=${id},src=FILE or --secret id=${id},env=VARIABLE`,
			});
		}
		throw unreadable(id, file, error);
	});
	if (found.isDirectory()) {
		throw new UsageError(`secret "${id}": ${file} is a directory`, {
			hint: "name a file; several can go into a tar",
		});
	}
	if (found.size > SIZE_LIMIT) throw tooBig(id, file);
}

async function readSecretFile({ id, file }: { id: string; file: string }): Promise<Uint8Array> {
	const chunks: Buffer[] = [];
	try {
		for await (const chunk of createReadStream(file, { end: SIZE_LIMIT })) chunks.push(chunk);
	} catch (error) {
		throw unreadable(id, file, error as NodeJS.ErrnoException);
	}
	const content = Buffer.concat(chunks);
	if (content.length > SIZE_LIMIT) throw tooBig(id, file);
	return content;
}

function unreadable(id: string, file: string, error: NodeJS.ErrnoException): UsageError {
	// A path that leads nowhere is not shown: it may be the secret itself, as in src=$TOKEN.
	if (error.code === "ENOENT" || error.code === "ENAMETOOLONG") {
		return new UsageError(`secret "${id}": the file given for it does not exist`, {
			hint: "give a path, not the value; it is taken from the current directory",
		});
	}
	return new UsageError(`secret "${id}": cannot read ${file}: ${systemReason(error)}`, {
		hint: "a path is taken from the current directory",
	});
}

function tooBig(id: string, what: string): UsageError {
	return new UsageError(`secret "${id}": ${what} is larger than 500 KiB`, {
		hint: "that is the most BuildKit takes; is it the right one?",
	});
}
