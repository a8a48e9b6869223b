import { measureDirectories, readContent } from "../context/entries/ignored-sizes.js";
import type { WalkObserver } from "../context/entries/walk.js";
import type { IgnoreRule, MatchState } from "../context/ignore/ignore-rules.js";
import type { ContextEntry } from "../context/tree/manifest.js";
import type { Found, SourceTree } from "../context/tree/source-tree.js";
import type { IgnoredPath } from "./context-document.js";

/** How a rule fared in a walk. */
export interface RuleRecord {
	/** Whether it decided over any path that it fits itself. */
	decided: boolean;
	/** A later rule that decided otherwise where this one fits, if there was one. */
	overruledBy: IgnoreRule | undefined;
	files: number;
	bytes: number;
}

/** Notes down what a walk meets but does not send, and which rules are behind what it does. */
export class WalkRecord implements WalkObserver {
	readonly ignored: IgnoredPath[] = [];
	/** In the order of the rules. */
	readonly rules: readonly RuleRecord[];
	/** The negation by which an entry is sent, as an index, if it took one. */
	readonly sentBy = new Map<ContextEntry, number>();
	readonly #indexes: ReadonlyMap<IgnoreRule, number>;
	readonly #tree: SourceTree;
	readonly #onPath: () => void;

	/** @param onPath called for every path that is met */
	constructor(tree: SourceTree, rules: readonly IgnoreRule[], onPath: () => void) {
		this.#tree = tree;
		this.rules = rules.map(() => ({ decided: false, overruledBy: undefined, files: 0, bytes: 0 }));
		this.#indexes = new Map(rules.map((rule, index) => [rule, index]));
		this.#onPath = onPath;
	}

	judged(_path: string, state: MatchState, parent: MatchState): void {
		this.#onPath();
		if (state === parent) return;
		for (const rule of state.fits) {
			const record = this.#recordOf(rule);
			if (record === undefined) continue;
			if (rule === state.rule) record.decided = true;
			else if (rule.negated !== state.rule?.negated) record.overruledBy ??= state.rule;
		}
	}

	sent(entry: ContextEntry, rule: IgnoreRule | undefined): void {
		const index = this.#indexOf(rule);
		if (index === undefined) return;
		this.sentBy.set(entry, index);
		if (entry.type !== "directory") this.#count(index, 1, entry.size);
	}

	leftOut(path: string, { type, stats }: Found, rule: IgnoreRule | undefined): void {
		const index = this.#indexOf(rule) ?? 0;
		const { files, bytes } =
			type === "directory"
				? measureDirectories([path], (below) => readContent(this.#tree, below, this.#onPath))
				: { files: 1, bytes: type === "file" ? stats.size : 0 };
		this.ignored.push({ path, type, size: bytes, files, rule: index });
		this.#count(index, files, bytes);
	}

	#count(index: number, files: number, bytes: number): void {
		const record = this.rules[index];
		if (record === undefined) return;
		record.files += files;
		record.bytes += bytes;
	}

	#indexOf(rule: IgnoreRule | undefined): number | undefined {
		return rule && this.#indexes.get(rule);
	}

	#recordOf(rule: IgnoreRule): RuleRecord | undefined {
		const index = this.#indexes.get(rule);
		return index === undefined ? undefined : this.rules[index];
	}
}
