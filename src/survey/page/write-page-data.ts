import { sortByBytes } from "../../context/tree/path-bytes.js";
import type { ContextDocument, IgnoredPath, SentPath } from "../context-document.js";
import { KINDS, type NodeVerdict, type PageData, type PageNodes, VERDICTS } from "./page-data.js";

/** A ContextDocument, of which the long lists need not be held. */
export type PageSource = Omit<ContextDocument, "files" | "ignored"> & {
	readonly files: Iterable<SentPath>;
	readonly ignored: Iterable<IgnoredPath>;
};

interface PathNode {
	readonly children: Map<string, PathNode>;
	sent?: SentPath;
	ignored?: IgnoredPath;
}

type Columns = { -readonly [Column in keyof PageNodes]: Writable<PageNodes[Column]> };
type Writable<Column> = Column extends readonly (infer Item)[]
	? Item[]
	: { -readonly [Key in keyof Column]: Column[Key] };

export function writePageData(document: PageSource): PageData {
	const { context, dockerfile, ignoreFile, totals, rules, needs, advice, secrets } = document;
	const columns = new NodeColumns(document);
	columns.add("", pathTree(document), 0);
	return {
		context,
		dockerfile,
		ignoreFile,
		totals,
		rules,
		instructions: needs?.instructions ?? null,
		doubts: needs?.doubts ?? [],
		warnings: document.warnings ?? [],
		unreadable: document.unreadable?.map(({ reason }) => reason) ?? [],
		advice,
		secrets,
		nodes: columns.nodes,
		needSets: columns.needSets,
	};
}

function pathTree({ files, ignored }: PageSource): PathNode {
	const root: PathNode = { children: new Map() };
	for (const sent of files) nodeAt(root, sent.path).sent = sent;
	for (const path of ignored) nodeAt(root, path.path).ignored = path;
	return root;
}

/** With all directories above it, which need not be listed themselves. */
function nodeAt(root: PathNode, path: string): PathNode {
	let node = root;
	for (const name of path.split("/")) {
		let child = node.children.get(name);
		if (child === undefined) {
			child = { children: new Map() };
			node.children.set(name, child);
		}
		node = child;
	}
	return node;
}

class NodeColumns {
	readonly nodes: Columns = {
		names: [],
		depths: [],
		kinds: [],
		sizes: [],
		files: [],
		verdicts: [],
		rules: [],
		needs: [],
		links: {},
	};
	readonly needSets: (readonly number[])[] = [];
	readonly #needSetIds = new Map<string, number>();
	readonly #secrets: ReadonlySet<string>;

	constructor({ secrets }: PageSource) {
		this.#secrets = new Set(secrets.map(({ path }) => path));
	}

	add(name: string, node: PathNode, depth: number): void {
		const { sent, ignored, children } = node;
		const { nodes } = this;
		const type = sent?.type ?? ignored?.type ?? "directory";
		const link = sent?.linkname ?? sent?.hardlink;
		if (link !== undefined) nodes.links[nodes.names.length] = link;
		nodes.names.push(name);
		nodes.depths.push(depth);
		nodes.kinds.push(KINDS.indexOf(type));
		// A hard link is counted where its inode is first met, and an entered directory by what is in it.
		const isCounted = children.size === 0 && sent?.hardlink === undefined;
		nodes.sizes.push(isCounted ? (sent ?? ignored)?.size || 0 : 0);
		nodes.files.push(
			children.size > 0 ? 0 : sent ? Number(type !== "directory") : ignored?.files || 0,
		);
		nodes.verdicts.push(VERDICTS.indexOf(this.#verdictOf(node)));
		nodes.rules.push((sent ?? ignored)?.rule ?? -1);
		nodes.needs.push(sent?.neededBy === undefined ? -1 : this.#needSetOf(sent.neededBy));
		for (const childName of sortByBytes([...children.keys()])) {
			this.add(childName, children.get(childName) as PathNode, depth + 1);
		}
	}

	#verdictOf({ sent, ignored }: PathNode): NodeVerdict {
		if (sent === undefined) return ignored === undefined ? "sent" : "ignored";
		if (this.#secrets.has(sent.path)) return "secret";
		if (sent.neededBy === undefined) return "sent";
		return sent.neededBy.length > 0 ? "needed" : "unused";
	}

	#needSetOf(instructions: readonly number[]): number {
		const key = instructions.join();
		let id = this.#needSetIds.get(key);
		if (id === undefined) {
			id = this.needSets.push(instructions) - 1;
			this.#needSetIds.set(key, id);
		}
		return id;
	}
}
