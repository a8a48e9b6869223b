import { printableJson } from "../../printable.js";
import type { Surveyed } from "./formats.js";

/** A ContextDocument, with a line for each path; docs/context.schema.json describes it. */
export function* formatJson({ head, files, ignored }: Surveyed): Generator<string, void> {
	yield jsonOf(head).slice(0, -1);
	yield* list("files", files);
	yield* list("ignored", ignored);
	yield "}\n";
}

function* list(name: string, items: Iterable<object>): Generator<string, void> {
	yield `,"${name}":[`;
	let separator = "\n";
	for (const item of items) {
		yield separator + jsonOf(item);
		separator = ",\n";
	}
	yield "\n]";
}

/** What a path hides is not for the terminal to obey. */
function jsonOf(value: object): string {
	return printableJson(JSON.stringify(value));
}
