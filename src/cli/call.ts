import { callFrontend, type FrontendAnswer } from "../build/frontend-call.js";
import type { BuildOptions } from "../build/options.js";
import type { Surroundings } from "../build/planned-run.js";
import { EXIT_CODES, type ExitCode } from "../errors.js";
import type { Run } from "../events.js";
import { printableLine } from "../render/printable.js";
import type { RequestedCall } from "./buildkit-values.js";

/** `--check` and `--call`: prints what the frontend says of the Dockerfile. */
export async function runCall(
	{ call, format, ignoreStatus }: RequestedCall,
	options: BuildOptions,
	surroundings: Surroundings,
	run: Run,
): Promise<ExitCode | 0> {
	const answer = await callFrontend(call, options, surroundings, run);
	process.stdout.write(format === "json" ? `${answer.json}\n` : textOf(call, answer));
	if (answer.failure !== undefined) throw answer.failure;
	return answer.isFine || ignoreStatus ? 0 : EXIT_CODES.buildFailed;
}

function textOf(call: RequestedCall["call"], { text, isFine }: FrontendAnswer): string {
	if (call === "check" && isFine) return "Check complete, no warnings found.\n";
	return text.split("\n").map(printableLine).join("\n");
}
