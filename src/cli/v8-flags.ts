import { setFlagsFromString } from "node:v8";

/** The last V8 that was seen to have the flag (node 26): one without it would say so on standard error. */
const NEWEST_V8 = 14;
/** V8's own is 1,800,000 or more, "rough approximation of bytes executed". */
const TIERING_BUDGET = 1_000_000_000;

/**
 * Keeps V8 from optimizing WebAssembly that runs for a moment. undici's parser of HTTP is one function that
 * is worth that after a few answers, as V8 sees it: 95 ms of a processor and 30 MB of memory, and then
 * there is little left to read. What computes for long is optimized all the same.
 *
 * To be called before anything is compiled: V8 takes code from a cache only if its flags were the same.
 */
export function spareWebAssembly(): void {
	const [major] = process.versions.v8.split(".");
	if (Number(major) <= NEWEST_V8) setFlagsFromString(`--wasm-tiering-budget=${TIERING_BUDGET}`);
}
