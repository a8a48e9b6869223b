import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { printablePath } from "../../context/tree/path-bytes.js";
import { type PageSource, writePageData } from "./write-page-data.js";

/**
 * A picture of a context: one HTML file that loads nothing and asks no network for anything.
 *
 * The program in it is written by `npm run build` (esbuild.js) from browser/, with a policy that lets
 * nothing else run or load (CSP Level 3), whatever a name in the context looks like. The data goes in
 * as base64, in which no character means anything to HTML.
 */
export function contextPage(document: PageSource): string {
	const template = readFileSync(new URL("./context-page.html", import.meta.url), "utf8");
	const data = gzipSync(JSON.stringify(writePageData(document))).toString("base64");
	const title = escapeText(`${printablePath(document.context)} - build context`);
	const [head = "", body = "", rest = ""] = template.split(/<!--(?:title|data)-->/);
	return `${head}${title}${body}${data}${rest}`;
}

function escapeText(text: string): string {
	return text.replace(/[&<>\u2028-\u202e\u2066-\u2069]/g, (char) => `&#${char.charCodeAt(0)};`);
}
