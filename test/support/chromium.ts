import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { type Browser, chromium } from "playwright-core";

/** What it would do by itself has no place in a test; the sandbox does not work for root. */
const FLAGS = [
	...["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
	...["--disable-component-update", "--disable-sync", "--no-first-run"],
];

/** Debian's, which test/prepare.mjs installs. */
function findChromium(): string | undefined {
	const folders = (process.env.PATH ?? "").split(delimiter);
	return folders.map((folder) => join(folder, "chromium")).find((file) => existsSync(file));
}

export function whyNoChromium(): string | undefined {
	return findChromium() === undefined ? "there is no chromium here" : undefined;
}

export function startChromium(): Promise<Browser> {
	const executablePath = findChromium();
	if (executablePath === undefined) throw new Error("there is no chromium here");
	return chromium.launch({ executablePath, args: FLAGS });
}
