import { contextPage } from "../page/context-page.js";
import type { Surveyed } from "./formats.js";

/** A page that needs nothing else. */
export function formatHtml({ head, files, ignored }: Surveyed): Iterable<string> {
	return [contextPage({ ...head, files, ignored })];
}
