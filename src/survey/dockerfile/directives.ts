/** A comment at the top of a Dockerfile that says how the rest of it is read. */
export interface Directive {
	readonly name: "syntax" | "escape" | "check";
	readonly value: string;
	/** Counted from 1. */
	readonly line: number;
}

const PATTERNS = {
	"#": /^#\s*(?<name>syntax|escape|check)\s*=\s*(?<value>.+?)\s*$/i,
	"//": /^\/\/\s*(?<name>syntax|escape|check)\s*=\s*(?<value>.+?)\s*$/i,
} as const;

/**
 * Those before the first line that is anything else, as BuildKit's frontend/dockerfile/parser/directives.go
 * reads them. The same one twice is for the caller to refuse.
 */
export function directivesOf(
	lines: readonly string[],
	mark: keyof typeof PATTERNS = "#",
): readonly Directive[] {
	const found: Directive[] = [];
	for (const [index, line] of lines.entries()) {
		const { name, value } = PATTERNS[mark].exec(line)?.groups ?? {};
		if (name === undefined || value === undefined) break;
		found.push({ name: name.toLowerCase() as Directive["name"], value, line: index + 1 });
	}
	return found;
}
