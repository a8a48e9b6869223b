/**
 * Waits for all of them, also when one fails: then the others are stopped, and its failure thrown.
 * @param failed stops them
 */
export async function together<Results extends readonly unknown[]>(
	failed: AbortController,
	work: { readonly [Index in keyof Results]: Promise<Results[Index]> },
): Promise<Results> {
	let first: { readonly error: unknown } | undefined;
	const results = await Promise.all(
		work.map((one) =>
			one.catch((error: unknown) => {
				first ??= { error };
				failed.abort(error);
			}),
		),
	);
	if (first !== undefined) throw first.error;
	return results as unknown as Results;
}
