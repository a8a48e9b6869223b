import { readFileSync } from "node:fs";

/** The version of this package, whose root is some folders above this file, compiled or bundled. */
export function version(folder = new URL(".", import.meta.url)): string {
	try {
		return JSON.parse(readFileSync(new URL("package.json", folder), "utf8")).version;
	} catch (error) {
		const parent = new URL("..", folder);
		if (parent.href === folder.href) throw error;
		return version(parent);
	}
}
