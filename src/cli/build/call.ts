import type { FrontendAnswer } from "../../build/frontend-answer.js";
import { callFrontend } from "../../build/frontend-call.js";
import type { BuildOptions } from "../../build/plan/options.js";
import type { Surroundings } from "../../build/planned-run.js";
import { EXIT_CODES, type ExitCode } from "../../errors.js";
import type { Run } from "../../events.js";
import { printableJson, printableText } from "../../printable.js";
import { formatCount } from "../../render/format.js";
import type { RequestedCall } from "../flags/buildkit-values.js";

/** `--check` and `--call`: prints what the frontend says of the Dockerfile. */
export async function runCall(
	{ call, format, ignoreStatus }: RequestedCall,
	options: BuildOptions,
	surroundings: Surroundings,
	run: Run,
): Promise<ExitCode | 0> {
	const answer = await callFrontend(call, options, surroundings, run);
	process.stdout.write(
		format === "json" ? `${printableJson(answer.json)}\n` : textOf(call, answer),
	);
	if (answer.failure !== undefined) throw answer.failure;
	return answer.isFine || ignoreStatus ? 0 : EXIT_CODES.buildFailed;
}

/** As buildx prints it. */
function textOf(call: RequestedCall["call"], { text, json, isFine }: FrontendAnswer): string {
	if (call === "check" && isFine) return "Check complete, no warnings found.\n";
	const found = call === "check" ? headOf(json) : "";
	return found + printableText(text);
}

/** The frontend's own text does not say how many there are. */
function headOf(json: string): string {
	const { warnings } = JSON.parse(json) as { readonly warnings?: readonly unknown[] | null };
	const count = warnings?.length ?? 0;
	if (count === 0) return "";
	const found = count === 1 ? "1 warning has" : `${formatCount(count)} warnings have`;
	return `Check complete, ${found} been found!\n`;
}
