import type { Stats } from "node:fs";
import { readdir, readFile, realpath, stat } from "node:fs/promises";
import { basename, dirname, join, relative, resolve } from "node:path";
import { ContextError } from "../errors.js";
import { systemReason } from "../system-reason.js";
import { hasLostBytes, printablePath } from "./tree/path-bytes.js";
import { pathWithin } from "./tree/path-within.js";
import { refuseUtf16 } from "./tree/utf16.js";

/** Where the Dockerfile of a directory context is, and which .dockerignore goes with it. */
export interface DockerfileLocation {
	/** For people: the path as the user would write it, or "stdin". */
	readonly displayName: string;
	readonly content: Uint8Array;
	/** Its path in the context, "/"-separated; absent when it is not in the context. */
	readonly pathInContext?: string;
	/** The .dockerignore that applies, if there is one. */
	readonly ignore?: { readonly content: Uint8Array; readonly file: string };
	/** Podman's own, which nobody else reads, where there is no .dockerignore. */
	readonly unreadIgnoreFile?: string;
}

const CONTAINERIGNORE = ".containerignore";

/** What a user is told of one. */
export const UNREAD_IGNORE_FILE = {
	message: `the rules in ${CONTAINERIGNORE} do not count, and there is no .dockerignore`,
	hint: "rename it to .dockerignore, which docker and podman read",
} as const;

interface DockerfileQuery {
	/** The context directory, absolute and without symlinks. */
	readonly root: string;
	/** The value of -f: relative to the working directory, as in docker. Absent: ROOT/Dockerfile. */
	readonly file: string | undefined;
	readonly workingDirectory: string;
	/** Standard input, read to its end for `-f -`. */
	readonly readStdin: () => Promise<Uint8Array>;
}

/**
 * Finds the Dockerfile by docker's rules: -f is relative to the working directory, the default falls
 * back to "dockerfile", symlinks are followed, and one that ends up outside of the context is read
 * and sent along. FILE.dockerignore beside the Dockerfile wins over .dockerignore in the context, as
 * in BuildKit (frontend/dockerui, ReadEntrypoint).
 *
 * @throws ContextError when there is no Dockerfile or it cannot be read.
 */
export async function locateDockerfile(query: DockerfileQuery): Promise<DockerfileLocation> {
	if (query.file === "-") {
		const content = await query.readStdin();
		if (content.length === 0) throw new ContextError("the Dockerfile on standard input is empty");
		refuseUtf16(content, "the Dockerfile on standard input");
		return { displayName: "stdin", content, ...(await ignoreFile(query.root)) };
	}
	const path =
		query.file === undefined
			? await defaultDockerfile(query.root)
			: resolve(query.workingDirectory, query.file);
	const displayName = query.file ?? basename(path);
	const content = await readDockerfile(path, query);
	refuseUtf16(content, nameOf(path, query));
	// What has no place in the file system, such as the pipe of `-f <(…)`, is not in the context.
	const pathInContext = pathWithin(query.root, await realpath(path).catch(() => "/")) || undefined;
	return {
		displayName,
		content,
		...(pathInContext === undefined ? {} : { pathInContext }),
		...(await ignoreFile(query.root, path)),
	};
}

/**
 * The .dockerignore that applies where there is no Dockerfile to be read, by the same rules.
 * @throws ContextError
 */
export async function locateIgnoreFile({
	root,
	file,
	workingDirectory,
}: Omit<DockerfileQuery, "readStdin">): Promise<DockerfileLocation["ignore"]> {
	const dockerfile =
		file === undefined || file === "-" ? undefined : resolve(workingDirectory, file);
	return (await ignoreFile(root, dockerfile)).ignore;
}

async function defaultDockerfile(root: string): Promise<string> {
	const usual = join(root, "Dockerfile");
	const lowerCase = join(root, "dockerfile");
	if (await exists(usual)) return usual;
	return (await exists(lowerCase)) ? lowerCase : usual;
}

