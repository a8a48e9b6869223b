import { readFileSync } from "node:fs";
import { join } from "node:path";

/** The fenced blocks of one language in a guide, in their order. */
export function blocksOf(folder: string, guide: string, language: string): readonly string[] {
	const text = readFileSync(join(folder, "docs", guide), "utf8");
	const blocks = text.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm);
	return [...blocks].flatMap(([, name, block = ""]) => (name === language ? [block] : []));
}
