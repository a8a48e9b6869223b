import { execFile } from "node:child_process";
import type { Environment, Prompt, PromptOptions } from "../../environment.js";
import { InterruptedError } from "../../errors.js";
import { programToStart } from "../../installed-program.js";

/**
 * Whom to ask for a passphrase or a password, as OpenSSH decides it (readpass.c): the terminal, or the
 * program that SSH_ASKPASS names where there is a display but no terminal, or where SSH_ASKPASS_REQUIRE
 * says so.
 * @returns undefined where nobody can be asked.
 */
export function userQuestions(environment: Environment): Prompt | undefined {
	const { variables, prompt } = environment;
	const required = variables.SSH_ASKPASS_REQUIRE?.toLowerCase();
	const hasDisplay = Boolean(variables.DISPLAY || variables.WAYLAND_DISPLAY);
	const mayUseProgram = required === "force" || (hasDisplay && required !== "never");
	if (!mayUseProgram) return prompt;
	return required === "force" || required === "prefer" || prompt === undefined
		? askpass(environment)
		: prompt;
}

function askpass(environment: Environment): Prompt {
	const { variables, workingDirectory } = environment;
	return {
		ask: (question, { signal }: PromptOptions) =>
			new Promise((resolve, reject) => {
				execFile(
					programToStart(variables.SSH_ASKPASS || "ssh-askpass", environment),
					[question],
					{ cwd: workingDirectory, env: { ...variables }, signal, windowsHide: true },
					(error, answer) => {
						if (signal.aborted) reject(new InterruptedError("interrupted at a question"));
						// It ends with 1 where the user pressed "Cancel".
						else resolve(error === null ? answer.replace(/[\r\n][\s\S]*$/, "") : undefined);
					},
				);
			}),
	};
}
