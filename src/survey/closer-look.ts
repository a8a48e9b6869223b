import { FileHashes } from "../context/index/file-hashes.js";
import { adviseOn } from "./advice/advice.js";
import type { AdviceRequest } from "./advice/advice-request.js";
import type { Advice, SecretFinding } from "./context-document.js";
import { surveySecrets } from "./secrets/survey-secrets.js";
import { type SurveyedNeeds, surveyNeeds } from "./survey-needs.js";
import type { SurveyedDockerfile, SurveyRequest } from "./survey-request.js";
import type { WalkedContext } from "./walked-context.js";

/** What a closer look finds. */
export interface Findings extends SurveyedNeeds {
	readonly advice: readonly Advice[];
	readonly secrets: readonly SecretFinding[];
}

/** Where everything comes together that is not seen by the walk itself. */
export async function lookCloser(
	walked: WalkedContext,
	{ judged, hashesFile }: SurveyRequest,
): Promise<Findings> {
	const needed = await surveyNeeds(walked);
	if (!judged) return { ...needed, advice: [], secrets: [] };
	const { tree, contents, ignore, keep, dockerfile } = walked;
	const entries = walked.entries.filter(({ path }) => !contents.has(path));
	const secrets = await surveySecrets({ tree, entries, ignore }, UNINTERRUPTED);
	const request: AdviceRequest = {
		...{ tree, entries, ignore, keep },
		dockerfile: textOf(dockerfile),
		isNeeded: certainlyNeeded(walked, needed),
		earlier: new FileHashes(hashesFile),
	};
	return { ...needed, advice: adviseOn(request, UNINTERRUPTED), secrets };
}

/** Undefined where more may be taken than is known. */
function certainlyNeeded(
	{ entries }: WalkedContext,
	{ needs, neededBy }: SurveyedNeeds,
): AdviceRequest["isNeeded"] {
	if (needs === null || needs.doubts.length > 0 || neededBy === undefined) return undefined;
	const needed = new Set(
		entries.filter((_, at) => neededBy(at).length > 0).map(({ path }) => path),
	);
	return (path) => needed.has(path);
}

function textOf(dockerfile: SurveyedDockerfile | undefined): string {
	return Buffer.from(dockerfile?.content ?? []).toString("utf8");
}

/** Whoever has enough of it ends the thread. */
const UNINTERRUPTED = new AbortController().signal;
