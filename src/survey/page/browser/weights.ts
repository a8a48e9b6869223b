import { type NodeVerdict, VERDICTS } from "../page-data.js";
import type { ContextTree } from "./tree.js";
import type { ViewState } from "./view.js";
import { formatBytes, formatFiles } from "./wording.js";

type Weighed = Pick<ViewState, "hidden" | "measure">;

/** How much each node counts for in the picture, and as what, while so much of it is shown. */
export class Weights {
	/** By node: bytes or files, of what is not hidden. */
	readonly all: Float64Array;
	readonly #tree: ContextTree;
	readonly #state: Weighed;
	readonly #mainVerdicts: Uint8Array;

	constructor(tree: ContextTree, state: Weighed) {
		this.#tree = tree;
		this.#state = state;
		this.all = this.#sums((verdict) => !state.hidden.has(verdict));
		this.#mainVerdicts = this.#findMainVerdicts();
	}

	/** For people. */
	textOf(node: number): string {
		const weight = this.all[node] as number;
		return this.#state.measure === "bytes" ? formatBytes(weight) : formatFiles(weight);
	}

	/** Of a directory, the verdict that has most of what is shown of it. */
	mainVerdict(node: number): NodeVerdict {
		return VERDICTS[this.#mainVerdicts[node] as number] ?? "sent";
	}

	#sums(counts: (verdict: NodeVerdict) => boolean): Float64Array {
		const { sizes, files } = this.#tree.data.nodes;
		const amounts = this.#state.measure === "bytes" ? sizes : files;
		return this.#tree.sums((node) =>
			counts(this.#tree.verdict(node)) ? (amounts[node] as number) : 0,
		);
	}

	#findMainVerdicts(): Uint8Array {
		const main = Uint8Array.from(this.#tree.data.nodes.verdicts);
		const most = new Float64Array(this.#tree.count);
		for (const [index, verdict] of VERDICTS.entries()) {
			if (this.#state.hidden.has(verdict)) continue;
			const sums = this.#sums((one) => one === verdict);
			for (let node = 0; node < this.#tree.count; node++) {
				if (!this.#tree.isOpen(node) || (sums[node] as number) <= (most[node] as number)) continue;
				most[node] = sums[node] as number;
				main[node] = index;
			}
		}
		return main;
	}
}
