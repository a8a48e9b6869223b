import type { ContextSummary } from "../../context/tree/manifest.js";
import { ContextError } from "../../errors.js";
import type { Run } from "../../events.js";
import type { SecretFinding } from "../../survey/context-document.js";
import { SUSPECT_PATH } from "../../survey/secrets/suspect-paths.js";
import type { SecretsCheck } from "../plan/options.js";

/** A context that is about to be sent. */
export interface CheckedContext {
	/** Of a named context; absent for the build context. */
	readonly name?: string;
	readonly root: string;
	readonly platform: NodeJS.Platform;
	readonly ignore: { readonly content: Uint8Array; readonly file: string } | undefined;
	/** With what pathsToNote() asked for. */
	readonly walked: Promise<ContextSummary>;
	/** Those of the noted paths that will be sent, once some were noted; absent: all of them. */
	readonly sent?: () => Promise<readonly string[]>;
}

/** How many paths a message names. */
const NAMED = 3;

/** What the walk has to note for checkSecrets(). */
export function pathsToNote(check: SecretsCheck): RegExp | undefined {
	return check === "off" ? undefined : SUSPECT_PATH;
}

/**
 * Tells of files that hold credentials, by their paths and then by what is in them. What it takes to
 * judge them is only loaded if there are such paths.
 *
 * @throws ContextError where they must not be sent
 */
export async function checkSecrets(
	{ name, root, platform, ignore, walked, sent }: CheckedContext,
	check: SecretsCheck,
	run: Run,
): Promise<void> {
	const { noted } = await walked;
	if (noted.length === 0) return;
	const paths = sent === undefined ? noted : await sent();
	if (paths.length === 0) return;
	const { findSecrets } = await import("../../survey/secrets/find-secrets.js");
	const { allowedSecrets } = await import("../../survey/secrets/allowed-secrets.js");
	const { SourceTree } = await import("../../context/tree/source-tree.js");
	const tree = new SourceTree(root, platform);
	const findings = findSecrets(tree, paths, allowedSecrets(ignore), run.signal);
	if (findings.length === 0) return;
	const context = name === undefined ? "the build context" : `the build context ${name}`;
	const message = `${context} holds what looks like credentials: ${placesOf(findings)}`;
	const allow = `a line "# rbuild:allow-secret PATH" in ${ignore?.file ?? ".dockerignore"}`;
	if (check === "deny") {
		throw new ContextError(message, { hint: `leave it out with .dockerignore, or add ${allow}` });
	}
	const hint = `leave it out with .dockerignore; ${allow} silences one, --secrets off all of them`;
	run.emit({ type: "secrets", source: name ?? root, findings, message, hint });
}

function placesOf(findings: readonly SecretFinding[]): string {
	const places = findings
		.slice(0, NAMED)
		.map(({ path, what, line }) => `${path}${line === undefined ? "" : `:${line}`} (${what})`);
	const more = findings.length - places.length;
	return more === 0 ? places.join(", ") : `${places.join(", ")} and ${more} more`;
}
