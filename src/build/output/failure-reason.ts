import { wordsOnOneLine } from "../../engine/daemon-words.js";
import { onOneLine } from "../../printable.js";
import { LOSSES } from "./lost-on-box.js";
import { missingPath } from "./missing-source.js";

/** Why a build failed, in as few words as tell it. */
export interface FailureReason {
	readonly reason: string;
	readonly hint?: string;
	/** What of the context is not there, "/"-separated, where that is why. */
	readonly missing?: string;
}

/** What builders wrap around the reason: their own stages, gRPC's codes, the text of the step. */
const WRAPPINGS = [
	/^failed to solve(?: with frontend \S+)?: /,
	/^rpc error: code = \w+ desc = /,
	/^(?:NotFound|Unauthenticated|Unavailable|Unknown|InvalidArgument|Internal): /,
	/^failed to authorize: /,
	/^failed to create LLB definition: /,
	/^failed to load LLB: /,
	/^failed to compute cache key: /,
	/^failed to calculate checksum of ref \S+: /,
	/^building at STEP ".*?": /,
	/^resolving mountpoints for container "\w+": /,
	/^reading "https?:[^"]*": (?=Get )/,
	// With all of its own settings.
	/^reading ".*?": error during bulk transfer for copier\.request\{.*\}: /,
	/^(?:COPY|ADD) failed: /,
	/^Build error: /,
	/ &imagebuilder\.Step\{.*$/,
];

/** BuildKit, classic builder and Podman, each with the command's exit code. */
const EXIT_CODES = [
	/(?:^executor failed running .*|did not complete successfully): exit code: (\d+)$/,
	/^The command .* returned a non-zero code: (\d+)$/,
	/: while running runtime: exit status (\d+)$/,
];

/** What an image is that was not made for the platform; BuildKit, the classic builder and Podman. */
export const NOT_FOR_PLATFORM =
	/no match for platform in manifest|no matching manifest for|no image found in (?:image index|manifest list) for/;

const GIVE_SECRET =
	"the Dockerfile asks for it: give it with --secret id=$1,src=FILE or --secret id=$1,env=VARIABLE";

/** "$1" is what the pattern found. */
const HINTS: readonly (readonly [RegExp, string])[] = [
	[
		/401 Unauthorized|no basic auth credentials|authorization failed|insufficient_scope|does not accept the login/i,
		"credentials come from this machine: log in to that registry here with `docker login`, or put them into ~/.docker/config.json",
	],
	[
		/^index annotations not supported for single platform export$/,
		"an image of one platform has an index only with attestations: add --provenance=true, or annotate the manifest",
	],
	[
		/^granting entitlement .* is not allowed/,
		"allow it in that daemon's daemon.json, under builder.entitlements",
	],
	[
		/^(network\.host|security\.insecure) is not allowed$/,
		"the Dockerfile asks for it: allow it with --allow $1",
	],
	[
		// Up to BuildKit 0.8 with one "not found" more.
		/^secret (\S+?)(?: not found)?: not found$/,
		GIVE_SECRET,
	],
	// Podman.
	[/^secret required but no secret with id "(.*)" found$/, GIVE_SECRET],
	[
		// The default has no name in Docker 28's words.
		/^no SSH key "" forwarded from the client$/,
		"forward your ssh agent with --ssh default, or a key with --ssh default=FILE",
	],
	[
		/^no SSH key "(.*)" forwarded from the client$/,
		"forward your ssh agent with --ssh $1, or a key with --ssh $1=FILE",
	],
	...LOSSES.map(({ pattern, hint }) => [pattern, hint] as const),
	[
		// An abbreviated commit is looked for as a branch.
		/^repository does not contain ref /,
		"it is no branch or tag there; a commit needs all of its 40 digits",
	],
	[
		/exec: "git": executable file not found/,
		"the build machine fetches repositories itself, and has no git: install it there, or clone here and build the folder",
	],
	[
		/^(?:failed to fetch remote|error fetching default branch for repository) /,
		"the build machine fetches it, with no login of this one: a private repository by its ssh address, git@HOST:PATH, with your agent",
	],
	[
		// A tar from here has a URL of its own in the daemon.
		/^invalid response status \d+|^Get "https?:\/\/(?!build-context-)/,
		"that URL is fetched by the build machine, not by this one",
	],
	[
		/^exit code: 137$/,
		"the command was killed, most often because the build machine ran out of memory",
	],
	[
		NOT_FOR_PLATFORM,
		"the base image is not available for this platform; look at FROM and --platform",
	],
	[
		/no space left on device|disk quota exceeded/,
		"the build machine's disk is full: make room there, as with `docker builder prune` and `docker image prune`",
	],
	[
		/exec format error/,
		"the image's programs are for another architecture than the build machine's; look at --platform",
	],
	[
		/^Cannot locate specified Dockerfile: |^failed to read dockerfile: open /,
		"name the Dockerfile as it is called in the context: -f FILE",
	],
	[
		// The daemon asks a sync for the context with the rules as headers, of which gRPC takes so many.
		/^header list size to send violates the maximum size/,
		"the .dockerignore has too many lines for a sync: make it shorter, or use --transfer tar",
	],
	[/^unexpected EOF$/, "an archive is truncated: the build context, or one that an ADD unpacks"],
];

