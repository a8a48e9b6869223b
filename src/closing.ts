/**
 * Things to be closed at the end of a run, the last opened first. What AsyncDisposableStack does, on
 * versions of node that do not have it (before 24).
 */
export class Closing implements AsyncDisposable {
	readonly #opened: AsyncDisposable[] = [];

	use<Resource extends AsyncDisposable>(resource: Resource): Resource {
		this.#opened.push(resource);
		return resource;
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await closeAll(this.#opened.toReversed());
	}
}

/**
 * Closes one after the other, all of them, also when closing one of them fails.
 *
 * @throws the first failure, when all are closed
 */
export async function closeAll(resources: Iterable<AsyncDisposable | undefined>): Promise<void> {
	let first: { readonly error: unknown } | undefined;
	for (const resource of resources) {
		try {
			await resource?.[Symbol.asyncDispose]();
		} catch (error) {
			first ??= { error };
		}
	}
	if (first !== undefined) throw first.error;
}
