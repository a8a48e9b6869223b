import { createHash } from "node:crypto";
import { realpath } from "node:fs/promises";
import { basename } from "node:path";
import { addAbortSignal, Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import type { ContextTotals } from "../events.js";
import type { SelectableDirectory } from "./context-selection.js";
import { parseContextSource } from "./context-source.js";
import { type DirectoryContext, openDirectoryContext } from "./directory-context.js";
import { type DockerfileLocation, locateDockerfile } from "./dockerfile-location.js";
import type { ExtraFile } from "./extra-files.js";
import { fileSet } from "./file-set.js";
import { IgnoreRules } from "./ignore/ignore-rules.js";
import type { ContextManifest } from "./manifest.js";
import { readStdinContext } from "./stdin-context.js";
import { packFiles } from "./tar-pack.js";
import type { TarProgress } from "./tar-reader.js";

interface ContextFacts extends AsyncDisposable {
	/** For people: the directory, the URL or "stdin". */
	readonly source: string;
	/** The Dockerfile as the daemon has to look for it; absent: its default. */
	readonly dockerfile: string | undefined;
	/** The Dockerfile as the user knows it, and its text, where it passes through our hands. */
	readonly dockerfileName: string;
	readonly dockerfileContent: Uint8Array | undefined;
}

/** What the build is made from. */
export type BuildContext =
	| LocalContext
	/** What came on standard input: an archive that is passed on as it comes, or a Dockerfile. */
	| (ContextFacts & {
			readonly kind: "archive";
			readonly compressed: boolean;
			/** Whether the tar is a stream, and can be asked for only once. */
			readonly once: boolean;
			tar(onProgress: (progress: TarProgress) => void): Readable;
	  })
	/** The daemon fetches it; nothing is sent. */
	| (ContextFacts & { readonly kind: "remote"; readonly url: string });

export type LocalContext = ContextFacts & {
	readonly kind: "directory";
	/** Absolute and without symlinks. */
	readonly root: string;
	readonly dockerfileContent: Uint8Array;
	/** Rejects with ContextError. */
	readonly manifest: Promise<ContextManifest>;
	/** The uncompressed tar. Asked for again, it begins anew. */
	tar(onProgress: (progress: TarProgress) => void): Readable;
	/** The directory as it is, for a daemon that asks for what it wants. */
	readonly directory: SelectableDirectory;
	/** In this case, the Dockerfile comes apart from it, with the .dockerignore of its own if it has one. */
	readonly dockerfileDirectory: {
		readonly files: SelectableDirectory;
		readonly dockerfile: string;
	};
	/**
	 * Whether the tar holds what the rules leave out: a Dockerfile or .dockerignore that is ignored, or comes
	 * from elsewhere. BuildKit lets `COPY . .` see it there.
	 */
	tarShowsMore(): boolean;
	/** What is known now; after the manifest has been waited for, all that is sent. */
	totals(): ContextTotals;
	/** What an index says of the directory, see DirectoryContext. */
	readonly memory: Pick<DirectoryContext, "useIndex" | "learn">;
	/** Looks into the ignored directories too, which a tar does by itself at its end. */
	measureIgnored(): Promise<ContextTotals>;
};

export interface ContextRequest {
	/** The CONTEXT argument. */
	readonly context: string;
	/** The value of -f. */
	readonly file: string | undefined;
	readonly workingDirectory: string;
	readonly platform: NodeJS.Platform;
	readonly stdin: Readable;
}

/**
 * Opens the build context that was asked for. For a directory the walk starts at once, in a thread of
 * its own, while the caller goes on to connect.
 *
 * @throws ContextError, UsageError
 */
export async function openBuildContext(
	request: ContextRequest,
	signal: AbortSignal,
): Promise<BuildContext> {
	const source = await parseContextSource(request.context, request.workingDirectory);
	switch (source.kind) {
		case "directory":
			return openLocalContext(source.directory, request, signal);
		case "stdin":
			return openStdinContext(request, signal);
		case "url":
			return {
				kind: "remote",
				source: source.url,
				url: source.url,
				dockerfile: request.file,
				dockerfileName: request.file ?? "Dockerfile",
				dockerfileContent: undefined,
				async [Symbol.asyncDispose]() {},
			};
	}
}

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
		readStdin: () => buffer(addAbortSignal(signal, request.stdin)),
	});
	const sent = whatIsSent(dockerfile);
	const walked = openDirectoryContext(
		{
			root,
			...(dockerfile.ignore === undefined ? {} : { ignore: dockerfile.ignore }),
			keep: [sent.dockerfile, ".dockerignore"],
			extra: sent.extra,
			platform: request.platform,
		},
		signal,
	);
	return new DirectoryBuildContext(request.context, root, sent.dockerfile, dockerfile, walked);
}

