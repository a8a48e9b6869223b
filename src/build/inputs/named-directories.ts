import { readFile, realpath } from "node:fs/promises";
import { join } from "node:path";
import { closeAll } from "../../closing.js";
import type { PartTotals } from "../../context/entries/part-of-context.js";
import {
	type DirectoryContext,
	type DirectoryContextOptions,
	openDirectoryContext,
} from "../../context/thread/directory-context.js";
import { pathWithin } from "../../context/tree/path-within.js";
import { refuseUtf16 } from "../../context/tree/utf16.js";
import { ContextError } from "../../errors.js";
import type { Run } from "../../events.js";
import { systemReason } from "../../system-reason.js";
import type { NamedContext } from "../plan/named-contexts.js";
import type { SecretsCheck } from "../plan/options.js";
import { type CheckedContext, checkSecrets, pathsToNote } from "./secrets-check.js";

export interface NamedDirectory {
	/** As in the Dockerfile. */
	readonly name: string;
	/** Absolute and without symlinks. */
	readonly root: string;
	readonly directory: DirectoryContext;
	readonly ignore: DirectoryContextOptions["ignore"] | undefined;
	readonly totals: PartTotals;
}

type WalkedDirectory = Omit<NamedDirectory, "totals">;

/** The directories among the named contexts, which are walked from the moment they are opened. */
export class NamedDirectories implements AsyncDisposable {
	readonly #all: readonly WalkedDirectory[];
	readonly #check: () => Promise<void>;

	/** @throws ContextError */
	static async open(
		contexts: ReadonlyMap<string, NamedContext>,
		secretsCheck: SecretsCheck,
		run: Run,
	): Promise<NamedDirectories> {
		const all: WalkedDirectory[] = [];
		const toCheck: CheckedContext[] = [];
		try {
			for (const [name, context] of contexts) {
				if (context.kind !== "directory") continue;
				const { root, platform } = context;
				const ignore = await ignoreFileOf(root);
				const directory = openDirectory(context, ignore, secretsCheck, run.signal);
				all.push({ name, root, directory, ignore });
				toCheck.push({ name, root, platform, ignore, walked: directory.walked });
			}
		} catch (error) {
			await closeAll(all.map(({ directory }) => directory));
			throw error;
		}
		let checked: Promise<void> | undefined;
		return new NamedDirectories(all, () => {
			checked ??= checkAll(toCheck, secretsCheck, run);
			return checked;
		});
	}

	private constructor(all: readonly WalkedDirectory[], check: () => Promise<void>) {
		this.#all = all;
		this.#check = check;
	}

	/**
	 * All of them, when they have been walked, and checked once for what must not be sent.
	 * @throws ContextError, InterruptedError
	 */
	async walked(): Promise<readonly NamedDirectory[]> {
		await this.#check();
		const all = this.#all.map(async (one) => {
			const { files, bytes } = await one.directory.walked;
			return { ...one, totals: { files, bytes } };
		});
		return Promise.all(all);
	}

	/** The same walks for another daemon, as DirectoryContext has it. */
	forAnotherBox(): NamedDirectories {
		const all = this.#all.map((one) => ({ ...one, directory: one.directory.forAnotherBox() }));
		return new NamedDirectories(all, this.#check);
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await closeAll(this.#all.map(({ directory }) => directory));
	}
}

async function checkAll(
	contexts: readonly CheckedContext[],
	secretsCheck: SecretsCheck,
	run: Run,
): Promise<void> {
	for (const context of contexts) await checkSecrets(context, secretsCheck, run);
}

/** It is walked by the rules that the daemon will find in it. */
function openDirectory(
	{ root, platform }: NamedContext & { kind: "directory" },
	ignore: DirectoryContextOptions["ignore"],
	secretsCheck: SecretsCheck,
	signal: AbortSignal,
): DirectoryContext {
	const note = pathsToNote(secretsCheck);
	const keep = [".dockerignore"];
	return openDirectoryContext({ root, ...(ignore && { ignore }), keep, platform, note }, signal);
}

/** The frontend finds rules in what it was sent of the directory, and does without what is no file there. */
async function ignoreFileOf(root: string): Promise<DirectoryContextOptions["ignore"]> {
	const file = join(root, ".dockerignore");
	try {
		if (pathWithin(root, await realpath(file)) === undefined) return undefined;
		const content = await readFile(file);
		refuseUtf16(content, file);
		return { content, file };
	} catch (error) {
		const { code = "" } = error as NodeJS.ErrnoException;
		if (["ENOENT", "EISDIR", "ELOOP", "ENOTDIR"].includes(code)) return undefined;
		if (error instanceof ContextError) throw error;
		throw new ContextError(`cannot read ${file}: ${systemReason(error)}`, { cause: error });
	}
}
