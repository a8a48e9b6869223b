import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { cacheFolder, forgetOldFiles } from "../cache-folder.js";
import { compileProgram } from "./process/compiled-program.js";
import { homeDirectory } from "./process/home-directory.js";
import { survivePipes, workingDirectoryIsGone } from "./process/process-faults.js";
import { setV8Flags } from "./process/v8-flags.js";
import type * as Program from "./program.js";
import { version } from "./version.js";

// Loads nothing but what the command line asks for: `rbuild --version` is run by every editor and CI.
const argv = process.argv.slice(2);
survivePipes();
if (argv.length === 1 && ["--version", "version"].includes(argv[0] ?? "")) {
	process.stdout.write(`${version()}\n`);
} else if (!workingDirectoryIsGone()) {
	setV8Flags();
	const file = fileURLToPath(new URL("./program.cjs", import.meta.url));
	const cacheFile = codeCacheFile();
	const program = compileProgram<typeof Program>(file, cacheFile);
	const { exitCode, hasBuilt } = await program.exports.runProgram(argv);
	process.exitCode ||= exitCode;
	if (hasBuilt && !program.fromCache) {
		// A folder that takes no files is as good as an empty one.
		await program.keep().catch(() => {});
		await forgetOldFiles(dirname(cacheFile));
	}
}

function codeCacheFile(): string {
	const { env: variables, platform, arch, version: node } = process;
	const folder = cacheFolder({ variables, homeDirectory: homeDirectory(), platform });
	return join(folder, "code", `${version()}-${node}-${arch}`);
}
