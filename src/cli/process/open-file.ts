import { spawn } from "node:child_process";
import { once } from "node:events";
import { programToStart } from "../../installed-program.js";

type Opener = readonly [program: string, ...flags: string[]];

/** What opens a file with the program that the user has for it. */
const OPENERS: Readonly<Partial<Record<NodeJS.Platform, Opener>>> = {
	darwin: ["open"],
	// cmd's "start" would read "&" and "%" in a name as its own.
	win32: ["rundll32.exe", "url.dll,FileProtocolHandler"],
};

/**
 * Opens a file in the user's browser, which outlives this process.
 *
 * @returns why it cannot be opened, for people
 */
export async function openFile(
	path: string,
	platform: NodeJS.Platform,
	variables: Readonly<Record<string, string | undefined>>,
): Promise<string | undefined> {
	const [program, ...flags] = OPENERS[platform] ?? ["xdg-open"];
	if (program === "xdg-open" && !hasDisplay(variables)) return "there is no display here";
	const child = spawn(programToStart(program, { platform, variables }), [...flags, path], {
		detached: true,
		stdio: "ignore",
		env: variables,
	});
	try {
		await once(child, "spawn");
	} catch {
		return `${program} is not installed`;
	}
	child.unref();
	return undefined;
}

/** $BROWSER is what xdg-open goes by first: editors that are used from afar set it. */
function hasDisplay({ DISPLAY, WAYLAND_DISPLAY, BROWSER }: Readonly<Record<string, unknown>>) {
	return Boolean(DISPLAY || WAYLAND_DISPLAY || BROWSER);
}
