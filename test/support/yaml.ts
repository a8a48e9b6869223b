/** What is read of YAML here: maps, lists, texts, `[flow, lists]` of words and `|` blocks. */
type Yaml = string | readonly Yaml[] | { readonly [key: string]: Yaml };

interface Line {
	readonly indent: number;
	readonly text: string;
}

/** Reads as much of YAML as workflows and action.yml are written in. @throws for a line it does not know */
export function parseYaml(text: string): Yaml {
	const lines = text.split("\n").map((line) => ({
		indent: line.length - line.trimStart().length,
		text: line.trim(),
	}));
	return readNode(
		lines.filter((line) => line.text !== ""),
		0,
	);
}

/** Takes a node's lines away from the start of the others. */
function readNode(lines: Line[], least: number): Yaml {
	const [first] = lines;
	if (first === undefined || first.indent < least) return "";
	return first.text.startsWith("- ") ? readList(lines, first.indent) : readMap(lines, first.indent);
}

function readList(lines: Line[], indent: number): Yaml {
	const items: Yaml[] = [];
	while (lines[0]?.indent === indent && lines[0].text.startsWith("- ")) {
		const text = lines[0].text.slice(2);
		if (/^[\w-]+:( |$)/.test(text)) {
			lines[0] = { indent: indent + 2, text };
			items.push(readMap(lines, indent + 2));
		} else {
			lines.shift();
			items.push(scalar(text));
		}
	}
	return items;
}

function readMap(lines: Line[], indent: number): Yaml {
	const map: Record<string, Yaml> = {};
	while (lines[0]?.indent === indent && !lines[0].text.startsWith("- ")) {
		const { text } = lines.shift() as Line;
		const [, key, rest = ""] = /^([\w-]+):(?: (.*))?$/.exec(text) ?? [];
		if (key === undefined) throw new Error(`no YAML that is known here: ${text}`);
		if (rest === "|") map[key] = readBlock(lines, indent);
		else map[key] = rest === "" ? readNode(lines, indent + 1) : scalar(rest);
	}
	return map;
}

function readBlock(lines: Line[], indent: number): string {
	const block: string[] = [];
	while (lines[0] !== undefined && lines[0].indent > indent) block.push(lines.shift()?.text ?? "");
	return `${block.join("\n")}\n`;
}

function scalar(text: string): Yaml {
	const flow = /^\[(.*)\]$/.exec(text);
	if (flow !== null) return (flow[1] ?? "").split(",").map((word) => word.trim());
	return /^".*"$/.test(text) ? JSON.parse(text) : text;
}
