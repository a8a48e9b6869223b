import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { DeliveryError, UsageError } from "../../errors.js";
import { printableName } from "../../printable.js";
import { systemReason } from "../../system-reason.js";
import { openFile } from "../process/open-file.js";
import type { ContextArguments } from "./context-flags.js";

/**
 * What `--open` asks for beside the browser: a page, in a file that stays.
 *
 * @throws UsageError for another format; DeliveryError
 */
export async function asOpenedPage(
	values: ContextArguments,
): Promise<ContextArguments & { readonly output: string }> {
	const { format, output } = values;
	if (format !== "table" && format !== "html") {
		throw new UsageError(`--open cannot be used with --format ${format}`, {
			hint: "leave one of them out",
		});
	}
	if (output === "-") {
		throw new UsageError("--open cannot be used with --output -", {
			hint: "leave --output out, or name a file",
		});
	}
	const file = output ?? join(await newFolder(), "context.html");
	return { ...values, format: "html", output: resolve(file) };
}

/** One that nobody else can look into: names of files are not for everybody. */
async function newFolder(): Promise<string> {
	try {
		return await mkdtemp(join(tmpdir(), "rbuild-"));
	} catch (error) {
		throw new DeliveryError(`cannot make a folder in ${tmpdir()}: ${systemReason(error)}`, {
			hint: "set TMPDIR to another folder, or name a file with --output",
			cause: error,
		});
	}
}

/** In any case it says where the page is. */
export async function showPage(file: string): Promise<void> {
	const why = await openFile(file, process.platform, process.env);
	const name = printableName(file);
	process.stderr.write(why === undefined ? `opened ${name}\n` : `the page is ${name}: ${why}\n`);
}
