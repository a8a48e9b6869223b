import picocolors from "picocolors";
import type { Check } from "../../doctor/check.js";
import { examine } from "../../doctor/examination.js";
import type { ExitCode } from "../../errors.js";
import { printableJson } from "../../printable.js";
import { shouldUseColor } from "../../render/progress-mode.js";
import { onInterrupt } from "../process/interrupts.js";
import { processSurroundings } from "../process/process-environment.js";
import { whileStdoutTakes } from "../process/process-faults.js";
import { stdoutWidth } from "../process/screen.js";
import { terminalPrompt } from "../process/terminal-prompt.js";
import type { DoctorArguments } from "./doctor-flags.js";
import { checkLines } from "./doctor-lines.js";

/** `rbuild doctor`: whether a build could work, and if not, why. */
export async function runDoctor(values: DoctorArguments): Promise<ExitCode | 0> {
	using interrupts = onInterrupt(() => {});
	using taken = whileStdoutTakes();
	const { stdout, env } = process;
	const color = shouldUseColor({ flag: undefined, isTTY: stdout.isTTY === true, env });
	const colors = picocolors.createColors(color);
	const look = { colors, unicode: env.TERM !== "dumb", width: stdoutWidth() };
	const prompt = terminalPrompt(() => undefined);
	const { environment } = processSurroundings(values, prompt);
	const { on, platform } = values;
	const options = {
		...(on && { on }),
		...(platform && { platform }),
		...(values["allow-emulation"] && { allowEmulation: true }),
		...(values.tls && { tls: true }),
		...(values.tlsverify && { tlsVerify: true }),
		...(values.tlscacert && { tlsCaCert: values.tlscacert }),
		...(values.tlscert && { tlsCert: values.tlscert }),
		...(values.tlskey && { tlsKey: values.tlskey }),
		...(values.insecure && { insecure: true }),
	};
	const isTable = values.format !== "json";
	const signal = AbortSignal.any([interrupts.signal, taken.signal]);
	const tell = (check: Check) => {
		if (isTable) stdout.write(`${checkLines(check, look).join("\n")}\n`);
	};
	const diagnosis = await examine(options, environment, signal, tell).catch((error: unknown) => {
		if (interrupts.signal.aborted) throw error;
		taken.signal.throwIfAborted();
		throw error;
	});
	if (!isTable) stdout.write(`${printableJson(JSON.stringify(diagnosis, null, 2))}\n`);
	return diagnosis.exitCode;
}
