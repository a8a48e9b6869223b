import { getHeapStatistics, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

const INTERVAL_MS = 10;
/** What has to be new since the last time, in bytes: a build that waits for its box costs nothing. */
const ENOUGH_BYTES = 2 * 1024 * 1024;

/**
 * Collects young garbage often, as long as a build runs. What passes through on its way to the box dies
 * at once, but node lets 48 MB of it pile up, and the buffers that hang on it; only a flag of node's own
 * command line (--max-semi-space-size) says otherwise. For 20,000 files this is 130 MB in place of 160, and
 * a sixth less CPU, as there are fewer new pages to touch.
 */
export function collectYoungGarbage(): Disposable {
	let collect: (() => void) | undefined;
	let lastSize = Number.POSITIVE_INFINITY;
	const timer = setInterval(() => {
		const size = heapSize();
		lastSize = Math.min(lastSize, size);
		if (size - lastSize < ENOUGH_BYTES) return;
		collect ??= minorCollection();
		collect();
		lastSize = heapSize();
	}, INTERVAL_MS).unref();
	return { [Symbol.dispose]: () => clearInterval(timer) };
}

function heapSize(): number {
	const { used_heap_size, external_memory } = getHeapStatistics();
	return used_heap_size + external_memory;
}

/** V8's `gc`, which is there for those who ask for it by a flag when a context is made. */
function minorCollection(): () => void {
	setFlagsFromString("--expose-gc");
	const gc: unknown = runInNewContext("globalThis.gc");
	setFlagsFromString("--no-expose-gc");
	if (typeof gc !== "function") return () => {};
	return () => gc({ type: "minor", execution: "sync" });
}
