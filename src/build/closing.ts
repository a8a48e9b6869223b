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
		for (const resource of this.#opened.reverse()) await resource[Symbol.asyncDispose]();
	}
}
