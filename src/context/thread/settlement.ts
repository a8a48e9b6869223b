/** A promise that is settled from outside, at most once, and may fail without anybody waiting for it. */
export class Settlement<T> {
	readonly promise: Promise<T>;
	resolve!: (value: T) => void;
	reject!: (reason: Error) => void;

	constructor() {
		this.promise = new Promise((resolve, reject) => {
			this.resolve = resolve;
			this.reject = reject;
		});
		this.promise.catch(() => {});
	}
}
