/** Compression of all that a transport sends: of several that ask for it, the highest level counts. */
export interface StreamCompression extends Disposable {
	readonly isPossible: boolean;
	/** zlib's, from now on; 0, as at first, for none. */
	level: number;
	/** Of all that asked for it together: bytes that did not have to be sent, and the milliseconds in zlib. */
	readonly work: { readonly savedBytes: number; readonly durationMs: number };
	/**
	 * Of the saved bytes, those that nobody has taken yet: which of several asked for them cannot be told.
	 * @param most so many that have been sent and not been saved
	 */
	takeSaved(most: number): number;
}

/** Of a transport that cannot do it. */
export function noCompression(): StreamCompression {
	return {
		isPossible: false,
		level: 0,
		work: { savedBytes: 0, durationMs: 0 },
		takeSaved: () => 0,
		[Symbol.dispose]() {},
	};
}
