import { resolve } from "node:path";
import { checkWritable } from "../../disk/replacement-file.js";
import { UsageError } from "../../errors.js";
import type { ExportTarget } from "../../image/export/export-target.js";
import { FileTarget } from "../../image/export/file-target.js";
import { StreamTarget } from "../../image/export/stream-target.js";
import type { ContextArguments } from "./context-flags.js";

/**
 * Where the result goes: a file that appears when it is complete, or the standard output.
 *
 * @throws UsageError for what a terminal cannot show
 * @throws DeliveryError for a file that cannot be written
 */
export async function resultTarget(
	output: string | undefined,
	format: ContextArguments["format"],
): Promise<ExportTarget> {
	if (output !== undefined && output !== "-") {
		await checkWritable(resolve(output), `context.${format}`);
		return new FileTarget(resolve(output));
	}
	if ((format === "tar" || format === "html") && process.stdout.isTTY) {
		const what = format === "tar" ? "a tar" : "a page";
		throw new UsageError(`--format ${format} would write ${what} to the terminal`, {
			hint:
				format === "tar"
					? "redirect the standard output, or name a file with --output"
					: "name a file with --output, or have it opened with --open",
		});
	}
	return new StreamTarget(process.stdout);
}

/** A reader that has seen enough (`| head`) is no error. */
export async function writeResult(
	target: ExportTarget,
	parts: AsyncIterable<string | Uint8Array>,
	signal: AbortSignal,
): Promise<void> {
	try {
		await target.receive(bytesOf(parts), signal);
	} catch (error) {
		const { code } = ((error as Error).cause ?? {}) as NodeJS.ErrnoException;
		if (code === "EPIPE" && target instanceof StreamTarget) return;
		throw error;
	}
	await target.commit();
}

async function* bytesOf(
	parts: AsyncIterable<string | Uint8Array>,
): AsyncGenerator<Uint8Array, void> {
	for await (const part of parts) yield typeof part === "string" ? Buffer.from(part) : part;
}
