import { BuildTrace, type FailedStep } from "../../buildkit/trace.js";
import { BuildFailedError, type DockerfilePosition, EngineError } from "../../errors.js";
import type { Run } from "../../events.js";
import { onOneLine } from "../../printable.js";
import { suggestion } from "../../suggestion.js";
import { ClassicOutput, imageIdIn } from "./classic-output.js";
import {
	type DockerfileText,
	type LineRange,
	positionOfLine,
	positionOfStep,
} from "./dockerfile-position.js";
import { type CopySource, explainFailure, type FailureReason } from "./failure-reason.js";
import { explainImageFailure, type ImageFailure } from "./image-failure.js";
import { whyMissing } from "./missing-source.js";

/** Longest step name in an error message, in UTF-16 units; a heredoc may be pages long. */
const NAME_LENGTH = 100;

/** What an error begins with that no step had and no line is known of. */
export const NOWHERE = "the build failed: ";

/** Both spellings: "line 3" up to BuildKit 0.8, "on line 3" after it. */
const PARSE_ERROR = /dockerfile parse error (?:on )?line (?<line>\d+): (?<reason>.*)/s;

/** What the classic builder finds wrong with a context that it has the Dockerfile of, or fetches. */
const BAD_CONTEXT =
	/ refused POST \/build: (?<reason>(?:Cannot locate specified Dockerfile: |the Dockerfile \(.*\) cannot be empty|error downloading remote context |error fetching: ).*) \(HTTP \d+\)$/i;

interface BuildOutputOptions {
	/** Whether an image was asked for, which the answer then ends with. */
	readonly image?: boolean;
	/** A clock in milliseconds. */
	readonly now?: () => number;
}

/**
 * Reads the answer to POST /build to its end and tells its news: BuildKit's trace, the classic
 * builder's text and Podman's.
 *
 * @param messages the answer's JSON lines
 * @param dockerfile for the position of a failed step; absent where it is not on this side
 * @returns the image id: "sha256:" and 64 hex digits; undefined where no image was asked for
 * @throws BuildFailedError; EngineError when the answer ends without a result or makes no sense;
 * whatever `messages` throws
 */
export async function readBuildOutput(
	messages: AsyncIterable<unknown>,
	dockerfile: DockerfileText | undefined,
	{ emit }: Run,
	{ image = true, now = () => performance.now() }: BuildOutputOptions = {},
): Promise<{ readonly imageId: string | undefined }> {
	const trace = new BuildTrace(emit);
	const classic = new ClassicOutput(emit, now);
	let buildkitImage: string | undefined;
	let imageId: string | undefined;
	let succeeded = false;
	try {
		for await (const message of messages) {
			if (!isRecord(message)) continue;
			const error = errorOf(message);
			if (error !== undefined) {
				const step = trace.failedStep(error) ?? classic.fail(error);
				throw await buildFailed(error, step, dockerfile);
			}
			if (message.id === "moby.buildkit.trace") trace.read(message.aux);
			else if (message.id === "moby.image.id") buildkitImage = imageIdIn(message.aux);
			else classic.read(message);
		}
		imageId = buildkitImage ?? classic.imageId;
		succeeded = imageId !== undefined || !image;
	} finally {
		trace.close(succeeded);
		classic.close(succeeded);
	}
	if (succeeded) return { imageId };
	throw brokenOff();
}

/** The daemon was heard of no more before the build had a result. */
function brokenOff(): EngineError {
	return new EngineError("the daemon closed the connection in the middle of the build", {
		hint: "it may have stopped or run out of memory: look at its log on that machine (journalctl -u docker)",
	});
}

/**
 * A syntax error, or a context that is no good, is found by the classic builder before its answer starts: it
 * refuses POST /build. Gives that as a BuildFailedError, as it would be with BuildKit, and any other error as it is.
 */
export function explainRefusal(error: unknown, dockerfile: DockerfileText | undefined): unknown {
	if (!(error instanceof EngineError)) return error;
	const words = BAD_CONTEXT.exec(error.message)?.groups?.reason;
	if (words !== undefined) {
		const { reason, hint } = explainFailure(words);
		return new BuildFailedError(`${NOWHERE}${reason}`, { hint, cause: error });
	}
	if (error.status !== 400) return error;
	return parseFailed(error.message, dockerfile) ?? error;
}

/**
 * What the builder's error comes to, with the line it is about where that can be found out.
 *
 * @param lines where the builder itself says that it is
 */
