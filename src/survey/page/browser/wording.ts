import prettyBytes from "pretty-bytes";
import type { NodeVerdict } from "../page-data.js";
import type { ContextTree } from "./tree.js";

export const formatBytes = (bytes: number): string => prettyBytes(bytes);

export function formatCount(count: number): string {
	return count.toLocaleString("en-US");
}

export function formatFiles(count: number): string {
	return `${formatCount(count)} ${count === 1 ? "file" : "files"}`;
}

export const VERDICT_WORDS: Readonly<Record<NodeVerdict, string>> = {
	needed: "Needed",
	sent: "Sent",
	unused: "Sent, unused",
	ignored: "Ignored",
	secret: "Secret",
};

export const VERDICT_MEANINGS: Readonly<Record<NodeVerdict, string>> = {
	needed: "sent, and taken by an instruction of the Dockerfile",
	sent: "sent; what the Dockerfile takes is not known",
	unused: "sent, and taken by no instruction of the Dockerfile",
	ignored: "left out by a rule",
	secret: "sent, and looks as if it held credentials",
};

/** Such as ".dockerignore:7". */
export function ruleLine(tree: ContextTree, rule: number): string {
	return `${tree.data.ignoreFile ?? ".dockerignore"}:${tree.data.rules[rule]?.line}`;
}

/** Such as "Dockerfile:12". */
export function instructionLine(tree: ContextTree, instruction: number): string {
	return `${tree.data.dockerfile ?? "Dockerfile"}:${tree.data.instructions?.[instruction]?.line}`;
}

/** What decided over a path, in one line; empty where nothing in particular did. */
export function deciderOf(tree: ContextTree, node: number): string {
	const rule = tree.data.nodes.rules[node] as number;
	const takers = tree.takers(node) ?? [];
	const parts = takers.slice(0, 3).map((taker) => instructionLine(tree, taker));
	if (takers.length > 3) parts.push(`${takers.length - 3} more`);
	if (rule >= 0) parts.push(`${ruleLine(tree, rule)} ${tree.data.rules[rule]?.text ?? ""}`);
	return parts.join(", ");
}
