/** Docker's own frontends, which read a Dockerfile alike. */
const KNOWN_FRONTEND = /^(?:docker\.io\/)?docker\/dockerfile(?:-upstream)?(?:[:@]|$)/;

/** @param frontend absent: the builder's own */
export function isKnownFrontend(frontend: string | undefined): boolean {
	return frontend === undefined || KNOWN_FRONTEND.test(frontend);
}

/** Above the first line that is no comment; those of other languages have "//", or are JSON. */
const SYNTAX_LINE = /^\uFEFF?(?:\s*(?:#|\/\/).*\n)*?\s*(?:#|\/\/)\s*syntax\s*=\s*(?<frontend>\S+)/i;
const SYNTAX_FIELD = /^\uFEFF?(?:#!.*\n)?\s*\{[\s\S]*?"syntax"\s*:\s*"(?<frontend>[^"]*)"/;

/** The image of the frontend that a Dockerfile, or what is in its place, names (BuildKit parser.DetectSyntax). */
export function namedFrontend(content: Uint8Array): string | undefined {
	const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(content);
	return (SYNTAX_LINE.exec(text) ?? SYNTAX_FIELD.exec(text))?.groups?.frontend;
}