const HINTS: Readonly<Record<string, string>> = {
	EISDIR: "name a file with -f, such as -f docker/Dockerfile",
	EACCES: "make it readable for the user who runs rbuild",
	EPERM: "make it readable for the user who runs rbuild",
	ELOOP: "look at where it leads",
};

async function readDockerfile(path: string, query: DockerfileQuery): Promise<Uint8Array> {
	try {
		// What is named may be the pipe of `-f <(…)`; one that nobody named would be waited for without end.
		if (query.file === undefined && isOther(await stat(path))) {
			throw new ContextError(`the Dockerfile in ${dirname(path)} is not a regular file`, {
				hint: "name another one with -f",
			});
		}
		return await readFile(path);
	} catch (error) {
		if (error instanceof ContextError) throw error;
		const { code } = error as NodeJS.ErrnoException;
		if (code === "ENOENT" && query.file !== undefined && hasLostBytes(path)) {
			throw new ContextError(`cannot open ${nameOf(path, query)}: its path is not UTF-8`, {
				hint: "rename it, or give it on standard input with -f -",
				cause: error,
			});
		}
		if (code === "ENOENT" || code === "ENOTDIR") {
			if (query.file === undefined) {
				throw new ContextError(`there is no Dockerfile in ${dirname(path)}`, {
					hint: await otherNames(query),
					cause: error,
				});
			}
			throw new ContextError(`${nameOf(path, query)} does not exist`, {
				hint: `-f is relative to the current directory; it was looked for at ${path}`,
				cause: error,
			});
		}
		throw new ContextError(`cannot read ${nameOf(path, query)}: ${systemReason(error)}`, {
			hint: HINTS[code ?? ""],
			cause: error,
		});
	}
}

/** Such as podman's Containerfile; docker, too, takes no other name by itself. */
const DOCKERFILES = /^containerfile$|^(?:docker|container)file\.(?!dockerignore$)|\.dockerfile$/i;

/** A hint at what the context has in place of a Dockerfile. */
async function otherNames({ root, workingDirectory }: DockerfileQuery): Promise<string> {
	const names = (await readdir(root).catch(() => [])).filter((name) => DOCKERFILES.test(name));
	const [first] = names.sort();
	if (first === undefined) return "name it with -f if it has another name";
	return `name it with -f, such as -f ${printablePath(relative(workingDirectory, join(root, first)))}`;
}

/** In an error. */
function nameOf(path: string, { file }: DockerfileQuery): string {
	return `the Dockerfile ${file ?? `in ${dirname(path)}`}`;
}

/** What is neither read nor refused by reading it. */
function isOther(stats: Stats): boolean {
	return !stats.isFile() && !stats.isDirectory();
}

async function ignoreFile(
	root: string,
	dockerfile?: string,
): Promise<Pick<DockerfileLocation, "ignore" | "unreadIgnoreFile">> {
	const candidates = [
		...(dockerfile === undefined ? [] : [`${dockerfile}.dockerignore`]),
		join(root, ".dockerignore"),
	];
	for (const path of candidates) {
		const file = pathWithin(root, path) ?? path;
		try {
			// A pipe or a device would be waited for without end.
			if (!(await stat(path)).isFile()) {
				throw new ContextError(`${file} is not a regular file`, {
					hint: "replace it with a file of patterns",
				});
			}
			const content = await readFile(path);
			refuseUtf16(content, file);
			return { ignore: { content, file } };
		} catch (error) {
			const { code } = error as NodeJS.ErrnoException;
			if (code === "ENOENT") continue;
			if (error instanceof ContextError) throw error;
			throw new ContextError(`cannot read ${file}: ${systemReason(error)}`, {
				hint: HINTS[code ?? ""],
				cause: error,
			});
		}
	}
	return (await exists(join(root, CONTAINERIGNORE))) ? { unreadIgnoreFile: CONTAINERIGNORE } : {};
}

async function exists(path: string): Promise<boolean> {
	return realpath(path).then(
		() => true,
		() => false,
	);
}
