import type { Dockerfile, From, Instruction } from "dockerfile-ast";
import type { BuildContext } from "../../context/build-context.js";
import type { BuildRequest } from "../../engine/build-request.js";
import type { DockerfilePosition } from "../../errors.js";
import { onOneLine } from "../../printable.js";
import { frontendLine, frontendOf } from "../../survey/dockerfile/frontends.js";
import { dockerfileExcerpt } from "./dockerfile-excerpt.js";
import type { SearchedContext } from "./missing-source.js";

/** A Dockerfile at hand. */
export interface DockerfileText {
	/** As the user named it. */
	readonly displayName: string;
	/** UTF-8. */
	readonly content: Uint8Array;
	/** What it is built with. */
	readonly buildArgs?: BuildRequest["buildArgs"];
	/** Whether it is all there is: it came on standard input, without a context. */
	readonly isAlone?: boolean;
	/** The directory that goes with it. */
	readonly context?: SearchedContext;
}

/** Of an instruction, both counted from 1. */
export type LineRange = Pick<DockerfilePosition, "line" | "endLine">;

/** Absent where the Dockerfile does not pass through our hands. */
export function dockerfileText(
	context: BuildContext,
	{ buildArgs }: Pick<BuildRequest, "buildArgs">,
): DockerfileText | undefined {
	const { kind, dockerfileName: displayName, dockerfileContent: content } = context;
	if (content === undefined) return undefined;
	const isAlone = kind === "archive";
	return { displayName, content, buildArgs, isAlone, ...(kind === "directory" && { context }) };
}

/** "[2/3] RUN make", "[builder 2/3] RUN make", "[linux/amd64 builder  2/10] RUN make". */
const BUILDKIT_STEP =
	/^\[ *(?:\S*\/\S* +)??(?:(?<stage>[^\s/]+) +)?(?<number>\d+)\/\d+\] (?<text>.*)$/s;

const CLASSIC_STEP = /^Step (?<number>\d+)\/\d+ : (?<text>.*)$/s;

const PODMAN_STEP = /^(?:\[(?<stage>\d+)\/\d+\] )?STEP (?<number>\d+)\/\d+: (?<text>.*)$/s;

const LOAD_TOOL =
	/^(?:resolve image config for (?:docker-image:\/\/)?|docker-image:\/\/)(?<reference>\S+)$/;

const LOAD_METADATA = /^\[internal\] load metadata for (?<reference>\S+)$/;

/** The instructions that BuildKit counts in "[2/3]", beside a FROM with an image of its own. */
const BUILDKIT_COUNTS = new Set(["ADD", "COPY", "RUN", "WORKDIR"]);

/**
 * Where a failed step is written. Steps are found by their number first: their text has variables
 * filled in. `undefined` where that cannot be said for sure, as for the triggers of a base image.
 */
export async function positionOfStep(
	stepName: string,
	dockerfile: DockerfileText,
): Promise<DockerfilePosition | undefined> {
	const { DockerfileParser } = await import("../../survey/dockerfile/dockerfile-parser.js");
	const text = decode(dockerfile);
	const tool = toolOf(stepName);
	if (tool !== undefined && isFrontend(tool, dockerfile)) {
		const line = frontendLine(text, dockerfile.buildArgs);
		return line === undefined ? undefined : positionOfLine(line, dockerfile);
	}
	const parsed = DockerfileParser.parse(text);
	const instruction = findInstruction(stepName, parsed);
	if (instruction === undefined) return undefined;
	const { start, end } = instruction.getRange();
	return positionOfLine(start.line + 1, dockerfile, end.line + 1);
}

/**
 * The image of what BuildKit itself runs, where a step gets one: the frontend that reads the
 * Dockerfile or, in the same words, what --sbom names.
 */
export function toolOf(stepName: string): string | undefined {
	return LOAD_TOOL.exec(stepName)?.groups?.reference;
}

/** Whether such an image is what reads the Dockerfile. */
export function isFrontend(tool: string, dockerfile: DockerfileText): boolean {
	const frontend = frontendOf(decode(dockerfile), dockerfile.buildArgs);
	return names(withoutDigest(frontend), withoutDigest(tool));
}

function withoutDigest(reference = ""): string {
	return reference.replace(/@.*/, "");
}

/**
 * @param line counted from 1, as in the builders' "dockerfile parse error on line 3"
 * @param endLine the last one, of an instruction of several
 */
export function positionOfLine(
	line: number,
	dockerfile: DockerfileText,
	endLine = line,
): DockerfilePosition | undefined {
	const lines = decode(dockerfile).split(/\r?\n/);
	const text = lines[line - 1];
	if (text === undefined) return undefined;
	const excerpt = dockerfileExcerpt(lines, line, endLine);
	return { file: dockerfile.displayName, line, endLine, text, excerpt };
}

