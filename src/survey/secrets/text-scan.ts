import type { IgnoreRules } from "../../context/ignore/ignore-rules.js";
import type { ContextEntry } from "../../context/tree/manifest.js";
import type { SourceTree } from "../../context/tree/source-tree.js";
import type { SecretFinding } from "../context-document.js";
import { readStart } from "../file-start.js";
import { isSample } from "./samples.js";

/** What is read at most. 4,000 files take some 150 ms, and the settings of a project are far fewer. */
const LARGEST = 256 * 1024;
const FILES = 4_000;
const BYTES = 16 * 1024 * 1024;
/** A zero byte in so many at the start tells that it is no text, as git takes it. */
const HEAD = 8_000;

const SETTINGS =
	/(?:^|\/)(?:[^/.]+|\.[^/]+|[^/]*\.(?:json|ya?ml|toml|ini|cfg|conf|config|properties|xml|sh|tf|env|txt|ps1|bat))$/i;
const NO_TEXT =
	/\.(?:png|jpe?g|gif|webp|ico|icns|bmp|avif|svg|woff2?|ttf|otf|eot|mp[34]|mov|webm|wav|ogg|pdf|zip|gz|tgz|bz2|xz|zst|7z|rar|jar|war|class|so|dylib|dll|exe|a|o|node|wasm|pyc|map|lock|min\.js|snap|csv|parquet|db|sqlite)$|(?:^|\/)(?:package-lock\.json|pnpm-lock\.yaml|go\.sum)$|(?:^|\/)\.git\//i;

/** What each of the rules in secret-rules.ts needs: 3 ms for a MB, where they themselves take 50. */
const HINT =
	/PRIVATE KEY|AKIA|ASIA|A3T|(?:secret|SECRET|Secret)_?(?:access|ACCESS|Access)_?(?:key|KEY|Key)|_authToken=|npm_|xox[bpaor]-|xapp-|hooks\.slack\.com|sk-|gsk_|hf_|lin_api_|ntn_|SG\.|shp(?:pa|ca|at|ss)_|gh[pousr]_|github_pat_|glpat-|glc_|glsa_|ops_ey|hv[sbr]\.|vc[piark]_|dapi[0-9a-fA-F]|dckr_pat_|figd_/;

/**
 * Looks for credentials in files of any name: small texts, settings first, and not more than can be read in
 * no time.
 *
 * @param known paths that have been looked into already
 * @throws the signal's reason
 */
export async function scanTexts(
	tree: SourceTree,
	entries: readonly ContextEntry[],
	known: ReadonlySet<string>,
	allowed: Pick<IgnoreRules, "ignores">,
	signal: AbortSignal,
): Promise<SecretFinding[]> {
	const findings: SecretFinding[] = [];
	let left = BYTES;
	for (const { path, size } of candidates(entries)) {
		signal.throwIfAborted();
		if (known.has(path) || size > left) continue;
		left -= size;
		const content = readStart(tree, path, size);
		if (content === undefined || content.subarray(0, HEAD).includes(0)) continue;
		if (!HINT.test(content.toString("latin1")) || allowed.ignores(path)) continue;
		const { judgeText } = await import("./secret-rules.js");
		const found = await judgeText(content.toString("utf8"));
		if (found !== undefined) findings.push({ path, ...found });
	}
	return findings;
}

function candidates(entries: readonly ContextEntry[]): ContextEntry[] {
	const texts = entries.filter(
		({ path, type, size, hardlink }) =>
			type === "file" &&
			size > 0 &&
			size <= LARGEST &&
			hardlink === undefined &&
			!NO_TEXT.test(path) &&
			!isSample(path),
	);
	const settings = texts.filter(({ path }) => SETTINGS.test(path));
	const others = texts.filter(({ path }) => !SETTINGS.test(path));
	return [...settings, ...others].slice(0, FILES);
}
