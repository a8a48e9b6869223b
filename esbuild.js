// Bundles the command into dist/bundle: one file, whose compiled code is kept (src/cli/process/compiled-program.ts),
// starts faster than some two hundred modules.
import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { build } from "esbuild";

const outdir = "dist/bundle";

/** ssh2's native cipher is compiled where rbuild is installed, and optional; so is what it asks the CPU with. */
const nativeParts = {
	name: "native parts",
	setup({ onResolve }) {
		onResolve({ filter: /sshcrypto\.node$/ }, () => ({
			path: "ssh2/lib/protocol/crypto/build/Release/sshcrypto.node",
			external: true,
		}));
		onResolve({ filter: /^cpu-features$/ }, () => ({ path: "cpu-features", external: true }));
	},
};

/** The program by which ssh2 talks to Pageant on Windows lies beside the bundle, not in ssh2's folder. */
const pageant = {
	name: "Pageant",
	setup({ onLoad, onEnd }) {
		onLoad({ filter: /[\\/]ssh2[\\/]lib[\\/]agent\.js$/ }, ({ path }) => {
			const text = readFileSync(path, "utf8");
			const contents = text.replace(
				"resolve(__dirname, '..', 'util/pagent.exe')",
				"resolve(__dirname, 'pagent.exe')",
			);
			return contents === text
				? { errors: [{ text: `${path} names pagent.exe no longer as it did` }] }
				: { contents };
		});
		onEnd(() => copyFileSync("node_modules/ssh2/util/pagent.exe", `${outdir}/pagent.exe`));
	},
};

/**
 * What libraries load of node and rbuild does not use, some 10 ms: HTTPS through ssh, and HTTP/2, which undici
 * offers to no server unless it is asked to (allowH2).
 */
const unusedParts = {
	name: "unused parts",
	setup({ onLoad }) {
		const files =
			/[\\/](?:ssh2[\\/]lib[\\/]http-agents|undici[\\/]lib[\\/]dispatcher[\\/]client-h2)\.js$/;
		onLoad({ filter: files }, () => ({ contents: "module.exports = {};" }));
	},
};

/** Of undici as a whole, which takes 90 ms to load, a build needs a third, and one that fetches tokens little more. */
const partsOfUndici = {
	name: "parts of undici",
	setup({ onResolve, onLoad }) {
		onResolve({ filter: /^undici$/ }, ({ importer }) =>
			importer.endsWith("web-client.ts")
				? { path: "undici for the web", namespace: "parts" }
				: { path: "undici", namespace: "parts", sideEffects: false },
		);
		onLoad({ filter: /^undici$/, namespace: "parts" }, () => ({
			contents: 'export { default as Pool } from "undici/lib/dispatcher/pool.js";',
			resolveDir: import.meta.dirname,
		}));
		onLoad({ filter: /^undici for the web$/, namespace: "parts" }, () => ({
			contents: `
				import Dispatcher from "undici/lib/dispatcher/dispatcher.js";
				import request from "undici/lib/api/api-request.js";
				Dispatcher.prototype.request = request;
				export { default as EnvHttpProxyAgent } from "undici/lib/dispatcher/env-http-proxy-agent.js";
			`,
			resolveDir: import.meta.dirname,
		}));
	},
};

rmSync(outdir, { recursive: true, force: true });
const options = {
	outdir,
	entryNames: "[name]",
	bundle: true,
	platform: "node",
	target: "node20.19",
	alias: { "string-width": "./src/render/display-width.ts" },
	plugins: [nativeParts, pageant, unusedParts, partsOfUndici],
	legalComments: "linked",
	// Less to read and to keep in memory; names stay, for stack traces.
	minifyWhitespace: true,
	lineLimit: 120,
	logLevel: "warning",
};
await build({
	...options,
	entryPoints: ["src/cli/program.ts"],
	format: "cjs",
	outExtension: { ".js": ".cjs" },
	// Code from a cache cannot import (node 20: "A dynamic import callback was not specified"), but require.
	supported: { "dynamic-import": false },
	define: { "import.meta.url": "programUrl" },
	// One function, as compiled-program.ts takes it.
	banner: {
		js: "(function(exports,require,module,__filename,__dirname){const programUrl=require('node:url').pathToFileURL(__filename).href;",
	},
	footer: { js: "})" },
});
// What starts it, and the threads, which share no modules with it.
await build({
	...options,
	entryPoints: [
		"src/cli/main.ts",
		"src/context/thread/context-worker.ts",
		"src/survey/survey-worker.ts",
	],
	format: "esm",
	// What bundled CommonJS expects to be there.
	define: { __dirname: "import.meta.dirname", __filename: "import.meta.filename" },
	banner: {
		js: "import{createRequire as requireFor}from'node:module';const require=requireFor(import.meta.url);",
	},
});

// The library starts that thread for each build, too: from one file, in place of some forty modules.
mkdirSync("dist/src/context/thread", { recursive: true });
copyFileSync(`${outdir}/context-worker.js`, "dist/src/context/thread/context-worker.js");

// The page of src/survey/page/context-page.ts, beside either form of it.
const page = await contextPage("src/survey/page/browser");
for (const folder of [outdir, "dist/src/survey/page"]) {
	// The action bundles without compiling.
	mkdirSync(folder, { recursive: true });
	writeFileSync(`${folder}/context-page.html`, page);
}

async function contextPage(folder) {
	const { outputFiles } = await build({
		entryPoints: [`${folder}/main.ts`, `${folder}/page.css`],
		outdir: "unwritten",
		bundle: true,
		minify: true,
		write: false,
		format: "esm",
		target: "es2022",
		logLevel: "warning",
	});
	const parts = {};
	const sources = {};
	for (const { path, text } of outputFiles) {
		const name = path.endsWith(".css") ? "style" : "script";
		parts[name] = text.trim();
		sources[name] = `'sha256-${createHash("sha256").update(parts[name]).digest("base64")}'`;
	}
	parts.policy = [
		"default-src 'none'",
		`script-src ${sources.script}`,
		`style-src ${sources.style}`,
		"base-uri 'none'",
		"form-action 'none'",
	].join("; ");
	const template = readFileSync(`${folder}/page.html`, "utf8").replace(/<!-- .*? -->/g, "");
	return template.replace(/\/\*(policy|style|script)\*\//g, (_, name) => parts[name]);
}
