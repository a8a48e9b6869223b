// Bundles the command into dist/bundle: a few files start faster than some two hundred modules.
import { rmSync } from "node:fs";
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
await build({
	entryPoints: ["src/cli/main.ts", "src/context/context-worker.ts", "src/survey/survey-worker.ts"],
	outdir,
	entryNames: "[name]",
	bundle: true,
	splitting: true,
	format: "esm",
	platform: "node",
	target: "node20.19",
	alias: { "string-width": "./src/render/display-width.ts" },
	plugins: [nativeParts, partsOfUndici],
	// What bundled CommonJS expects to be there.
	define: { __dirname: "import.meta.dirname", __filename: "import.meta.filename" },
	banner: {
		js: "import{createRequire as requireFor}from'node:module';const require=requireFor(import.meta.url);",
	},
	logLevel: "warning",
});
