import { closest, distance } from "fastest-levenshtein";

/** What somebody who typed this may have meant, if anything known is close to it. */
export function suggestion(typed: string, known: readonly string[]): string | undefined {
	if (known.length === 0) return undefined;
	const best = closest(typed, known);
	return distance(typed, best) <= (typed.length < 4 ? 1 : 2) ? best : undefined;
}
