import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import type { Environment } from "../../environment.js";
import { DeliveryError } from "../../errors.js";
import { commandToStart } from "../../installed-program.js";
import { interrupted } from "../../interruption.js";
import { systemReason } from "../../system-reason.js";

/** What a helper knows of one registry. */
interface HelperAnswer {
	/** "<token>" when the secret is an identity token. */
	readonly username: string;
	readonly secret: string;
}

/** The helper's program is not on this machine. */
export class HelperMissing extends Error {}

/** What every helper says, on stdout and with exit code 1, of a registry it does not know. */
const NOT_FOUND = "credentials not found in native keychain";

/**
 * Runs `docker-credential-NAME get`, with the registry on its standard input and nothing secret in
 * arguments or environment. Protocol: github.com/docker/docker-credential-helpers.
 * @throws HelperMissing; DeliveryError when it fails; InterruptedError.
 */
export async function askCredentialHelper(
	name: string,
	registry: string,
	environment: Environment,
	signal: AbortSignal,
): Promise<HelperAnswer | undefined> {
	const program = `docker-credential-${name}`;
	const { exitCode, output } = await runHelper(program, registry, environment, signal);
	if (exitCode === 0) return parseAnswer(output, program, registry);
	if (output.trim() === NOT_FOUND) return undefined;
	throw new DeliveryError(
		`cannot get the credentials of ${registry}: ${program} failed: ${reason(output, exitCode)}`,
		{ hint: `try it by hand: echo ${registry} | ${program} get` },
	);
}

async function runHelper(
	program: string,
	registry: string,
	environment: Environment,
	signal: AbortSignal,
): Promise<{ readonly exitCode: number | null; readonly output: string }> {
	if (signal.aborted) throw interrupted(signal);
	const start = commandToStart(program, ["get"], environment);
	const child = spawn(start.program, start.args, {
		env: { ...environment.variables },
		stdio: ["pipe", "pipe", "ignore"],
		windowsHide: true,
		windowsVerbatimArguments: start.windowsVerbatimArguments,
		signal,
	});
	const exited = new Promise<number | null>((resolve, reject) => {
		child.once("error", reject);
		child.once("close", resolve);
	});
	// A helper may answer without reading its input.
	child.stdin.on("error", () => {});
	child.stdin.end(registry);
	try {
		const [exitCode, output] = await Promise.all([exited, text(child.stdout)]);
		return { exitCode, output };
	} catch (error) {
		if (signal.aborted) throw interrupted(signal);
		const code = (error as NodeJS.ErrnoException).code;
		if (code === "ENOENT") throw new HelperMissing(program);
		const reason = systemReason(error);
		throw new DeliveryError(
			`cannot get the credentials of ${registry}: cannot run ${program}: ${reason}`,
			{ hint: `${program} must be a program on the PATH` },
		);
	}
}

function parseAnswer(output: string, program: string, registry: string): HelperAnswer {
	try {
		const { Username, Secret } = JSON.parse(output);
		if (typeof Username === "string" && typeof Secret === "string") {
			return { username: Username, secret: Secret };
		}
	} catch {
		// Falls through: the parser's message would quote the secret.
	}
	throw new DeliveryError(
		`cannot get the credentials of ${registry}: ${program} did not answer with {"Username", "Secret"}`,
		{ hint: "is it a docker credential helper?" },
	);
}

/** The helper's first line, unless it may hold an answer, and thus a secret. */
function reason(output: string, exitCode: number | null): string {
	const [line = ""] = output.trim().split(/\r?\n/, 1);
	return line === "" || output.includes("{") ? `exit code ${exitCode}` : line.slice(0, 200);
}
