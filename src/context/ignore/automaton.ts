import type { ExpressionStep } from "./expression.js";

/** Which steps may come next, and what the path had before; made when a path first leads there. */
interface State {
	/** Ascending. Empty: no path fits from here. */
	readonly steps: readonly number[];
	/** Whether the last character is one of a word; undefined at the beginning. */
	readonly before: boolean | undefined;
	/** By character; those beyond ASCII in the map. */
	readonly next: (State | undefined)[];
	readonly nextWide: Map<number, State>;
	accepts: boolean | undefined;
}

/** A bound on what is remembered, in array elements: it limits memory, not patterns. */
const MEMORY = 100_000;

const ASCII = 0x80;
const INVALID = 0xfffd;

/**
 * Runs an expression over paths in one pass, whatever the expression: all ways to match advance side by
 * side (Thompson), and a set of ways once reached is remembered, so that most characters cost one
 * look-up. JavaScript's RegExp would try the ways one after the other, without end for "*a*a*a*a*b".
 */
export class Automaton {
	/** The alternatives one after the other; undefined is the end of one. */
	readonly #steps: readonly (ExpressionStep | undefined)[];
	readonly #entries: readonly number[];
	readonly #states = new Map<string, State>();
	#memory = 0;
	#start: State;

	constructor(alternatives: readonly (readonly ExpressionStep[])[]) {
		const steps: (ExpressionStep | undefined)[] = [];
		this.#entries = alternatives.map((alternative) => {
			const entry = steps.length;
			for (const step of alternative) steps.push(step);
			steps.push(undefined);
			return entry;
		});
		this.#steps = steps;
		this.#start = this.#state(this.#entries, undefined);
	}

	accepts(path: string): boolean {
		let state = this.#start;
		for (let at = 0; at < path.length; at++) {
			let code = path.charCodeAt(at);
			if (code >= ASCII) {
				code = path.codePointAt(at) as number;
				if (code > 0xffff) at++;
				// Go reads an invalid byte as U+FFFD; here it is a lone surrogate (path-bytes.ts).
				else if (code >= 0xd800 && code <= 0xdfff) code = INVALID;
			}
			const next = code < ASCII ? state.next[code] : state.nextWide.get(code);
			state = next ?? this.#advance(state, code);
			if (state.steps.length === 0) return false;
		}
		state.accepts ??= this.#reachable(state, undefined).some((at) => this.#steps[at] === undefined);
		return state.accepts;
	}

	#advance(from: State, code: number): State {
		if (this.#memory > MEMORY) this.#forget();
		const isWord = isWordCharacter(code);
		const steps = new Set<number>();
		for (const index of this.#reachable(from, isWord)) {
			const step = this.#steps[index];
			switch (step?.kind) {
				case "one":
					if (step.accepts(code)) steps.add(index + 1);
					break;
				case "many":
					if (step.accepts(code)) steps.add(index);
					break;
			}
		}
		const next = this.#state(
			[...steps].sort((a, b) => a - b),
			isWord,
		);
		if (code < ASCII) from.next[code] = next;
		else {
			from.nextWide.set(code, next);
			this.#memory++;
		}
		return next;
	}

	/** The steps of a state, and those that follow without a character. */
	#reachable(state: State, after: boolean | undefined): number[] {
		const reached = new Set(state.steps);
		for (const index of reached) {
			const step = this.#steps[index];
			switch (step?.kind) {
				case "many":
					reached.add(index + 1);
					break;
				case "fork":
					for (const distance of step.to) reached.add(index + distance);
					break;
				case "place":
					if (step.holds(state.before, after)) reached.add(index + 1);
					break;
			}
		}
		return [...reached];
	}

	#state(steps: readonly number[], before: boolean | undefined): State {
		const key = `${before} ${steps.join(" ")}`;
		const known = this.#states.get(key);
		if (known !== undefined) return known;
		const state = { steps, before, next: [], nextWide: new Map(), accepts: undefined };
		this.#states.set(key, state);
		this.#memory += ASCII + steps.length;
		return state;
	}

	/** Old states lead to each other; without the start nothing leads to them. */
	#forget(): void {
		this.#states.clear();
		this.#memory = 0;
		this.#start = this.#state(this.#entries, undefined);
	}
}

function isWordCharacter(code: number): boolean {
	return code < ASCII && /\w/.test(String.fromCharCode(code));
}
