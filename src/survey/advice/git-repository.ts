import { readFileSync, statSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import { readGitIndex, type TrackedPaths } from "./git-index.js";

/** The repository that a directory is in, as far as it says what is tracked and ignored. */
export interface GitRepository {
	/** The top of the working tree, absolute. */
	readonly top: string;
	/** The directory's path from there with "/" behind it, "/"-separated; empty for the top itself. */
	readonly prefix: string;
	readonly tracked: TrackedPaths;
	/** The lines of .git/info/exclude. */
	readonly exclude: string;
	readonly ignoreCase: boolean;
}

/** Undefined where there is none, or one that cannot be read without git. */
export function findGitRepository(directory: string): GitRepository | undefined {
	for (let top = directory; ; top = dirname(top)) {
		const dotGit = join(top, ".git");
		const stats = statSync(dotGit, { throwIfNoEntry: false });
		if (stats !== undefined) {
			const gitDirectory = stats.isDirectory() ? dotGit : linkedDirectory(dotGit);
			return gitDirectory === undefined ? undefined : openRepository(top, gitDirectory, directory);
		}
		if (dirname(top) === top) return undefined;
	}
}

/** "gitdir: PATH", in a worktree or a submodule (gitrepository-layout). */
function linkedDirectory(dotGit: string): string | undefined {
	const path = /^gitdir: (.*)$/m.exec(readText(dotGit))?.[1];
	return path === undefined ? undefined : resolve(dirname(dotGit), path);
}

function openRepository(
	top: string,
	gitDirectory: string,
	directory: string,
): GitRepository | undefined {
	const commonDirectory = resolve(
		gitDirectory,
		readText(join(gitDirectory, "commondir")).trim() || ".",
	);
	const config = readText(join(commonDirectory, "config"));
	const index = readBytes(join(gitDirectory, "index"));
	const hashBytes = /^\s*objectformat\s*=\s*sha256\s*$/im.test(config) ? 32 : 20;
	const tracked = index === undefined ? NOTHING : readGitIndex(index, hashBytes);
	if (tracked === undefined) return undefined;
	const below = relative(top, directory).split(sep).join("/");
	return {
		top,
		prefix: below === "" ? "" : `${below}/`,
		tracked,
		exclude: readText(join(commonDirectory, "info", "exclude")),
		ignoreCase: /^\s*ignorecase\s*=\s*true\s*$/im.test(config),
	};
}

const NOTHING: TrackedPaths = { files: new Set(), directories: new Set(), folded: new Set() };

/** What cannot be read is as good as empty. */
export function readText(path: string | Buffer): string {
	return readBytes(path)?.toString("utf8") ?? "";
}

function readBytes(path: string | Buffer): Buffer | undefined {
	try {
		// Most directories have no .gitignore, and a pipe would be waited for without end.
		if (!statSync(path, { throwIfNoEntry: false })?.isFile()) return undefined;
		return readFileSync(path);
	} catch {
		return undefined;
	}
}