/** By what a command said that failed; BuildKit runs what it cannot execute as one that says so. */
const LAST_WORDS: readonly (readonly [RegExp, string])[] = [
	[
		/exec format error$/i,
		"that program is for another architecture, or a script whose first line has no #!; look at what is copied into the image, FROM and --platform",
	],
	[
		/no space left on device$|disk quota exceeded$/i,
		"there is no room left where the command writes: `docker builder prune` and `docker image prune` make some on the build machine",
	],
];

/** What a COPY or ADD names is not there; BuildKit, the classic builder and Podman. */
const MISSING_FILE =
	/^"?\/\S* ?not found: not found$|^"\/.*": not found$|file not found in build context|copier: (?:stat|get): |: generating checksum for \w+ "|^lstat \/.*: no such file or directory$/;

/** Where a COPY or ADD looks for what it names: "none" where there is a Dockerfile and no build context. */
export type CopySource = "context" | "none" | "--from";

const MISSING_FILE_HINTS: Readonly<Record<CopySource, string>> = {
	context: "it is not in the build context, or .dockerignore leaves it out: see `rbuild context`",
	none: "a Dockerfile on standard input has no build context; to have one beside it: rbuild . -f -",
	"--from": "the stage, image or context that --from names does not have it",
};

/**
 * Takes the wrappings off a builder's error, which may name the step again and internal ids.
 *
 * @param log the last lines of the step's output
 */
export function explainFailure(
	error: string,
	source: CopySource = "context",
	log: readonly string[] = [],
): FailureReason {
	const text = onOneLine(error);
	const code = exitCode(text);
	const whole = code ?? unwrap(text);
	const reason = wordsOnOneLine(whole);
	if (MISSING_FILE.test(whole)) {
		const missing = source === "context" ? missingPath(whole) : undefined;
		return { reason, hint: MISSING_FILE_HINTS[source], ...(missing !== undefined && { missing }) };
	}
	for (const [pattern, hint] of HINTS) {
		const found = pattern.exec(whole);
		if (found !== null) return { reason, hint: hint.replaceAll("$1", () => found[1] ?? "") };
	}
	const said = code && LAST_WORDS.find(([pattern]) => log.some((line) => pattern.test(line)));
	return { reason, ...(said && { hint: said[1] }) };
}

function exitCode(text: string): string | undefined {
	for (const pattern of EXIT_CODES) {
		const code = pattern.exec(text)?.[1];
		if (code !== undefined) return `exit code: ${code}`;
	}
	return undefined;
}

function unwrap(text: string): string {
	const wrapping = WRAPPINGS.find((pattern) => pattern.test(text));
	return wrapping === undefined ? text : unwrap(text.replace(wrapping, ""));
}
