import { setFlagsFromString } from "node:v8";

interface V8Flag {
	readonly flag: string;
	/** The last V8 that was seen to have it: one without it would say so on standard error. */
	readonly newest: number;
}

/** Major versions of V8 in node 26 and node 20; the one after node 20's decides in another way what to optimize. */
const V8_OF_NODE_26 = 14;
const V8_OF_NODE_20 = 11;

/** What V8 would do for a program that runs for hours. */
const FLAGS: readonly V8Flag[] = [
	/**
	 * undici's parser of HTTP is one function of WebAssembly that V8 takes for worth optimizing after a few
	 * answers: 95 ms of a processor and 30 MB of memory, and then there is little left to read. V8's own
	 * budget is 1,800,000 or more, "rough approximation of bytes executed"; what computes for long gets
	 * there still.
	 */
	{ flag: "--wasm-tiering-budget=1000000000", newest: V8_OF_NODE_26 },
	/**
	 * Four threads optimize for a fifth of all the processor time that 2,000 new files take. With a quarter
	 * of the code put into what calls it, and after 4 times as many runs, that is half; nothing gets slower.
	 */
	{ flag: "--max-inlined-bytecode-size-cumulative=200", newest: V8_OF_NODE_26 },
	{ flag: "--interrupt-budget=300000", newest: V8_OF_NODE_20 },
	/**
	 * Buffers count as growth of a heap that is small beside them: every 10 MB that pass through had all of
	 * it marked again, for a quarter of the processor time that 1 GiB takes. The last one of a flag counts; a
	 * newer V8 takes more memory for the same.
	 */
	{ flag: "--heap-growing-percent=150", newest: V8_OF_NODE_26 },
	{ flag: "--heap-growing-percent=300", newest: V8_OF_NODE_20 },
	/** Little is alive in a young generation that is collected often: three threads more are only woken up. */
	{ flag: "--no-parallel-scavenge", newest: V8_OF_NODE_26 },
];

/**
 * Makes V8 spare processor and memory, as a command does that runs for seconds beside the builds of others.
 * To be called before anything is compiled: V8 takes code from a cache only if its flags were the same.
 */
export function setV8Flags(): void {
	const [version] = process.versions.v8.split(".");
	for (const { flag, newest } of FLAGS) {
		if (Number(version) <= newest) setFlagsFromString(flag);
	}
}
