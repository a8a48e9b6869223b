import { createHash } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { dirname, join, relative, resolve, sep } from "node:path";

/** Where a folder belongs, whichever clone it is in. */
interface GitPlace {
	/** Host and path of the remote repository, without login, port and ".git". */
	readonly remote: string;
	/** Within the work tree, "/"-separated; "" is its root. */
	readonly folder: string;
}

/**
 * Finds out of which remote repository a folder is a clone, by git's own files (gitrepository-layout(5),
 * git-config(5)): "origin", else the remote of the branch that is checked out, else the only one.
 *
 * @param directory absolute and without symlinks
 * @returns undefined where there is no repository, no remote, or no sense in its files
 */
export async function gitPlace(directory: string): Promise<GitPlace | undefined> {
	for (let workTree = directory; ; workTree = dirname(workTree)) {
		const gitDirectory = await gitDirectoryOf(workTree);
		if (gitDirectory !== undefined) {
			const url = await remoteUrl(gitDirectory);
			if (url === undefined) return undefined;
			const folder = relative(workTree, directory).replaceAll(sep, "/");
			return { remote: normalizeRemote(url, workTree), folder };
		}
		if (dirname(workTree) === workTree) return undefined;
	}
}

/** ".git" is a folder, or in a linked work tree and in a submodule a file that says where it is. */
async function gitDirectoryOf(workTree: string): Promise<string | undefined> {
	const path = join(workTree, ".git");
	const stats = await stat(path).catch(() => undefined);
	if (stats?.isDirectory()) return path;
	if (!stats?.isFile()) return undefined;
	const target = /^gitdir: (.+)$/m.exec(await readText(path))?.[1]?.trim();
	return target === undefined ? undefined : resolve(workTree, target);
}

async function remoteUrl(gitDirectory: string): Promise<string | undefined> {
	// A linked work tree has a HEAD of its own, and shares the rest.
	const common = (await readText(join(gitDirectory, "commondir"))).trim();
	const config = readConfig(await readText(join(gitDirectory, common, "config")));
	const branch = /^ref: refs\/heads\/(.+)$/m.exec(await readText(join(gitDirectory, "HEAD")))?.[1];
	const remotes = [...config.keys()].filter((name) => /^remote\..*\.url$/.test(name));
	const tracked = config.get(`branch.${branch?.trim()}.remote`);
	return (
		config.get("remote.origin.url") ??
		config.get(`remote.${tracked}.url`) ??
		(remotes.length === 1 ? config.get(remotes[0] as string) : undefined)
	);
}

/** The values of `section.subsection.name`, of each the first. */
function readConfig(text: string): ReadonlyMap<string, string> {
	const values = new Map<string, string>();
	let section = "";
	for (const line of text.split("\n")) {
		const header = /^\s*\[\s*([\w.-]+)(?:\s+"((?:[^"\\]|\\.)*)")?\s*\]/.exec(line);
		if (header !== null) {
			const subsection = header[2]?.replace(/\\(.)/g, "$1");
			section = [header[1]?.toLowerCase(), subsection].filter((part) => part).join(".");
		}
		const [, name, value] = /^\s*([a-z][\w-]*)\s*=\s*(.*)$/i.exec(line) ?? [];
		if (name === undefined || value === undefined) continue;
		const key = `${section}.${name.toLowerCase()}`;
		if (!values.has(key)) values.set(key, withoutComment(value));
	}
	return values;
}

function withoutComment(value: string): string {
	const quoted = /^"((?:[^"\\]|\\.)*)"/.exec(value.trim())?.[1];
	return quoted?.replace(/\\(.)/g, "$1") ?? value.replace(/\s[#;].*$/, "").trim();
}

/**
 * The same text for all the ways to the same repository: `git@host:me/app`, `https://token@host/me/app.git`
 * and `ssh://git@host:22/me/app/` are "host/me/app". A local one is its absolute path.
 */
export function normalizeRemote(url: string, workTree: string): string {
	const remote = url.replace(/^file:\/\//i, "");
	const [, host, path] =
		/^[a-z][a-z0-9+.-]*:\/\/(?:[^/]*@)?([^/@:]+|\[[^\]]*\])(?::\d*)?\/(.*)$/i.exec(remote) ??
		// As git has it: no slash before the first colon. One letter is a drive of Windows.
		/^(?:[^/@]*@)?([^/:@]{2,}|\[[^\]]*\]):(?!:|\/\/)(.*)$/.exec(remote) ??
		[];
	if (host !== undefined && path !== undefined) {
		return `${host.toLowerCase()}/${withoutSuffix(path.replace(/^[/~]+/, ""))}`;
	}
	// A helper's ("codecommit::…"), or of no form that git knows: there may be a login anywhere in it.
	if (remote.includes("@") || remote.includes("::")) {
		return `sha256:${createHash("sha256").update(remote).digest("hex")}`;
	}
	return withoutSuffix(resolve(workTree, remote).replaceAll("\\", "/"));
}

function withoutSuffix(path: string): string {
	return path
		.replace(/[?#].*$/, "")
		.replace(/\/+$/, "")
		.replace(/\.git$/, "")
		.replace(/\/+$/, "");
}

/** "" for what is not there or cannot be read. */
async function readText(path: string): Promise<string> {
	return readFile(path, "utf8").catch(() => "");
}