export async function buildFailed(
	error: string,
	step: FailedStep | undefined,
	dockerfile: DockerfileText | undefined,
	lines?: LineRange,
): Promise<BuildFailedError> {
	const syntax = parseFailed(error, dockerfile);
	if (syntax !== undefined) return syntax;
	const position = dockerfile && (await positionOf(step, lines, dockerfile));
	const image = explainImageFailure(step?.name, step?.error ?? error, dockerfile);
	if (image !== undefined) {
		const stage = dockerfile && (await meantStage(image, dockerfile));
		const hint = stage && `did you mean the stage ${stage}? Otherwise: ${image.hint}`;
		return imageFailed({ ...image, ...(hint && { hint }) }, step?.error ?? error, position);
	}
	const failure = explainFailure(step?.error ?? error, copySource(step, dockerfile), step?.logTail);
	const hint = (await searchFor(failure, step, dockerfile)) ?? failure.hint;
	const { reason } = failure;
	if (step === undefined) {
		const where = position === undefined ? NOWHERE : placeOf(position);
		return new BuildFailedError(`${where}${reason}`, { hint, position });
	}
	return new BuildFailedError(`${shortName(step.name)} failed: ${reason}`, {
		hint,
		logTail: step.logTail,
		position,
	});
}

async function positionOf(
	step: FailedStep | undefined,
	lines: LineRange | undefined,
	dockerfile: DockerfileText,
): Promise<DockerfilePosition | undefined> {
	if (step !== undefined) return positionOfStep(step.name, dockerfile);
	return lines && positionOfLine(lines.line, dockerfile, lines.endLine);
}

/** What an error begins with that is about that line. */
export function placeOf({ file, line }: DockerfilePosition): string {
	return `${file}:${line}: `;
}

/** A closer word about a file that is missing. */
async function searchFor(
	{ missing }: FailureReason,
	step: FailedStep | undefined,
	dockerfile: DockerfileText | undefined,
): Promise<string | undefined> {
	if (missing === undefined || dockerfile?.context === undefined) return undefined;
	return whyMissing(missing, step?.name ?? "", dockerfile.context);
}

function copySource(
	step: FailedStep | undefined,
	dockerfile: DockerfileText | undefined,
): CopySource {
	if (step !== undefined && / --from=/.test(step.name)) return "--from";
	return dockerfile?.isAlone ? "none" : "context";
}

/** A registry that has not heard of it, or hides whether it has; Docker Hub is asked for any misspelled stage. */
const UNKNOWN_IMAGE = /has no such image|denies access|cannot resolve /;

/** The stage whose name is like that of an image that there is not. */
async function meantStage(
	{ image, reason }: ImageFailure,
	{ content, buildArgs }: DockerfileText,
): Promise<string | undefined> {
	const name = /^image ([\w.-]{3,}):latest$/.exec(image)?.[1];
	if (name === undefined || !UNKNOWN_IMAGE.test(reason)) return undefined;
	const { stagesInsteadOf } = await import("../../survey/dockerfile/missing-stage.js");
	return suggestion(name, stagesInsteadOf(name, Buffer.from(content).toString(), buildArgs) ?? []);
}

function imageFailed(
	{ image, reason, hint }: ImageFailure,
	error: string,
	position: DockerfilePosition | undefined,
): BuildFailedError {
	const where = position === undefined ? "" : placeOf(position);
	return new BuildFailedError(`${where}cannot get the ${image}: ${reason}`, {
		hint,
		position,
		cause: new Error(`the builder says: ${error.trim()}`),
	});
}

function parseFailed(
	error: string,
	dockerfile: DockerfileText | undefined,
): BuildFailedError | undefined {
	const { line, reason = "" } = PARSE_ERROR.exec(error)?.groups ?? {};
	if (line === undefined) return undefined;
	const file = dockerfile?.displayName ?? "Dockerfile";
	return new BuildFailedError(`${file}:${line}: ${onOneLine(reason)}`, {
		position: dockerfile && positionOfLine(Number(line), dockerfile),
	});
}

function shortName(name: string): string {
	const line = name.replace(/\s+/g, " ");
	return line.length > NAME_LENGTH ? `${line.slice(0, NAME_LENGTH)}…` : line;
}

/** `{"errorDetail":{"code":2,"message":"…"},"error":"…"}`; the build's HTTP status is 200 by then. */
function errorOf({ error, errorDetail }: Record<string, unknown>): string | undefined {
	if (isRecord(errorDetail) && typeof errorDetail.message === "string") return errorDetail.message;
	return typeof error === "string" ? error : undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
	return typeof value === "object" && value !== null;
}
