/** Something that is asked for early: it may fail before it is its turn, or after nobody wants it. */
export function early<Result>(result: Promise<Result>): Promise<Result> {
	result.catch(() => {});
	return result;
}
