import { setFlagsFromString } from "node:v8";

/** The last V8 that was seen to have the flags (node 26): one without them would say so on standard error. */
const NEWEST_V8 = 14;

/**
 * undici's parser of HTTP is one function of WebAssembly that V8 takes for worth optimizing after a few
 * answers: 95 ms of a processor and 30 MB of memory, and then there is little left to read. V8's own budget
 * is 1,800,000 or more, "rough approximation of bytes executed"; what computes for long gets there still.
 */
const LATE_OPTIMIZATION = "--wasm-tiering-budget=1000000000";

/** Little is alive in a young generation that is collected often: three threads more are only woken up. */
const ONE_COLLECTOR = "--no-parallel-scavenge";

/**
 * Makes V8 spare processor and memory, as a command does that runs for seconds beside the builds of others.
 * To be called before anything is compiled: V8 takes code from a cache only if its flags were the same.
 */
export function setV8Flags(): void {
	const [major] = process.versions.v8.split(".");
	if (Number(major) > NEWEST_V8) return;
	for (const flag of [LATE_OPTIMIZATION, ONE_COLLECTOR]) setFlagsFromString(flag);
}
