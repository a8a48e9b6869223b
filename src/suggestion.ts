import { distance } from "fastest-levenshtein";

/** What somebody who typed this may have meant, if anything known is close to it. */
export function suggestion(typed: string, known: readonly string[]): string | undefined {
	const [best] = known
		.map((meant) => ({ meant, edits: edits(typed, meant) }))
		.sort((a, b) => a.edits - b.edits);
	if (best === undefined) return undefined;
	return best.edits <= (typed.length < 4 ? 1 : 2) ? best.meant : undefined;
}

/** Letters that were inserted, left out or exchanged; two neighbours that changed places, once, are one edit. */
function edits(typed: string, meant: string): number {
	let least = distance(typed, meant);
	for (let at = 1; at < typed.length; at++) {
		const [left, right] = [typed.charAt(at - 1), typed.charAt(at)];
		const swapped = typed.slice(0, at - 1) + right + left + typed.slice(at + 1);
		least = Math.min(least, 1 + distance(swapped, meant));
	}
	return least;
}
