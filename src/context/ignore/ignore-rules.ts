import * as os from "node:os";
import { ContextError } from "../../errors.js";
import { printablePath } from "../tree/path-bytes.js";
import { type IgnoreLine, readIgnoreFile, readPatterns } from "./ignore-file.js";
import { type PathPattern, pathPattern } from "./path-pattern.js";
import { isWellFormed } from "./pattern-syntax.js";
import { entersForStem, mayMatchBelow, type Reentry, reentryOf, reentryOfPath } from "./reentry.js";

/** A rule of a .dockerignore, or a path that is kept whatever the file says. */
export interface IgnoreRule {
	/** In the file, counted from 1; undefined for a path that is kept. */
	readonly line: number | undefined;
	/** As it was written, without the blanks around it. */
	readonly text: string;
	/** Whether it starts with "!": it sends what rules before it left out. */
	readonly negated: boolean;
}

/** What the rules say about one path. */
export interface MatchState {
	readonly ignored: boolean;
	/** The rule that decided, if any did: the last one that fits. */
	readonly rule: IgnoreRule | undefined;
	/** The rules found to fit the path or one of its parents, in order. They fit everything below. */
	readonly fits: readonly IgnoreRule[];
}

interface Rule extends IgnoreRule {
	readonly position: number;
	readonly pattern: PathPattern;
	readonly reentry: Reentry;
}

interface State extends MatchState {
	readonly fits: readonly Rule[];
}

/**
 * The rules of a .dockerignore as BuildKit's client applies them to a context: patternmatcher's
 * MatchesUsingParentResults, called by fsutil's filter.go. The archiver that docker uses for the
 * classic builder comes to the same verdicts, but does not enter an ignored directory for the sake of
 * a negation with wildcards; this does, as BuildKit.
 */
export class IgnoreRules {
	readonly #rules: readonly Rule[];
	readonly #byPath = new Map<string, Rule[]>();
	readonly #byName = new Map<string, Rule[]>();
	/** The rules that have to be tried. */
	readonly #tests: Rule[] = [];
	readonly #negations: readonly Rule[];
	readonly #entersAll: boolean;

