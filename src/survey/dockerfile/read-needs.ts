import { posix } from "node:path";
import { argumentsOf, environmentOf } from "./assignments.js";
import type { BaseImage, ContextUse, DockerfileNeeds, NeedsOptions } from "./dockerfile-needs.js";
import { frontendOf, isKnownFrontend } from "./frontends.js";
import { givenArguments, globalArguments } from "./global-arguments.js";
import {
	flagValues,
	type Instruction,
	isFlagged,
	type ReadDockerfile,
	readDockerfile,
	sourcesOf,
} from "./instructions.js";
import { mountsOf, sourceStages } from "./mounts.js";
import { type BuilderKind, Scope, type Value, variablesOf, wordValue } from "./scope.js";
import { UnresolvableError } from "./shell-words.js";
import { readStages, type Stage } from "./stages.js";
import { DockerfileSyntaxError } from "./syntax-error.js";

/**
 * Reads what the stages that a target is built from take of the build context: the paths that BuildKit
 * asks its client for (dockerfile2llb, ctxPaths). Never throws for what is in the Dockerfile.
 */
export function readNeeds(dockerfile: string, options: NeedsOptions = {}): DockerfileNeeds {
	try {
		return new NeedsReader(dockerfile, options).read();
	} catch (error) {
		if (!(error instanceof DockerfileSyntaxError)) throw error;
		const { line, column, message } = error;
		const doubts = [`the Dockerfile is not understood in line ${line}: ${message}`];
		return { uses: [], doubts, syncsAll: false, images: [], failure: { line, column, message } };
	}
}

const TEXT_LENGTH = 100;

class NeedsReader {
	readonly #dockerfile: ReadDockerfile;
	readonly #frontend: string | undefined;
	readonly #options: NeedsOptions;
	readonly #kind: BuilderKind;
	readonly #buildArgs: ReadonlyMap<string, string>;
	readonly #globals: ReadonlyMap<string, Value>;
	readonly #uses: ContextUse[] = [];
	readonly #doubts = new Set<string>();
	readonly #images: BaseImage[] = [];
	#mountsTmpfs = false;

	constructor(dockerfile: string, options: NeedsOptions) {
		this.#dockerfile = readDockerfile(dockerfile);
		this.#frontend = frontendOf(dockerfile, options.buildArgs);
		this.#options = options;
		this.#kind = options.builder ?? "buildkit";
		this.#buildArgs = givenArguments(options);
		this.#globals = globalArguments(this.#dockerfile, options);
	}

