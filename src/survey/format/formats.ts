import type { Survey } from "../survey.js";
import type { TextStyle } from "./text-style.js";

/** What `rbuild context` can print, but for the tar. */
export const TEXT_FORMATS = ["table", "json", "csv", "html", "markdown"] as const;

export type TextFormat = (typeof TEXT_FORMATS)[number];

/** The text in parts, so that it does not have to be held as a whole. */
type Formatter = (survey: Surveyed, style: TextStyle) => Iterable<string>;

/** All of a survey that a format needs. */
export type Surveyed = Pick<Survey, "head" | "files" | "ignored">;

export async function formatterOf(format: TextFormat): Promise<Formatter> {
	switch (format) {
		case "table":
			return (await import("./table.js")).formatTable;
		case "json":
			return (await import("./json.js")).formatJson;
		case "csv":
			return (await import("./csv.js")).formatCsv;
		case "html":
			return (await import("./html.js")).formatHtml;
		case "markdown":
			return (await import("./markdown.js")).formatMarkdown;
	}
}
