import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Finished, runScript } from "./script.js";
import { parseYaml } from "./yaml.js";

interface Action {
	readonly inputs: Readonly<Record<string, { readonly default: string }>>;
	readonly outputs: Readonly<Record<string, { readonly value: string }>>;
	readonly runs: {
		readonly steps: readonly {
			readonly id?: string;
			readonly shell: string;
			readonly env?: Readonly<Record<string, string>>;
			readonly run: string;
		}[];
	};
}

interface ActionRun extends Finished {
	readonly outputs: Readonly<Record<string, string>>;
	readonly summary: string;
	/** What is left in RUNNER_TEMP. */
	readonly temporary: string;
}

interface Job {
	readonly cwd: string;
	/** A folder that the job may leave things in. */
	readonly temporary: string;
	readonly env?: Readonly<Record<string, string>>;
	readonly signal?: AbortSignal;
}

/**
 * Runs the steps of a composite action as GitHub's runner does: one bash after the other with the inputs
 * filled in, until one fails.
 *
 * @param folder of action.yml
 */
export async function runAction(
	folder: string,
	inputs: Readonly<Record<string, string>>,
	{ cwd, temporary, env = {}, signal }: Job,
): Promise<ActionRun> {
	const action = parseYaml(readFileSync(join(folder, "action.yml"), "utf8")) as unknown as Action;
	for (const name of Object.keys(inputs)) {
		if (action.inputs[name] === undefined) throw new Error(`the action has no input ${name}`);
	}
	const files = mkdtempSync(join(tmpdir(), "rbuild-runner-"));
	const file = (name: string) => {
		writeFileSync(join(files, name), "");
		return join(files, name);
	};
	const values: Record<string, string> = {};
	for (const [name, { default: usual }] of Object.entries(action.inputs)) {
		values[`inputs.${name}`] = inputs[name] ?? usual;
	}
	let result: Finished = { code: 0, stdout: "", stderr: "" };
	const summary = file("summary");
	try {
		for (const [index, step] of action.runs.steps.entries()) {
			const output = file(`output-${index}`);
			const given = Object.entries(step.env ?? {}).map(([name, value]) => [
				name,
				fillIn(value, values),
			]);
			const done = await runScript(fillIn(step.run, values), {
				...{ cwd, signal },
				env: {
					...{ ...env, ...Object.fromEntries(given) },
					...{ RUNNER_TEMP: temporary, GITHUB_ACTION_PATH: folder },
					...{ GITHUB_OUTPUT: output, GITHUB_STEP_SUMMARY: summary },
				},
			});
			const { stdout, stderr } = result;
			result = { ...done, stdout: stdout + done.stdout, stderr: stderr + done.stderr };
			for (const line of readFileSync(output, "utf8").split("\n").filter(Boolean)) {
				const equals = line.indexOf("=");
				values[`steps.${step.id}.outputs.${line.slice(0, equals)}`] = line.slice(equals + 1);
			}
			if (result.code !== 0) break;
		}
		const outputs = Object.entries(action.outputs).map(([name, { value }]) => [
			name,
			fillIn(value, values),
		]);
		return {
			...result,
			outputs: Object.fromEntries(outputs),
			summary: readFileSync(summary, "utf8"),
			temporary,
		};
	} finally {
		rmSync(files, { recursive: true });
	}
}

/** Each `${{ name }}` by its value, or nothing. */
export function fillIn(text: string, values: Readonly<Record<string, string>>): string {
	return text.replace(/\$\{\{\s*([\w.-]+)\s*\}\}/g, (_, name: string) => values[name] ?? "");
}
