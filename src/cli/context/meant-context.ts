import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { hashesFile } from "../../cache-folder.js";
import type { ContextRequest } from "../../context/build-context.js";
import { parseContextSource } from "../../context/context-source.js";
import { readStandardInput } from "../../context/standard-input.js";
import { UsageError } from "../../errors.js";
import { printableName } from "../../printable.js";
import type { DocumentHead } from "../../survey/context-document.js";
import { type OpenSurvey, openSurvey, type SurveyOptions } from "../../survey/open-survey.js";
import { parseBuildArgs } from "../flags/option-values.js";
import { processEnvironment } from "../process/process-environment.js";
import { standardInput } from "../process/standard-input.js";
import type { MeantBuild } from "./context-flags.js";
import { surveyProgress } from "./survey-progress.js";

/** The directory that is looked into, and the build that it is looked into for. */
interface MeantContext extends MeantBuild {
	readonly directory: string;
	/** What opening the context takes; each has the standard input from its beginning. */
	request(): ContextRequest;
}

/** @throws UsageError, ContextError */
export async function meantContext(
	argument: string,
	build: MeantBuild,
	signal: AbortSignal,
): Promise<MeantContext> {
	const source = await parseContextSource(argument, process.cwd());
	if (source.kind !== "directory") {
		// It may hold a token.
		const what = source.kind === "url" ? "a URL" : argument;
		throw new UsageError(`rbuild context needs a directory, not ${what}`);
	}
	const stdin = build.file === "-" ? await readStandardInput(standardInput(), signal) : undefined;
	return {
		...build,
		directory: source.directory,
		request: () => ({
			context: argument,
			file: build.file,
			workingDirectory: process.cwd(),
			platform: process.platform,
			stdin: Readable.from(stdin === undefined ? [] : [stdin]),
		}),
	};
}

type Questions = Pick<SurveyOptions, "limits" | "linkBitsPerSecond" | "judged" | "compareWith">;

/** Looks into it, and shows how far that is where it takes long. */
export async function surveyOf(
	meant: MeantContext,
	questions: Questions,
	signal: AbortSignal,
): Promise<OpenSurvey> {
	const { stdin, ...request } = meant.request();
	const progress = surveyProgress();
	const survey = await openSurvey(
		{
			...request,
			...questions,
			directory: meant.directory,
			target: meant.target,
			buildArgs: buildArgs(meant["build-arg"] ?? []),
			readStdin: () => buffer(stdin),
			hashesFileOf: (root) => hashesFile(root, processEnvironment()),
			onProgress: (paths) => progress.show(paths),
		},
		signal,
	);
	survey.head.then(
		() => progress.close(),
		() => progress.close(),
	);
	return survey;
}

/** What could not be found out, on stderr. */
export function warnOf({ warnings = [] }: DocumentHead): void {
	for (const warning of warnings) process.stderr.write(`warning: ${printableName(warning)}\n`);
}

/** "NAME" alone has the value of the environment, as in docker. */
function buildArgs(values: readonly string[]): Record<string, string | null> {
	const args = Object.entries(parseBuildArgs(values));
	return Object.fromEntries(
		args.map(([name, value]) => [name, value ?? process.env[name] ?? null]),
	);
}
