import picocolors from "picocolors";
import { examine } from "../doctor/examination.js";
import type { ExitCode } from "../errors.js";
import { shouldUseColor } from "../render/progress-mode.js";
import type { DoctorArguments } from "./doctor-flags.js";
import { checkLines } from "./doctor-lines.js";
import { onInterrupt } from "./interrupts.js";
import { processSurroundings } from "./process-environment.js";
import { stdoutWidth } from "./screen.js";
import { terminalPrompt } from "./terminal-prompt.js";

/** `rbuild doctor`: whether a build could work, and if not, why. */
export async function runDoctor(values: DoctorArguments): Promise<ExitCode | 0> {
	using interrupts = onInterrupt(() => {});
	const { stdout, env } = process;
	const color = shouldUseColor({ flag: undefined, isTTY: stdout.isTTY === true, env });
	const colors = picocolors.createColors(color);
	const look = { colors, unicode: env.TERM !== "dumb", width: stdoutWidth() };
	const prompt = terminalPrompt(() => undefined);
	const { "ssh-config": sshConfig, "ssh-client": sshClient } = values;
	const { environment } = processSurroundings(sshConfig, prompt, sshClient);
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
	const diagnosis = await examine(options, environment, interrupts.signal, (check) => {
		if (isTable) stdout.write(`${checkLines(check, look).join("\n")}\n`);
	});
	if (!isTable) stdout.write(`${JSON.stringify(diagnosis, null, 2)}\n`);
	return diagnosis.exitCode;
}
