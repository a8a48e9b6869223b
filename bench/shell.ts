import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";

/** @throws Error with what it wrote to stderr where it fails */
export async function shell(
	command: string,
): Promise<{ readonly stdout: string; readonly stderr: string }> {
	const child = spawn("bash", ["-o", "pipefail", "-c", command], {
		stdio: ["ignore", "pipe", "pipe"],
	});
	const [stdout, stderr, [code]] = await Promise.all([
		text(child.stdout),
		text(child.stderr),
		once(child, "close") as Promise<[number | null]>,
	]);
	if (code !== 0) throw new Error(`${command} ended with ${code}: ${stderr}`);
	return { stdout, stderr };
}
