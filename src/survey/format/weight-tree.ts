import type { SentPath } from "../context-document.js";
import { Largest } from "../largest.js";

/** A directory or a file, and what is in it. */
export interface WeightNode {
	/** The last name of its path; "" for the context. */
	readonly name: string;
	readonly isDirectory: boolean;
	readonly bytes: number;
	/** 1 for anything but a directory. */
	readonly files: number;
	/** Those that are shown, largest first. */
	readonly shown: readonly WeightNode[];
	/** How many there are in it that are not. */
	readonly hidden: number;
}

interface Node {
	readonly name: string;
	readonly parent: Node | undefined;
	readonly isDirectory: boolean;
	bytes: number;
	files: number;
	children: number;
	readonly shown: Node[];
}

/**
 * The largest directories and files, as a tree: nothing is larger than the directory it is in, so those
 * are among them.
 *
 * @param depth levels below the context
 * @param top nodes in all
 */
export function weighTree(files: Iterable<SentPath>, depth: number, top: number): WeightNode {
	const root = newNode({ name: "", parent: undefined, isDirectory: true });
	const directories: Node[] = [];
	const largestFiles = new Ranking(top);
	/** The directories that the walk is in, by their depth. */
	const way: Node[] = [root];
	for (const { path, type, size, hardlink } of files) {
		const level = levelOf(path);
		const isDirectory = type === "directory";
		const parent = way[Math.min(level - 1, depth)] ?? root;
		const bytes = hardlink === undefined ? size : 0;
		if (!isDirectory) {
			for (let at = 0; at < Math.min(level, depth + 1); at++) {
				const above = way[at] as Node;
				above.files += 1;
				above.bytes += bytes;
			}
		}
		if (level > depth) {
			if (level === depth + 1) parent.children += 1;
			continue;
		}
		parent.children += 1;
		const name = path.slice(path.lastIndexOf("/") + 1);
		const node = newNode({ name, parent, isDirectory });
		if (isDirectory) {
			way[level] = node;
			directories.push(node);
		} else {
			node.files = 1;
			node.bytes = bytes;
			largestFiles.add(node);
		}
	}
	const chosen = new Ranking(top);
	// Of equals the first is taken: directories before what is in them.
	for (const node of [...directories, ...largestFiles.nodes]) chosen.add(node);
	for (const node of chosen.nodes) node.parent?.shown.push(node);
	return finished(root);
}

/** All of them, or the largest. */
class Ranking {
	readonly #all: Node[] | undefined;
	readonly #largest: Largest<Node>;

	constructor(limit: number) {
		this.#all = limit === Number.POSITIVE_INFINITY ? [] : undefined;
		this.#largest = new Largest(limit);
	}

	add(node: Node): void {
		if (this.#all === undefined) this.#largest.add(node, node.bytes);
		else this.#all.push(node);
	}

	get nodes(): readonly Node[] {
		return this.#all ?? this.#largest.items;
	}
}

function newNode(place: Pick<Node, "name" | "parent" | "isDirectory">): Node {
	return { ...place, bytes: 0, files: 0, children: 0, shown: [] };
}

function finished({ name, isDirectory, bytes, files, children, shown }: Node): WeightNode {
	const largestFirst = shown.sort((a, b) => b.bytes - a.bytes).map(finished);
	return { name, isDirectory, bytes, files, shown: largestFirst, hidden: children - shown.length };
}

/** Of "a/b" 2. */
function levelOf(path: string): number {
	let level = 1;
	for (let at = path.indexOf("/"); at >= 0; at = path.indexOf("/", at + 1)) level += 1;
	return level;
}