	read(): DockerfileNeeds {
		this.#checkFrontend();
		const { instructions, escapeMark } = this.#dockerfile;
		const { target } = this.#options;
		const { stages, built } = readStages(
			instructions,
			this.#globals,
			escapeMark,
			this.#kind,
			target,
		);
		const scopes = new Map<number, Scope>();
		for (const index of built) {
			const stage = stages[index] as Stage;
			const { base } = stage;
			const scope =
				base.kind === "stage"
					? (scopes.get(base.index) as Scope).inherit()
					: this.#scopeOfBase(stage);
			scopes.set(index, scope);
			const isBase = base.kind === "image" && this.#isOfSource(base.reference);
			if (isBase) this.#add(stage.from, [""], []);
			for (const instruction of stage.instructions) this.#readInstruction(instruction, scope);
		}
		// Where nothing takes any of it, it is not asked for at all.
		const syncsAll = this.#mountsTmpfs && this.#uses.length > 0;
		return { uses: this.#uses, doubts: [...this.#doubts], syncsAll, images: this.#images };
	}

	#checkFrontend(): void {
		if (isKnownFrontend(this.#frontend)) return;
		this.#doubts.add(`the frontend "${this.#frontend}" may read the Dockerfile in another way`);
	}

	#scopeOfBase({ base, from }: Stage): Scope {
		if (base.kind === "image") {
			const image = { reference: base.reference, platform: base.platform };
			this.#images.push(image);
			const known = this.#options.knownImage?.(image);
			if (known?.hasTriggers) {
				this.#doubts.add(`the base image ${base.reference} has ONBUILD instructions`);
			} else if (known === undefined) {
				this.#doubts.add(`the base image ${base.reference} may have ONBUILD instructions`);
			}
			const unknown = `the base image ${base.reference} may set it`;
			return Scope.ofImage(this.#kind, known?.environment ?? new UnresolvableError(unknown));
		}
		if (base.kind === "unknown") {
			this.#doubts.add(`line ${from.line}: the base image is not known: ${base.reason.message}`);
			return Scope.ofImage(this.#kind, base.reason);
		}
		return Scope.ofImage(this.#kind, []);
	}

	#readInstruction(instruction: Instruction, scope: Scope): void {
		const { keyword } = instruction;
		if (keyword === "ARG") this.#readArguments(instruction, scope);
		else if (keyword === "ENV") this.#readEnvironment(instruction, scope);
		else if (keyword === "ADD" || keyword === "COPY") this.#readCopy(instruction, scope);
		else if (keyword === "RUN") this.#readMounts(instruction, scope);
	}

	#readArguments(instruction: Instruction, scope: Scope): void {
		for (const [name, word] of argumentsOf(instruction, this.#dockerfile.escapeMark)) {
			const given = this.#buildArgs.get(name);
			const value =
				given ??
				(word === undefined ? this.#globals.get(name) : this.#value(word, instruction, scope));
			if (value !== undefined) scope.setArgument(name, value);
		}
	}

	/** All values are made before the first is set. */
	#readEnvironment(instruction: Instruction, scope: Scope): void {
		const pairs = environmentOf(instruction, this.#dockerfile.escapeMark).map(
			([name, word]) =>
				[this.#value(name, instruction, scope), this.#value(word, instruction, scope)] as const,
		);
		for (const [name, value] of pairs) {
			if (typeof name === "string") scope.setEnvironment(name, value);
			else this.#doubts.add(`line ${instruction.line}: ENV of an unknown name`);
		}
	}

	/** @param from a stage, an image or a named context; absent: the build context */
	#isOfSource(from: string | undefined): boolean {
		const { isSource } = this.#options;
		if (isSource === undefined) return from === undefined;
		return from !== undefined && isSource(from);
	}

	#readCopy(instruction: Instruction, scope: Scope): void {
		const [from] = sourceStages(instruction);
		if (!this.#isOfSource(from)) return;
		const paths: string[] = [];
		const pivots: string[] = [];
		for (const word of sourcesOf(instruction)) {
			const source = this.#path(word, instruction, scope);
			if (source === undefined) continue;
			if (instruction.keyword === "ADD" && /^https?:\/\//.test(source)) continue;
			paths.push(cleaned(source));
			pivots.push(cleaned(source.includes("/./") ? (source.split("/./")[0] ?? "") : ""));
		}
		const excludes = flagValues(instruction, "exclude").filter((pattern) => pattern !== "");
		this.#add(instruction, paths, excludes, isFlagged(instruction, "parents") ? pivots : undefined);
	}

	#readMounts(instruction: Instruction, scope: Scope): void {
		const paths: string[] = [];
		for (const { type, from, source } of mountsOf(instruction)) {
			if (!this.#isOfSource(from)) continue;
			const kind = this.#path(type, instruction, scope)?.toLowerCase();
			const isBind = kind === "bind";
			if (kind === "tmpfs" && from === undefined) this.#mountsTmpfs = true;
			if (!isBind && from !== undefined) paths.push("");
			if (!isBind) continue;
			const path = this.#path(source, instruction, scope);
			if (path !== undefined) paths.push(cleaned(path));
		}
		this.#add(instruction, paths, []);
	}

	#add(
		{ line, text }: Instruction,
		paths: readonly string[],
		excludes: readonly string[],
		pivots?: readonly string[],
	): void {
		if (paths.length === 0) return;
		const short = text.replace(/\s+/g, " ");
		const shown = short.length > TEXT_LENGTH ? `${short.slice(0, TEXT_LENGTH - 1)}…` : short;
		this.#uses.push({ line, text: shown, paths, excludes, ...(pivots && { pivots }) });
	}

	/** Absent, with a doubt, where it is not known. */
	#path(word: string, instruction: Instruction, scope: Scope): string | undefined {
		const value = this.#value(word, instruction, scope);
		if (typeof value === "string") return value;
		this.#doubts.add(`line ${instruction.line}: what ${word} means is not known: ${value.message}`);
		return undefined;
	}

	#value(word: string, instruction: Instruction, scope: Scope): Value {
		const variables = variablesOf(scope, this.#kind, this.#buildArgs);
		return wordValue(word, instruction, this.#dockerfile.escapeMark, variables);
	}
}

/** As BuildKit cleans it: the context is the root, so that nothing is above it. */
function cleaned(path: string): string {
	return posix.join("/", path).replace(/\/$/, "").slice(1);
}
