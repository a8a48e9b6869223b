import { basename } from "node:path/posix";
import type { ContextEntry } from "../../context/tree/manifest.js";
import type { AdviceRequest } from "./advice-request.js";
import type { DockerfileWords } from "./dockerfile-words.js";
import type { Proposal } from "./proposal.js";
import { TOOL_FOLDERS, type ToolFolder } from "./tool-folders.js";

interface MadeFolders {
	readonly proposals: readonly Proposal[];
	/** Every folder that a tool fills, with those that the image may need. */
	readonly folders: ReadonlySet<string>;
}

type Names = ReadonlyMap<string, readonly string[]>;

/** Finds the folders that tools fill, by their names and by what is beside and in them. */
export function findMadeFolders(
	{ entries, isNeeded }: Pick<AdviceRequest, "entries" | "isNeeded">,
	words: DockerfileWords,
): MadeFolders {
	const names = namesByDirectory(entries);
	const found = new Map<string, ToolFolder>();
	const needed = new Set<string>();
	let inside: string | undefined;
	for (const { path, type } of entries) {
		if (inside !== undefined && path.startsWith(`${inside}/`)) {
			if (isNeeded?.(path) !== false) needed.add(inside);
			continue;
		}
		inside = undefined;
		if (type !== "directory") continue;
		const folder = toolFolderAt(path, names);
		if (folder === undefined) continue;
		inside = path;
		found.set(path, folder);
	}
	const isSpare = (path: string, { remadeBy }: ToolFolder) =>
		!words.names(path) && (remadeBy === undefined || !needed.has(path) || words.does(remadeBy));
	const spare = [...found].filter(([path, folder]) => isSpare(path, folder));
	return { proposals: proposalsFor(spare), folders: new Set(found.keys()) };
}

/** One for all folders of a tool that have the same name. */
function proposalsFor(spare: readonly (readonly [string, ToolFolder])[]): Proposal[] {
	const groups = new Map<string, { readonly folder: ToolFolder; readonly claims: string[] }>();
	for (const [path, folder] of spare) {
		const key = `${basename(path)}\n${folder.what}`;
		const group = groups.get(key) ?? { folder, claims: [] };
		group.claims.push(path);
		groups.set(key, group);
	}
	return [...groups].map(([key, { folder, claims }]) => {
		const name = key.slice(0, key.indexOf("\n"));
		const line = claims.length === 1 ? undefined : `**/${name}`;
		return { kind: folder.kind, text: `${name}: ${folder.what}`, parts: [{ claims, line }] };
	});
}

function toolFolderAt(path: string, names: Names): ToolFolder | undefined {
	const slash = path.lastIndexOf("/");
	const own = path.slice(slash + 1);
	const siblings = names.get(path.slice(0, Math.max(0, slash))) ?? [];
	const has = (names: readonly string[], marker: RegExp) => names.some((name) => marker.test(name));
	return TOOL_FOLDERS.find(
		({ name, beside, inside }) =>
			(name === undefined || name.test(own)) &&
			(beside === undefined || has(siblings, beside)) &&
			(inside === undefined || has(names.get(path) ?? [], inside)),
	);
}

/** The context itself is "". */
function namesByDirectory(entries: readonly ContextEntry[]): Names {
	const names = new Map<string, string[]>();
	for (const { path } of entries) {
		const slash = path.lastIndexOf("/");
		const directory = path.slice(0, Math.max(0, slash));
		const siblings = names.get(directory);
		if (siblings === undefined) names.set(directory, [path.slice(slash + 1)]);
		else siblings.push(path.slice(slash + 1));
	}
	return names;
}
