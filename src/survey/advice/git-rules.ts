import { existsSync } from "node:fs";
import { join } from "node:path";
import ignore, { type Ignore } from "ignore";
import type { EntryType } from "../../context/tree/manifest.js";
import { pathOnDisk } from "../../context/tree/path-bytes.js";
import { type GitRepository, readText } from "./git-repository.js";

/** A rule of a .gitignore or of .git/info/exclude. */
export interface GitRule {
	/** Where its file is, from the top of the working tree, with "/" behind it; empty for the top. */
	readonly base: string;
	/** As it is written. */
	readonly pattern: string;
}

/** The rule that ignores a path; "apart" for a directory of which nothing is said here. */
type GitVerdict = GitRule | "sent" | "apart";

/** Characters of a file of rules. Each rule is tried on each path that is not tracked. */
const MOST = 64 * 1024;

interface RuleFile {
	readonly base: string;
	readonly rules: Ignore;
}

/**
 * What git ignores in a context, by gitignore(5) but for the user's own core.excludesFile. What is tracked is
 * not ignored, whatever the rules say.
 */
export class GitRules {
	readonly #repository: GitRepository;
	readonly #root: string;
	/** Those that are about the path that was asked for last; the nearest is the last. */
	readonly #files: RuleFile[] = [];
	#isTooMuch = false;

	/** @param root the context */
	constructor(repository: GitRepository, root: string) {
		this.#repository = repository;
		this.#root = root;
		this.#add("", repository.exclude);
		this.#add("", readText(join(repository.top, ".gitignore")));
	}

	/** To be asked first: the rules from the top down to the context are read meanwhile. */
	ignoresContext(): boolean {
		const names = this.#repository.prefix.split("/").slice(0, -1);
		return names.some((_, at) => {
			const directory = names.slice(0, at + 1).join("/");
			return this.#match(directory, "directory") !== "sent" || this.#enter(directory) !== "sent";
		});
	}

	/** Of paths in the order of the walk, below no directory that is not sent. */
	verdict(path: string, type: EntryType): GitVerdict {
		if (this.#isTooMuch) return "apart";
		const { tracked, prefix } = this.#repository;
		const full = `${prefix}${path}`;
		if (type !== "directory") return tracked.files.has(full) ? "sent" : this.#match(full, type);
		if (tracked.folded.has(full)) return "apart";
		if (tracked.directories.has(full)) {
			this.#enter(full);
			return "sent";
		}
		// A repository of its own.
		if (existsSync(pathOnDisk(this.#root, `${path}/.git`))) return "apart";
		const verdict = this.#match(full, type);
		return verdict === "sent" ? this.#enter(full) : verdict;
	}

	/** Reads the directory's own rules. Tools hide a folder with "*" in there. */
	#enter(full: string): GitVerdict {
		const text = readText(pathOnDisk(this.#repository.top, `${full}/.gitignore`));
		if (text === "") return "sent";
		this.#leave(full);
		this.#add(`${full}/`, text);
		const lines = text.split("\n").filter((line) => line.trim() !== "" && !line.startsWith("#"));
		const name = full.slice(full.lastIndexOf("/") + 1);
		return lines.length === 1 && lines[0]?.trim() === "*"
			? { base: full.slice(0, full.length - name.length), pattern: `/${name}` }
			: "sent";
	}

	#match(full: string, type: EntryType): GitVerdict {
		this.#leave(full);
		const isDirectory = type === "directory";
		const path = isDirectory ? `${full}/` : full;
		const found = this.#files
			.map(({ base, rules }) => ({ base, ...rules.test(path.slice(base.length)) }))
			.filter(({ ignored, unignored }) => ignored || unignored);
		const last = found.at(-1);
		if (last?.rule !== undefined) return { base: last.base, pattern: last.rule.pattern };
		// The outer rules, asked for what is below, would not know of the inner ones.
		return isDirectory && found.some(({ ignored }) => ignored) ? "apart" : "sent";
	}

	/** Forgets the rules that are not about this path. */
	#leave(full: string): void {
		while (!full.startsWith(this.#files.at(-1)?.base ?? "")) this.#files.pop();
	}

	#add(base: string, text: string): void {
		this.#isTooMuch ||= text.length > MOST;
		if (this.#isTooMuch) return;
		const rules = ignore({ ignoreCase: this.#repository.ignoreCase }).add(text);
		this.#files.push({ base, rules });
	}
}
