import { element } from "./elements.js";
import type { ContextTree } from "./tree.js";
import { formatBytes, formatCount, formatFiles } from "./wording.js";

/** The figures at the top. */
export function fillSummary(list: HTMLElement, { data }: ContextTree): void {
	const { totals } = data;
	const figures: (readonly [string, string, string])[] = [
		["To send", formatBytes(totals.bytes), formatFiles(totals.files)],
		[
			"Compressed",
			`~ ${formatBytes(totals.compressed.bytes)}`,
			`estimated from ${formatBytes(totals.compressed.sampledBytes)}`,
		],
	];
	if (totals.upload !== undefined) {
		const { seconds, bitsPerSecond } = totals.upload;
		figures.push([
			"Upload",
			`~ ${formatSeconds(seconds)}`,
			`at ${formatCount(bitsPerSecond / 1e6)} Mbit/s`,
		]);
	}
	figures.push(["Ignored", formatBytes(totals.ignored.bytes), formatFiles(totals.ignored.files)]);
	for (const [term, value, note] of figures) {
		list.append(
			element(
				"div",
				{},
				element("dt", {}, term),
				element("dd", { class: "figure" }, value),
				element("dd", { class: "note" }, note),
			),
		);
	}
}

function formatSeconds(seconds: number): string {
	if (seconds < 60) return `${seconds.toFixed(1)} s`;
	return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
}