function decode({ content }: DockerfileText): string {
	return new TextDecoder().decode(content);
}

function findInstruction(stepName: string, dockerfile: Dockerfile): Instruction | undefined {
	const instructions = dockerfile.getInstructions();
	const reference = LOAD_METADATA.exec(stepName)?.groups?.reference;
	if (reference !== undefined) {
		const froms = dockerfile.getFROMs();
		return (
			froms.find((from) => names(from.getImage(), reference)) ??
			dockerfile.getCOPYs().find((copy) => names(copy.getFromFlag()?.getValue(), reference)) ??
			instructions.find((one) => mountedImages(one).some((image) => names(image, reference))) ??
			onlyOne(froms.filter((from) => mayName(from.getImage() ?? "", reference)))
		);
	}

	const podman = PODMAN_STEP.exec(stepName)?.groups;
	const buildkit = BUILDKIT_STEP.exec(stepName)?.groups;
	// Podman's first: "[1/2] STEP 2/3: RUN make" has the form of BuildKit's, too.
	const step = podman ?? buildkit ?? CLASSIC_STEP.exec(stepName)?.groups;
	if (step === undefined) return undefined;

	const stages = splitStages(instructions);
	let counted = instructions;
	if (podman) counted = stages[Number(step.stage ?? 1) - 1] ?? [];
	else if (buildkit) counted = countedByBuildKit(stages, step.stage);

	const byNumber = counted[Number(step.number) - 1];
	if (byNumber && step.text?.toUpperCase().startsWith(`${byNumber.getKeyword()} `)) return byNumber;
	return onlyOne(instructions.filter((one) => sameText(one, step.text ?? "")));
}

function onlyOne<Kind>([first, ...others]: readonly Kind[]): Kind | undefined {
	return others.length === 0 ? first : undefined;
}

/** What `RUN --mount=from=…` names. */
function mountedImages(instruction: Instruction): readonly string[] {
	if (instruction.getKeyword() !== "RUN") return [];
	const flags = instruction.getTextContent().matchAll(/--mount=(\S*)/g);
	return [...flags].flatMap(([, fields]) => /(?:^|,)from=([^,]+)/.exec(fields ?? "")?.[1] ?? []);
}

/** Each stage with its FROM. What comes before the first one can only be ARG. */
function splitStages(instructions: readonly Instruction[]): Instruction[][] {
	const stages: Instruction[][] = [];
	for (const instruction of instructions) {
		if (instruction.getKeyword() === "FROM") stages.push([]);
		stages.at(-1)?.push(instruction);
	}
	return stages;
}

/** @param label the stage's name or "stage-1"; absent when the Dockerfile has one stage only */
function countedByBuildKit(stages: Instruction[][], label: string | undefined): Instruction[] {
	const names = stages.map((stage) => (stage[0] as From).getBuildStage()?.toLowerCase());
	const index = names.findIndex((name, at) => label === (name ?? `stage-${at}`));
	const stage = stages[label === undefined && stages.length === 1 ? 0 : index] ?? [];
	return stage.filter((instruction) => {
		if (instruction.getKeyword() !== "FROM") return BUILDKIT_COUNTS.has(instruction.getKeyword());
		const base = (instruction as From).getImage()?.toLowerCase();
		return base !== "scratch" && !names.includes(base);
	});
}

/** Whether this is what was meant by a full image name, such as "docker.io/library/alpine:latest". */
function names(image: string | null | undefined, reference: string): boolean {
	if (!image) return false;
	const full = `/${reference}`;
	return full.endsWith(`/${image}`) || full.endsWith(`/${image}:latest`);
}

/** The same for a name with variables, which may hold anything. */
function mayName(image: string, reference: string): boolean {
	const [start = "", ...rest] = image.split(/\$(?:\{[^}]*\}|\w+)/);
	if (rest.length === 0) return false;
	const literal = [start, ...rest].map((text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
	return new RegExp(`/${literal.join(".*")}(?::latest)?$`).test(`/${reference}`);
}

function sameText(instruction: Instruction, text: string): boolean {
	const written = `${instruction.getKeyword()} ${instruction.getRawArgumentsContent() ?? ""}`;
	return normalize(written) === normalize(text);
}

/** Builders join continued lines in ways of their own, and write keywords in capitals. */
function normalize(text: string): string {
	return onOneLine(text.replace(/[\\`]\s*\n(?:\s*#.*\n)*/g, " "));
}
