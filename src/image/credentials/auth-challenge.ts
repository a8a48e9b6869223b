/** How a registry wants to be told who asks (RFC 9110, 11.6.1; distribution's token spec). */
export type AuthChallenge =
	| { readonly scheme: "basic" }
	| {
			readonly scheme: "bearer";
			/** The address of the token server. */
			readonly realm: string;
			readonly service: string;
			/** What the refused request would have needed. */
			readonly scopes: readonly string[];
	  };

/** @returns undefined where nothing is asked for that is known here; of several, that with a token */
export function readChallenge(
	header: string | readonly string[] | undefined,
): AuthChallenge | undefined {
	const text = [header ?? []].flat().join(", ");
	const bearer = /\bBearer\s+(.*)/i.exec(text)?.[1];
	if (bearer !== undefined) {
		const { realm = "", service = "", scope = "" } = parametersOf(bearer);
		if (realm !== "") {
			return { scheme: "bearer", realm, service, scopes: scope.split(" ").filter(Boolean) };
		}
	}
	return /\bBasic\b/i.test(text) ? { scheme: "basic" } : undefined;
}

/** `realm="https://auth.example.com/token",service="…"`, up to the next scheme. */
function parametersOf(text: string): Readonly<Record<string, string>> {
	const parameters: Record<string, string> = {};
	const pattern = /\s*,?\s*([\w-]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))/y;
	for (let found = pattern.exec(text); found !== null; found = pattern.exec(text)) {
		const [, name = "", quoted, bare = ""] = found;
		parameters[name.toLowerCase()] ??= quoted?.replace(/\\(.)/g, "$1") ?? bare;
	}
	return parameters;
}
