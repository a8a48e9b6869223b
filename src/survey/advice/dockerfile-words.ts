/**
 * What the mere words of a Dockerfile tell, in doubt for less advice: no stage is left out, and a variable
 * may be anything.
 */
export class DockerfileWords {
	readonly #text: string;
	/** Words that may be paths in the context, split into names. */
	readonly #sources: readonly (readonly string[])[];

	constructor(text: string) {
		this.#text = text.replace(/^\s*#.*$/gm, "").replace(/\\\r?\n/g, " ");
		this.#sources = this.#text.split("\n").flatMap(sourcesOf);
	}

	/** Whether this path, or something below it, is named, if only with wildcards. */
	names(path: string): boolean {
		const names = path.split("/");
		return this.#sources.some(
			(source) =>
				source.length >= names.length &&
				source[names.length - 1] !== "*" &&
				names.every((name, at) => fits(name, source[at] ?? "")),
		);
	}

	/** Whether a step does something. */
	does(action: RegExp): boolean {
		return action.test(this.#text);
	}
}

const TAKES_FILES = /^\s*(?:ONBUILD\s+)?(?:COPY|ADD|ARG)\s(?!.*--from=)/i;
const MOUNT = /--mount=(?!\S*from=)\S*?\b(?:source|src)=[^,\s]+/g;

function sourcesOf(line: string): string[][] {
	const mounts = line.match(MOUNT) ?? [];
	const sources = mounts.map((mount) => mount.slice(mount.lastIndexOf("=") + 1));
	const words = TAKES_FILES.test(line) ? line.split(/[\s"',=[\]]+/) : [];
	return [...sources, ...words]
		.filter((word) => !word.startsWith("--"))
		.map((word) => word.split("/").filter((name) => name !== "" && name !== "."))
		.filter((names) => names.length > 0 && !takesAll(names));
}

/** "*" takes the whole context, as "." does. Of "$JAR" the default is a word of its own, after ARG. */
function takesAll([first = "", ...rest]: readonly string[]): boolean {
	return rest.length === 0 && /^(?:\*+|\$\{?\w+\}?)$/.test(first);
}

function fits(name: string, pattern: string): boolean {
	if (!/[*?$]/.test(pattern)) return name === pattern;
	const source = pattern
		.replace(/\$\{[^}]*\}|\$\w+/g, "*")
		.replace(/[.+^${}()|[\]\\]/g, "\\$&")
		.replace(/\*+/g, ".*")
		.replaceAll("?", ".");
	return new RegExp(`^${source}$`, "su").test(name);
}