	private constructor(rules: readonly Rule[]) {
		this.#rules = rules;
		this.#negations = rules.filter((rule) => rule.negated);
		this.#entersAll = this.#negations.some((rule) => rule.reentry.wild);
		for (const rule of rules) {
			if (rule.pattern.by === "path") append(this.#byPath, rule.pattern.path, rule);
			else if (rule.pattern.by === "name") append(this.#byName, rule.pattern.name, rule);
			else this.#tests.push(rule);
		}
	}

	static none(): IgnoreRules {
		return new IgnoreRules([]);
	}

	/**
	 * Reads a .dockerignore; `file` is its name for messages.
	 *
	 * @throws ContextError `FILE:LINE: ...` for bad syntax
	 */
	static parse(
		content: Uint8Array | string,
		file: string,
		platform: NodeJS.Platform = os.platform(),
	): IgnoreRules {
		const lines = readIgnoreFile(content, file, platform);
		return new IgnoreRules(
			lines.map((line, position) => ruleOf(line, position, `${file}:${line.line}`, platform)),
		);
	}

	/**
	 * The rules that BuildKit's frontend read elsewhere and asks its client to apply; `source` says for
	 * messages where they are from.
	 *
	 * @throws ContextError `SOURCE: ...` for bad syntax
	 */
	static of(
		patterns: readonly string[],
		source: string,
		platform: NodeJS.Platform = os.platform(),
	): IgnoreRules {
		const lines = readPatterns(patterns, source, platform);
		return new IgnoreRules(lines.map((line, position) => ruleOf(line, position, source, platform)));
	}

	/** In the order of the file. */
	get rules(): readonly IgnoreRule[] {
		return this.#rules;
	}

	/** These rules, but the given paths are sent: docker appends "!Dockerfile" in the same way. */
	keeping(paths: readonly string[]): IgnoreRules {
		const kept = paths.map((path, index) => ({
			line: undefined,
			text: `!${path}`,
			negated: true,
			position: this.#rules.length + index,
			pattern: { by: "path", path } as const,
			reentry: reentryOfPath(path),
		}));
		return new IgnoreRules([...this.#rules, ...kept]);
	}

	/** The state of the context itself, the parent of its top-level paths. */
	root(): MatchState {
		return UNTOUCHED;
	}

	/** Whether a path is left out, by itself or with one of its parents. */
	ignores(path: string): boolean {
		let state = this.root();
		for (let end = 0; end >= 0; ) {
			end = path.indexOf("/", end + 1);
			state = this.match(end < 0 ? path : path.slice(0, end), state);
		}
		return state.ignored;
	}

	/**
	 * The verdict for a path, given that for its parent directory. A rule that fits the parent fits the
	 * path; any other is tried only if it would change the verdict so far. So "d/a" + "!d" leaves d/a
	 * out, and "d" + "!d/a" + "d" too: in both, the rule for d is not tried on d/a again.
	 *
	 * @param path in the encoding of path-bytes.ts, with "/" between names
	 * @throws ContextError for a rule that can be seen to be broken only when it is tried
	 */
	match(path: string, parent: MatchState): MatchState {
		const inherited = (parent as State).fits;
		let seen = 0;
		let ignored = false;
		let found: Rule[] | undefined;
		for (const rule of this.#candidates(path)) {
			for (let next = inherited[seen]; next && next.position <= rule.position; ) {
				ignored = !next.negated;
				next = inherited[++seen];
			}
			// Holds for an inherited rule, too.
			if (rule.negated !== ignored) continue;
			if (rule.pattern.by === "test" && !rule.pattern.fits(path)) continue;
			ignored = !rule.negated;
			found ??= [];
			found.push(rule);
		}
		if (found === undefined) return parent;
		return stateOf([...inherited, ...found].sort(byPosition));
	}

	/**
	 * The rules that fit the path itself, in no certain order, whatever they and others make of it. Not
	 * those that fit only one of its parents.
	 *
	 * @throws ContextError as match()
	 */
	fitting(path: string): readonly IgnoreRule[] {
		return this.#candidates(path).filter(
			({ pattern }) => pattern.by !== "test" || pattern.fits(path),
		);
	}

	/**
	 * For an ignored directory: whether it has to be entered, because something below may be sent. The
	 * answer is no wherever BuildKit says no, and also where no negation can apply: only those count
	 * that come after the rule by which the directory is ignored.
	 */
	mayReincludeBelow(path: string, state: MatchState): boolean {
		const last = (state as State).fits.at(-1)?.position ?? -1;
		const enters = this.#entersAll ? mayMatchBelow : entersForStem;
		return this.#negations.some((rule) => rule.position > last && enters(rule.reentry, path));
	}

	/**
	 * Where the rules say what is wanted (BuildKit's include patterns), for a directory that none of them
	 * fits: whether it has to be entered, because one may fit something below. As fsutil's filter.go.
	 */
	mayFitBelow(directory: string): boolean {
		const wanted = this.#rules.filter((rule) => !rule.negated);
		const enters = wanted.some((rule) => rule.reentry.wild) ? mayMatchBelow : entersForStem;
		return wanted.some((rule) => enters(rule.reentry, directory));
	}

	/** False only where no rule fits the path, one of its parents or anything below it. */
	mayConcern(path: string): boolean {
		return this.#rules.some((rule) => !rule.negated && mayMatchBelow(rule.reentry, path));
	}

	#candidates(path: string): readonly Rule[] {
		const byPath = this.#byPath.get(path);
		const byName = this.#byName.get(path.slice(path.lastIndexOf("/") + 1));
		if (byPath === undefined && byName === undefined) return this.#tests;
		return [...(byPath ?? []), ...(byName ?? []), ...this.#tests].sort(byPosition);
	}
}

const UNTOUCHED: State = { ignored: false, rule: undefined, fits: [] };

function stateOf(fits: readonly Rule[]): State {
	const rule = fits.at(-1);
	return { ignored: rule?.negated === false, rule, fits };
}

/**
 * For a pattern that Go's matchers do not take.
 * @param where it stands
 */
export function patternError(
	where: string,
	pattern: string,
	cause?: unknown,
	platform?: NodeJS.Platform,
): ContextError {
	return new ContextError(`${where}: syntax error in the pattern ${printablePath(pattern)}`, {
		hint:
			platform === "win32"
				? "nothing takes the special meaning of a [ away on Windows: write ? in its place"
				: "a \\ before a character takes its special meaning away, as in \\[",
		cause,
	});
}

/** @param where it stands, for messages */
function ruleOf(
	line: IgnoreLine,
	position: number,
	where: string,
	platform: NodeJS.Platform,
): Rule {
	const refusal = (cause?: unknown) => patternError(where, line.text, cause, platform);
	if (!isWellFormed(line.pattern)) throw refusal();
	return {
		line: line.line,
		text: line.text,
		negated: line.negated,
		position,
		pattern: pathPattern(line.pattern, refusal),
		reentry: reentryOf(line.pattern),
	};
}

function append(index: Map<string, Rule[]>, key: string, rule: Rule): void {
	const rules = index.get(key);
	if (rules === undefined) index.set(key, [rule]);
	else rules.push(rule);
}

function byPosition(a: Rule, b: Rule): number {
	return a.position - b.position;
}
