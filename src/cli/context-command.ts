import type { Options } from "yargs";
import type { LocalContext } from "../context/build-context.js";
import { parseContextSource } from "../context/context-source.js";
import { openLocalContext } from "../context/local-context.js";
import type { ContextManifest } from "../context/manifest.js";
import { SourceTree } from "../context/source-tree.js";
import { type ExitCode, UsageError } from "../errors.js";
import { formatBytes, formatFiles } from "../render/format.js";
import { printableName } from "../render/printable.js";
import { contextSize } from "../render/wording.js";
import type { Advice, SecretFinding } from "../survey/context-document.js";
import { onInterrupt } from "./interrupts.js";
import { processScreen } from "./screen.js";

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
	fix: { type: "boolean", describe: "Add the lines of all advice to .dockerignore" },
	yes: { type: "boolean", alias: "y", describe: "With --fix: do not ask" },
} as const satisfies Record<string, Options>;

export interface ContextArguments {
	readonly directory: string;
	readonly file?: string;
	readonly format: "table" | "json";
	readonly fix?: boolean;
	readonly yes?: boolean;
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
	const open = () => openLocalContext(source.directory, request, interrupts.signal);
	await using context = await open();
	const { ignore, root } = context;
	const manifest = await context.manifest();
	const { adviseOn } = await import("../survey/advice/advice.js");
	const { surveySecrets } = await import("../survey/secrets/survey-secrets.js");
	const tree = new SourceTree(root, process.platform);
	const secrets = await surveySecrets(
		{ tree, entries: manifest.entries, ignore },
		interrupts.signal,
	);
	const advice = adviseOn(
		{
			tree,
			entries: manifest.entries,
			ignore,
			keep: [context.dockerfile ?? "Dockerfile", ".dockerignore"],
			dockerfile: Buffer.from(context.dockerfileContent).toString("utf8"),
		},
		interrupts.signal,
	);
	process.stdout.write(
		values.format === "json"
			? contextDocument(manifest, advice, secrets)
			: `${await contextTable(context)}${adviceLines(advice)}${secretLines(secrets)}`,
	);
	if (!values.fix) return 0;
	const { offerFix } = await import("./context-fix.js");
	const dialog = {
		input: process.stdin,
		output: process.stderr,
		color: processScreen(undefined).color,
		signal: interrupts.signal,
	};
	if (await offerFix({ root, ignore, advice, yes: values.yes ?? false }, dialog)) {
		await using after = await open();
		process.stderr.write(await contextTable(after));
	}
	return 0;
}

function secretLines(secrets: readonly SecretFinding[]): string {
	return secrets
		.map(({ path, what, line }) => {
			const place = line === undefined ? "" : `:${line}`;
			return `secret: ${printableName(path)}${place}: ${what}\n`;
		})
		.join("");
}

function adviceLines(advice: readonly Advice[]): string {
	return advice
		.map(({ text, files, bytes, paths, lines }) => {
			const size = files === 0 ? [] : [`${formatFiles(files)}, ${formatBytes(bytes)}`];
			const about = paths.map(printableName).join(" ");
			return `advice: ${[text, ...size, about].join("; ")}\n${lines.map((line) => `    ${printableName(line)}\n`).join("")}`;
		})
		.join("");
}

/** One JSON document; `files` in the order in which they are sent. Sizes in bytes, mode a number. */
function contextDocument(
	manifest: ContextManifest,
	advice: readonly Advice[],
	secrets: readonly SecretFinding[],
): string {
	const files = manifest.entries.map(({ path, type, size, mode, linkname, hardlink }) => ({
		path,
		type,
		size,
		mode,
		...(linkname === undefined ? {} : { linkname }),
		...(hardlink === undefined ? {} : { hardlink }),
	}));
	const { files: count, bytes, ignored } = manifest;
	return `${JSON.stringify({ files, totals: { files: count, bytes, ignored }, advice, secrets })}\n`;
}

async function contextTable(context: LocalContext): Promise<string> {
	return `${context.source}: ${contextSize(await context.measureIgnored()).join(", ")}\n`;
}
