import type { Options } from "yargs";
import type { LocalContext } from "../context/build-context.js";
import { parseContextSource } from "../context/context-source.js";
import { openLocalContext } from "../context/local-context.js";
import type { ContextManifest } from "../context/manifest.js";
import { type ExitCode, UsageError } from "../errors.js";
import { contextSize } from "../render/wording.js";
import { onInterrupt } from "./interrupts.js";

export const CONTEXT_FLAGS = {
	file: {
		type: "string",
		alias: "f",
		requiresArg: true,
		describe: 'The Dockerfile; "-" reads it from standard input',
	},
	format: {
		type: "string",
		choices: ["table", "json"],
		default: "table",
		describe: "How the result is shown",
	},
} as const satisfies Record<string, Options>;

export interface ContextArguments {
	readonly directory: string;
	readonly file?: string;
	readonly format: "table" | "json";
}

/** `rbuild context DIR`: what a build would upload. Needs no daemon. */
export async function runContext(values: ContextArguments): Promise<ExitCode | 0> {
	using interrupts = onInterrupt(() => {});
	const request = {
		context: values.directory,
		file: values.file,
		workingDirectory: process.cwd(),
		platform: process.platform,
		stdin: process.stdin,
	};
	const source = await parseContextSource(values.directory, process.cwd());
	if (source.kind !== "directory") {
		throw new UsageError(`${values.directory} is not a directory: there is nothing to look into`);
	}
	await using context = await openLocalContext(source.directory, request, interrupts.signal);
	process.stdout.write(
		values.format === "json"
			? contextDocument(await context.manifest())
			: await contextTable(context),
	);
	return 0;
}

/** One JSON document; `files` in the order in which they are sent. Sizes in bytes, mode a number. */
function contextDocument(manifest: ContextManifest): string {
	const files = manifest.entries.map(({ path, type, size, mode, linkname, hardlink }) => ({
		path,
		type,
		size,
		mode,
		...(linkname === undefined ? {} : { linkname }),
		...(hardlink === undefined ? {} : { hardlink }),
	}));
	const { files: count, bytes, ignored } = manifest;
	return `${JSON.stringify({ files, totals: { files: count, bytes, ignored } })}\n`;
}

async function contextTable(context: LocalContext): Promise<string> {
	return `${context.source}: ${contextSize(await context.measureIgnored()).join(", ")}\n`;
}
