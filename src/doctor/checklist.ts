import type { Check, CheckId, Finding, Tell } from "./check.js";
import { TITLES } from "./check.js";

/** Of a check that no event told of, though a later one passed: the ssh program did it. */
const UNSEEN: Finding = { state: "skipped", detail: "left to the ssh program" };

/** Checks in their order: each is told when it is known that it will not change any more. */
export class Checklist {
	/** Those that were told. */
	readonly checks: Check[] = [];
	readonly #tell: Tell;
	#ahead: CheckId[] = [];
	readonly #held = new Map<CheckId, Finding>();

	constructor(tell: Tell) {
		this.#tell = tell;
	}

	/** What is to come. */
	plan(ids: readonly CheckId[]): void {
		this.#ahead = [...ids];
	}

	has(id: CheckId): boolean {
		return this.#ahead.includes(id);
	}

	/** The first of which nothing is known. */
	get next(): CheckId | undefined {
		return this.#ahead.find((id) => !this.#held.has(id));
	}

	/** Keeps a finding that may still change, to be told with the next one. */
	hold(id: CheckId, finding: Finding): void {
		this.#held.set(id, finding);
	}

	/** Tells a finding, after those of all checks before it. */
	found(id: CheckId, finding: Finding): void {
		for (const one of this.#ahead.splice(0, this.#ahead.indexOf(id) + 1)) {
			if (one !== id) this.#say(one, this.#held.get(one) ?? UNSEEN);
		}
		this.#say(id, finding);
	}

	skipRest(needed: CheckId): void {
		for (const id of this.#ahead.splice(0)) {
			this.#say(id, { state: "skipped", detail: `needs ${TITLES[needed]}` });
		}
	}

	#say(id: CheckId, finding: Finding): void {
		const check = { id, ...finding };
		this.checks.push(check);
		this.#tell(check);
	}
}
