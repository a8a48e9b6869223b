import { printablePath } from "../../context/tree/path-bytes.js";
import type { DocumentHead } from "../context-document.js";
import type { Verdict } from "../verdicts.js";
import { amountOf, instructionName, ruleName } from "./sentences.js";

/** A verdict for people: the path and a line, and one more for each instruction that takes it. */
export function describeVerdict(verdict: Verdict, head: DocumentHead): string {
	const path = printablePath(verdict.path || ".");
	switch (verdict.kind) {
		case "sent":
			return [`${path}: ${describeSent(verdict, head)}`, ...takers(verdict, head)].join("\n");
		case "ignored":
			return `${path}: ignored by ${ruleName(head, verdict.rule)}`;
		case "not-entered": {
			const directory = printablePath(verdict.directory);
			const rule = ruleName(head, verdict.rule);
			return `${path}: never seen, as ${directory}/ is not entered: ignored by ${rule}`;
		}
		case "behind-link":
			return `${path}: not sent, as ${printablePath(verdict.link)} is a link, which is not followed`;
		case "unsendable":
			return `${path}: not sent, as no archive holds a socket`;
		case "missing":
			return `${path}: not there`;
		case "unreadable":
			return `${path}: ${verdict.reason}`;
	}
}

type Sent = Extract<Verdict, { readonly kind: "sent" }>;

function describeSent(verdict: Sent, head: DocumentHead): string {
	const size = verdict.isDirectory ? ` (${amountOf(verdict)}${leftOut(verdict)})` : "";
	if (verdict.within !== undefined) {
		return `included for what is in it${size}; else ignored by ${ruleName(head, verdict.within)}`;
	}
	if (verdict.kept) return `included${size}: the build needs it, whatever the rules say`;
	if (verdict.rule !== undefined) return `included${size} by ${ruleName(head, verdict.rule)}`;
	return `included${size}: no rule leaves it out`;
}

function leftOut({ ignored }: Sent): string {
	return ignored.files === 0 ? "" : `, and ${amountOf(ignored)} ignored`;
}

function takers({ neededBy }: Sent, head: DocumentHead): string[] {
	if (neededBy === undefined) return [];
	if (neededBy.length === 0) return ["  needed by no instruction"];
	return neededBy.map((index) => `  needed by ${instructionName(head, index)}`);
}
