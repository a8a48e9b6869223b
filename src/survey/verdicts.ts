import { lstatSync } from "node:fs";
import type { IgnoreRule } from "../context/ignore/ignore-rules.js";
import { pathOnDisk } from "../context/tree/path-bytes.js";
import type { Survey } from "./survey.js";

/** Why a path is sent, or not. Rules are indexes in the document's `rules`. */
export type Verdict =
	/** It, or some of what is in it, would be sent. */
	| {
			readonly kind: "sent";
			readonly path: string;
			readonly isDirectory: boolean;
			/** The negation that sends it. Absent where no rule leaves it out, and where `kept` or `within`. */
			readonly rule?: number;
			/** Sent whatever the rules say, as the build needs it. */
			readonly kept: boolean;
			/** A directory that is left out itself, and sent only for what is in it; the rule that does. */
			readonly within?: number;
			/** 1 and its size, or of all that is in it. */
			readonly files: number;
			readonly bytes: number;
			/** Of what is in it. */
			readonly ignored: { readonly files: number; readonly bytes: number };
			/** As SentPath's; of a directory, of all that is in it. */
			readonly neededBy?: readonly number[];
	  }
	| { readonly kind: "ignored"; readonly path: string; readonly rule: number }
	/** Never looked at, because a directory above it is not entered. */
	| {
			readonly kind: "not-entered";
			readonly path: string;
			readonly directory: string;
			readonly rule: number;
	  }
	/** Links are sent as links: what is behind one is not at this path. */
	| { readonly kind: "behind-link"; readonly path: string; readonly link: string }
	/** A socket, which no archive holds. */
	| { readonly kind: "unsendable"; readonly path: string }
	| { readonly kind: "missing"; readonly path: string }
	/** May not be looked at. */
	| { readonly kind: "unreadable"; readonly path: string; readonly reason: string };

/** @param path from the context, "/"-separated; "" is the context itself, and what is outside begins with ".." */
export function verdictOn(path: string, survey: Survey): Verdict {
	if (isWithin(path, "..")) return { kind: "missing", path };
	const { root, tree, rules } = survey.walked;
	const unreadable = survey.head.unreadable?.find((failed) => isWithin(path, failed.path));
	if (unreadable !== undefined) return { kind: "unreadable", path, reason: unreadable.reason };
	const index = (rule: IgnoreRule | undefined) =>
		rule === undefined ? -1 : rules.rules.indexOf(rule);
	let state = rules.root();
	for (const parent of parentsOf(path)) {
		state = rules.match(parent, state);
		const found = tree.look(parent);
		if (found?.type === "symlink") return { kind: "behind-link", path, link: parent };
		if (found?.type !== "directory") return { kind: "missing", path };
		if (!state.ignored || rules.mayReincludeBelow(parent, state)) continue;
		return { kind: "not-entered", path, directory: parent, rule: index(state.rule) };
	}
	if (path !== "") state = rules.match(path, state);
	if (lstatSync(pathOnDisk(root, path), { throwIfNoEntry: false }) === undefined) {
		return { kind: "missing", path };
	}
	const found = tree.look(path);
	if (found === undefined) return { kind: "unsendable", path };
	const isDirectory = found.type === "directory";
	const content = contentOf(path, survey);
	const rule = index(state.rule);
	if (state.ignored && !content.isSent) return { kind: "ignored", path, rule };
	const kept = !state.ignored && rule >= 0 && state.rule?.line === undefined;
	return {
		kind: "sent",
		path,
		isDirectory,
		kept,
		...(state.ignored ? { within: rule } : rule >= 0 && !kept ? { rule } : {}),
		files: content.files,
		bytes: content.bytes,
		ignored: content.ignored,
		...(content.neededBy && { neededBy: content.neededBy }),
	};
}

/** What the survey says of a path and all below it. */
function contentOf(path: string, { files: sent, ignored: leftOut }: Survey) {
	const content = { isSent: path === "", files: 0, bytes: 0 };
	const ignored = { files: 0, bytes: 0 };
	const takers = new Set<number>();
	let takersAreKnown = false;
	for (const file of sent) {
		if (!isWithin(file.path, path)) continue;
		content.isSent = true;
		if (file.neededBy !== undefined) takersAreKnown = true;
		for (const instruction of file.neededBy ?? []) takers.add(instruction);
		if (file.type === "directory") continue;
		content.files += 1;
		if (file.hardlink === undefined) content.bytes += file.size;
	}
	for (const { path: other, files, size } of leftOut) {
		if (!isWithin(other, path)) continue;
		ignored.files += files;
		ignored.bytes += size;
	}
	const neededBy = takersAreKnown ? [...takers].sort((a, b) => a - b) : undefined;
	return { ...content, ignored, neededBy };
}

function isWithin(path: string, directory: string): boolean {
	return directory === "" || path === directory || path.startsWith(`${directory}/`);
}

function* parentsOf(path: string): Generator<string, void> {
	for (let end = path.indexOf("/"); end >= 0; end = path.indexOf("/", end + 1)) {
		yield path.slice(0, end);
	}
}
