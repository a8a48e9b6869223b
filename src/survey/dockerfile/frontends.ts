import { directivesOf } from "./directives.js";

/** Docker's own frontends, which read a Dockerfile alike. */
const KNOWN_FRONTEND = /^(?:docker\.io\/)?docker\/dockerfile(?:-upstream)?(?:[:@]|$)/;

/** @param frontend absent: the builder's own */
export function isKnownFrontend(frontend: string | undefined): boolean {
	return frontend === undefined || KNOWN_FRONTEND.test(frontend);
}

/**
 * The frontend that reads a Dockerfile: that of the build argument BUILDKIT_SYNTAX, or else the one that it names.
 * An empty argument counts, too, and names one that BuildKit does not find (frontend/dockerfile/builder/build.go).
 *
 * @param buildArgs those without a value are not given
 * @returns an image, or undefined for the builder's own
 */
export function frontendOf(
	dockerfile: string,
	buildArgs: Readonly<Record<string, string | null>> = {},
): string | undefined {
	const given = buildArgs.BUILDKIT_SYNTAX ?? undefined;
	return given === undefined ? namedFrontend(dockerfile)?.image : given.trim().split(" ")[0];
}

/**
 * The line of a Dockerfile that says which frontend reads it, counted from 1.
 * @returns undefined where a build argument says it, or nothing
 */
export function frontendLine(
	dockerfile: string,
	buildArgs: Readonly<Record<string, string | null>> = {},
): number | undefined {
	return typeof buildArgs.BUILDKIT_SYNTAX === "string"
		? undefined
		: namedFrontend(dockerfile)?.line;
}

interface NamedFrontend {
	readonly image: string;
	/** Where it is named, counted from 1. */
	readonly line: number;
}

/**
 * The frontend that a Dockerfile, or what is in its place, names: in a "# syntax=" line, in a "// syntax="
 * line, or as a field of JSON, each perhaps below a "#!" line (BuildKit parser.DetectSyntax).
 */
export function namedFrontend(content: string): NamedFrontend | undefined {
	const lines = content.replace(/^\uFEFF/, "").split("\n");
	const skipped = lines[0]?.startsWith("#!") ? 1 : 0;
	const rest = lines.slice(skipped);
	for (const mark of ["#", "//"] as const) {
		const syntax = directivesOf(rest, mark).find(({ name }) => name === "syntax");
		if (syntax === undefined) continue;
		return { image: syntax.value.split(" ")[0] as string, line: syntax.line + skipped };
	}
	const image = syntaxField(rest.join("\n"));
	return image === undefined ? undefined : { image, line: skipped + 1 };
}

function syntaxField(text: string): string | undefined {
	// Most are no JSON, and need no attempt.
	if (!/^\s*\{/.test(text)) return undefined;
	try {
		const { syntax } = JSON.parse(text);
		return typeof syntax === "string" ? syntax : undefined;
	} catch {
		return undefined;
	}
}