class DirectoryBuildContext implements LocalContext {
	readonly kind = "directory";
	readonly source: string;
	readonly root: string;
	readonly dockerfile: string;
	readonly dockerfileName: string;
	readonly dockerfileContent: Uint8Array;
	readonly directory: SelectableDirectory;
	readonly dockerfileDirectory: LocalContext["dockerfileDirectory"];
	readonly memory: LocalContext["memory"];
	readonly manifest: Promise<ContextManifest>;
	readonly #walked: DirectoryContext;
	readonly #location: DockerfileLocation;
	#totals: ContextTotals = { files: 0, bytes: 0, ignored: { files: 0, bytes: 0, complete: false } };

	constructor(
		source: string,
		root: string,
		dockerfile: string,
		location: DockerfileLocation,
		walked: DirectoryContext,
	) {
		this.source = source;
		this.root = root;
		this.dockerfile = dockerfile;
		this.dockerfileName = location.displayName;
		this.dockerfileContent = location.content;
		this.directory = walked;
		this.dockerfileDirectory = dockerfileDirectory(location);
		this.#walked = walked;
		this.#location = location;
		this.memory = walked;
		this.manifest = walked.manifest.then((manifest) => this.#note(manifest));
		this.manifest.catch(() => {});
	}

	tarShowsMore(): boolean {
		const { pathInContext, ignore } = this.#location;
		if (pathInContext === undefined) return true;
		if (ignore === undefined) return false;
		const rules = IgnoreRules.parse(ignore.content, ignore.file);
		return [pathInContext, ".dockerignore"].some((path) => rules.ignores(path));
	}

	totals(): ContextTotals {
		return this.#totals;
	}

	tar(onProgress: (progress: TarProgress) => void): Readable {
		// What was ignored is only for the report, so it waits until this side has nothing else to do.
		return this.#walked.tar(onProgress).once("end", () => this.measureIgnored().catch(() => {}));
	}

	async measureIgnored(): Promise<ContextTotals> {
		await this.manifest;
		const ignored = await this.#walked.measureIgnored();
		this.#totals = { ...this.#totals, ignored: { ...ignored, complete: true } };
		return this.#totals;
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.#walked[Symbol.asyncDispose]();
	}

	#note(manifest: ContextManifest): ContextManifest {
		const { files, bytes, ignored } = manifest;
		const complete = ignored.directories.length === 0;
		this.#totals = {
			files,
			bytes,
			ignored: { files: ignored.files, bytes: ignored.bytes, complete },
		};
		return manifest;
	}
}

/**
 * A Dockerfile from elsewhere travels under a name made from its content, so that the tar is the same
 * when it is the same. The .dockerignore that goes with it names it too: the classic builder then takes
 * it out of the context again, so that `COPY .` does not see it (as the docker CLI does).
 */
function whatIsSent({ pathInContext, content, ignore }: DockerfileLocation): {
	readonly dockerfile: string;
	readonly extra: readonly ExtraFile[];
} {
	if (pathInContext !== undefined) return { dockerfile: pathInContext, extra: [] };
	const digest = createHash("sha256").update(content).digest("hex");
	const dockerfile = `.dockerfile.${digest.slice(0, 20)}`;
	const rules = ignore?.content ?? Buffer.from(".dockerignore");
	return {
		dockerfile,
		extra: [
			{ path: dockerfile, content },
			{ path: ".dockerignore", content: Buffer.concat([rules, Buffer.from(`\n${dockerfile}\n`)]) },
		],
	};
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
	const files = new Map([
		[dockerfile, content],
		[`${dockerfile}.dockerignore`, rules],
	]);
	return { files: fileSet(files), dockerfile };
}

async function openStdinContext(
	request: ContextRequest,
	signal: AbortSignal,
): Promise<BuildContext> {
	const stdin = await readStdinContext(addAbortSignal(signal, request.stdin), request.file);
	const isArchive = stdin.kind === "archive";
	return {
		kind: "archive",
		source: "stdin",
		dockerfile: request.file,
		dockerfileName: request.file ?? (isArchive ? "Dockerfile" : "stdin"),
		dockerfileContent: isArchive ? undefined : stdin.content,
		compressed: isArchive && stdin.compressed,
		once: isArchive,
		tar(onProgress) {
			const archive = isArchive
				? stdin.archive
				: [packFiles([{ path: "Dockerfile", content: stdin.content }])];
			return Readable.from(counted(archive, onProgress), { objectMode: false });
		},
		async [Symbol.asyncDispose]() {
			request.stdin.destroy();
		},
	};
}

async function* counted(
	chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
	onProgress: (progress: TarProgress) => void,
): AsyncGenerator<Uint8Array> {
	let bytes = 0;
	for await (const chunk of chunks) {
		yield chunk;
		bytes += chunk.length;
		onProgress({ files: 0, bytes });
	}
}
