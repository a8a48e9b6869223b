/** What a shell may complete a word to. */
export interface Offer {
	readonly words: readonly string[];
	/** What the shell finds beside them. */
	readonly paths: "files" | "directories" | undefined;
}

export function offer(words: readonly string[], paths?: Offer["paths"]): Offer {
	return { words, paths };
}
