import { realpath } from "node:fs/promises";
import { basename } from "node:path";
import type { Readable } from "node:stream";
import type { ContextTotals } from "../events.js";
import type { ContextRequest, LocalContext } from "./build-context.js";
import type { TarProgress } from "./content/tar-reader.js";
import { type DockerfileLocation, locateDockerfile } from "./dockerfile-location.js";
import type { SelectableDirectory } from "./entries/context-selection.js";
import { IgnoreRules } from "./ignore/ignore-rules.js";
import { type SentDockerfile, whatIsSent } from "./sent-dockerfile.js";
import { readStandardInput } from "./standard-input.js";
import {
	type ContextPart,
	type DirectoryContext,
	openDirectoryContext,
} from "./thread/directory-context.js";
import type { ContextSummary } from "./tree/manifest.js";

/** As openBuildContext, for a directory and nothing else. */
export async function openLocalContext(
	directory: string,
	request: ContextRequest,
	signal: AbortSignal,
): Promise<LocalContext> {
	const root = await realpath(directory);
	const dockerfile = await locateDockerfile({
		root,
		file: request.file,
		workingDirectory: request.workingDirectory,
		readStdin: () => readStandardInput(request.stdin, signal),
	});
	const sent = await whatIsSent(dockerfile, root);
	const walked = openDirectoryContext(
		{
			root,
			...(dockerfile.ignore === undefined ? {} : { ignore: dockerfile.ignore }),
			keep: [sent.dockerfile, ".dockerignore"],
			extra: sent.extra,
			platform: request.platform,
			note: request.note,
		},
		signal,
	);
	return new DirectoryBuildContext(request.context, root, sent, dockerfile, walked);
}

class DirectoryBuildContext implements LocalContext {
	readonly kind = "directory";
	readonly source: string;
	readonly root: string;
	readonly dockerfile: string;
	readonly dockerfileName: string;
	readonly dockerfileContent: Uint8Array;
	readonly ignore: LocalContext["ignore"];
	readonly unreadIgnoreFile: LocalContext["unreadIgnoreFile"];
	readonly directory: SelectableDirectory;
	readonly dockerfileDirectory: LocalContext["dockerfileDirectory"];
	readonly memory: LocalContext["memory"];
	readonly walked: Promise<ContextSummary>;
	readonly #walked: DirectoryContext;
	readonly #sent: SentDockerfile;
	readonly #location: DockerfileLocation;
	#totals: ContextTotals = { files: 0, bytes: 0, ignored: { files: 0, bytes: 0, complete: false } };

	constructor(
		source: string,
		root: string,
		sent: SentDockerfile,
		location: DockerfileLocation,
		walked: DirectoryContext,
	) {
		this.source = source;
		this.root = root;
		this.dockerfile = sent.dockerfile;
		this.#sent = sent;
		this.dockerfileName = location.displayName;
		this.dockerfileContent = location.content;
		this.ignore = location.ignore;
		this.unreadIgnoreFile = location.unreadIgnoreFile;
		this.directory = walked;
		this.dockerfileDirectory = dockerfileDirectory(location);
		this.#walked = walked;
		this.#location = location;
		this.memory = walked;
		this.walked = walked.walked.then((summary) => this.#note(summary));
		this.walked.catch(() => {});
	}

	hiddenFiles(): readonly string[] {
		const { ignore } = this.#location;
		const rules = ignore && IgnoreRules.parse(ignore.content, ignore.file);
		const paths = [this.dockerfile, ".dockerignore"];
		const hidden = paths.filter((path) => this.#sent.added.includes(path) || rules?.ignores(path));
		return rules ? hidden.map((path) => allOfIt(path, rules)) : hidden;
	}

	totals(): ContextTotals {
		return this.#totals;
	}

	tar(onProgress: (progress: TarProgress) => void): Readable {
		return this.#measuredAtEnd(this.#walked.tar(onProgress));
	}

	async part(paths: readonly string[]): Promise<ContextPart | undefined> {
		const { dockerfile } = this;
		const always = [dockerfile, `${dockerfile}.dockerignore`, ".dockerignore"];
		const part = await this.#walked.part({ paths, always });
		return part && { ...part, tar: (onProgress) => this.#measuredAtEnd(part.tar(onProgress)) };
	}

	/** What was ignored is only for the report, so it waits until this side has nothing else to do. */
	#measuredAtEnd(tar: Readable): Readable {
		return tar.once("end", () => this.measureIgnored().catch(() => {}));
	}

	rememberSizes(file: string): void {
		this.#walked.rememberSizes(file);
	}

	async measureIgnored(): Promise<ContextTotals> {
		await this.walked;
		const ignored = await this.#walked.measureIgnored();
		this.#totals = { ...this.#totals, ignored: { ...ignored, complete: true } };
		return this.#totals;
	}

	forAnotherBox(): LocalContext {
		const { source, root } = this;
		const walked = this.#walked.forAnotherBox();
		return new DirectoryBuildContext(source, root, this.#sent, this.#location, walked);
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.#walked[Symbol.asyncDispose]();
	}

	#note(summary: ContextSummary): ContextSummary {
		const { files, bytes, ignored } = summary;
		const complete = ignored.directories.length === 0;
		this.#totals = {
			files,
			bytes,
			ignored: { files: ignored.files, bytes: ignored.bytes, complete },
		};
		return summary;
	}
}

/** The folder that is sent for that path alone, if there is one. */
function allOfIt(path: string, rules: IgnoreRules): string {
	let state = rules.root();
	for (let end = path.indexOf("/"); end >= 0; end = path.indexOf("/", end + 1)) {
		const folder = path.slice(0, end);
		state = rules.match(folder, state);
		if (state.ignored && !rules.mayReincludeBelow(folder, state)) return folder;
	}
	return path;
}

/** The daemon looks for the Dockerfile and NAME.dockerignore here, before .dockerignore in the context. */
function dockerfileDirectory({
	displayName,
	content,
	ignore,
}: DockerfileLocation): LocalContext["dockerfileDirectory"] {
	const dockerfile = basename(displayName);
	// With these rules beside the Dockerfile, the daemon does not ask for others: three round trips.
	const rules = ignore?.content.length ? ignore.content : Buffer.from("# no rules\n");
	const contents = new Map([
		[dockerfile, content],
		[`${dockerfile}.dockerignore`, rules],
	]);
	return { contents, dockerfile };
}
