/** Four letters are a script's name in these cases, else only its code, which Go does not take. */
const SHORT_SCRIPTS = new Set(["Ahom", "Cham", "Kawi", "Lisu", "Modi", "Newa", "Thai", "Toto"]);

/**
 * What \p{NAME} stands for in Go up to 1.24, which docker 28 is built with: a general category by its
 * letters, or a script by its name. Characters that are not assigned have no category, not even C.
 * (Go 1.25 changes that, and takes other spellings of the names.)
 */
export function unicodeClass(name: string): RegExp | undefined {
	if (name === "Any") return /\p{Any}/u;
	if (name === "C") return /[\p{Cc}\p{Cf}\p{Co}\p{Cs}]/u;
	if (name === "Cn") return undefined;
	if (/^[A-Z][a-z]?$/.test(name)) return propertyClass("General_Category", name);
	if (name.length === 4 && !SHORT_SCRIPTS.has(name)) return undefined;
	return propertyClass("Script", name);
}

function propertyClass(property: string, value: string): RegExp | undefined {
	if (!/^\w+$/.test(value)) return undefined;
	try {
		return new RegExp(`\\p{${property}=${value}}`, "u");
	} catch {
		return undefined;
	}
}
