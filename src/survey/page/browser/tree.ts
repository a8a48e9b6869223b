import { KINDS, type NodeVerdict, type PageData, VERDICTS } from "../page-data.js";
import { encodeName, visibleName } from "./names.js";

/** What is in a directory, of one verdict. */
interface Amount {
	files: number;
	bytes: number;
}

/** The root of every tree: the context itself. */
export const ROOT = 0;

/**
 * The paths of a context by number, in columns: there may be a million. What is in a directory comes
 * right behind it.
 */
export class ContextTree {
	readonly data: PageData;
	readonly count: number;
	/** Printable. */
	readonly names: readonly string[];
	readonly parents: Int32Array;
	/** The first path that is not in this one any more. */
	readonly ends: Int32Array;
	/** Of all that is in it. */
	readonly bytes: Float64Array;
	readonly files: Float64Array;
	#searchTexts: readonly string[] | undefined;

	constructor(data: PageData) {
		const { names, depths, sizes, files } = data.nodes;
		this.data = data;
		this.count = names.length;
		this.names = names.map(visibleName);
		this.parents = new Int32Array(this.count).fill(-1);
		this.ends = new Int32Array(this.count);
		const above: number[] = [];
		for (let node = 0; node < this.count; node++) {
			const depth = depths[node] as number;
			while (above.length > depth) this.ends[above.pop() as number] = node;
			this.parents[node] = above.at(-1) ?? -1;
			above.push(node);
		}
		for (const node of above) this.ends[node] = this.count;
		this.bytes = this.sums((node) => sizes[node] as number);
		this.files = this.sums((node) => files[node] as number);
	}

	/** Of each path, what is in it all together. */
	sums(own: (node: number) => number): Float64Array {
		const sums = new Float64Array(this.count);
		for (let node = this.count - 1; node >= 0; node--) {
			sums[node] = (sums[node] as number) + own(node);
			const parent = this.parents[node] as number;
			if (parent >= 0) sums[parent] = (sums[parent] as number) + (sums[node] as number);
		}
		return sums;
	}

	*children(node: number): Generator<number> {
		const end = this.ends[node] as number;
		for (let child = node + 1; child < end; child = this.ends[child] as number) yield child;
	}

	/** Whether there is something in it that is known one by one. */
	isOpen(node: number): boolean {
		return (this.ends[node] as number) > node + 1;
	}

	contains(directory: number, node: number): boolean {
		return node >= directory && node < (this.ends[directory] as number);
	}

	kind(node: number): (typeof KINDS)[number] {
		return KINDS[this.data.nodes.kinds[node] as number] ?? "file";
	}

	/** Of a path that is no directory, or that was not looked into. */
	verdict(node: number): NodeVerdict {
		return VERDICTS[this.data.nodes.verdicts[node] as number] ?? "sent";
	}

	size(node: number): number {
		return this.bytes[node] as number;
	}

	fileCount(node: number): number {
		return this.files[node] as number;
	}

	/** Indexes of the instructions that take it; undefined where it is not known. */
	takers(node: number): readonly number[] | undefined {
		return this.data.needSets[this.data.nodes.needs[node] as number];
	}

	/** From the context down to it, both included. */
	lineage(node: number): number[] {
		const line: number[] = [];
		for (let at = node; at >= 0; at = this.parents[at] as number) line.unshift(at);
		return line;
	}

	/** Printable. */
	path(node: number): string {
		if (node === ROOT) return ".";
		return this.lineage(node)
			.slice(1)
			.map((at) => this.names[at])
			.join("/");
	}

	/** For the hash of the page's address. */
	address(node: number): string {
		const { names } = this.data.nodes;
		return this.lineage(node)
			.slice(1)
			.map((at) => encodeName(names[at] as string))
			.join("/");
	}

	/** As far as it leads: the deepest path that is still there. */
	atAddress(address: string): number {
		const { names } = this.data.nodes;
		return this.#descend(address.split("/"), (node) => encodeName(names[node] as string));
	}

	/** By a path of the ContextDocument; undefined if it is not in here. */
	find(path: string): number | undefined {
		const parts = path.split("/");
		const node = this.#descend(parts, (at) => this.data.nodes.names[at] as string);
		return this.data.nodes.depths[node] === parts.length ? node : undefined;
	}

	/** What is in it by verdict, in the order of VERDICTS. */
	amounts(directory: number): Map<NodeVerdict, Amount> {
		const amounts = new Map<NodeVerdict, Amount>();
		const { sizes, files } = this.data.nodes;
		for (let node = directory; node < (this.ends[directory] as number); node++) {
			const [own, size] = [files[node] as number, sizes[node] as number];
			if (own === 0 && size === 0) continue;
			const amount = amounts.get(this.verdict(node)) ?? { files: 0, bytes: 0 };
			amount.files += own;
			amount.bytes += size;
			amounts.set(this.verdict(node), amount);
		}
		return new Map(
			[...amounts].sort(([one], [other]) => VERDICTS.indexOf(one) - VERDICTS.indexOf(other)),
		);
	}

	/** The printable path of every node in lower case, to be searched. */
	get searchTexts(): readonly string[] {
		if (this.#searchTexts !== undefined) return this.#searchTexts;
		const texts: string[] = [];
		for (let node = 0; node < this.count; node++) {
			const parent = this.parents[node] as number;
			const name = (this.names[node] as string).toLowerCase();
			texts.push(parent > ROOT ? `${texts[parent]}/${name}` : name);
		}
		this.#searchTexts = texts;
		return texts;
	}

	#descend(parts: readonly string[], nameOf: (node: number) => string): number {
		let node = ROOT;
		for (const part of parts) {
			let found: number | undefined;
			for (const child of this.children(node)) {
				if (nameOf(child) === part) {
					found = child;
					break;
				}
			}
			if (found === undefined) break;
			node = found;
		}
		return node;
	}
}
