/** Of rounds of the same; the later of the two in the middle, 0 of none. */
export function median<Round>(rounds: readonly Round[], of: (round: Round) => number): number {
	return rounds.map(of).sort((a, b) => a - b)[rounds.length >> 1] ?? 0;
}
