import { addAbortSignal, Readable } from "node:stream";
import type { ContextTotals } from "../events.js";
import { packFiles } from "./content/tar-pack.js";
import type { TarProgress } from "./content/tar-reader.js";
import { parseContextSource } from "./context-source.js";
import type { SelectableDirectory } from "./entries/context-selection.js";
import { openLocalContext } from "./local-context.js";
import { readStdinContext } from "./stdin-context.js";
import type { ContextPart, DirectoryContext } from "./thread/directory-context.js";
import type { ContextSummary } from "./tree/manifest.js";

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
	/** The .dockerignore that applies; `file` is its name for people, from the root if it is below. */
	readonly ignore: { readonly content: Uint8Array; readonly file: string } | undefined;
	/** As DockerfileLocation has it. */
	readonly unreadIgnoreFile: string | undefined;
	/** Rejects with ContextError. */
	readonly walked: Promise<ContextSummary>;
	/** The uncompressed tar. Asked for again, it begins anew. */
	tar(onProgress: (progress: TarProgress) => void): Readable;
	/**
	 * What a build can see of it that takes these paths (see EntryFinder), and what builders look for by
	 * themselves; undefined where that is everything.
	 */
	part(paths: readonly string[]): Promise<ContextPart | undefined>;
	/** The directory as it is, for a daemon that asks for what it wants. */
	readonly directory: SelectableDirectory;
	/** In this case, the Dockerfile comes apart from it, with the .dockerignore of its own if it has one. */
	readonly dockerfileDirectory: {
		/** By name. */
		readonly contents: ReadonlyMap<string, Uint8Array>;
		readonly dockerfile: string;
	};
	/**
	 * What the tar holds though the rules leave it out: a Dockerfile or .dockerignore that is ignored, or comes
	 * from elsewhere, or the folder that is there for its sake. BuildKit lets `COPY . .` see it there.
	 */
	hiddenFiles(): readonly string[];
	/** What is known now; after the walk has been waited for, all that is sent. */
	totals(): ContextTotals;
	/** What an index says of the directory, see DirectoryContext. */
	readonly memory: Pick<
		DirectoryContext,
		"walked" | "dateBy" | "useIndex" | "learn" | "measureNews"
	>;
	/** See DirectoryContext. */
	rememberSizes(file: string): void;
	/** Looks into the ignored directories too, which a tar does by itself at its end. */
	measureIgnored(): Promise<ContextTotals>;
	/** The same walk for another daemon, as DirectoryContext has it. */
	forAnotherBox(): LocalContext;
};

export interface ContextRequest {
	/** The CONTEXT argument. */
	readonly context: string;
	/** The value of -f. */
	readonly file: string | undefined;
	readonly workingDirectory: string;
	readonly platform: NodeJS.Platform;
	readonly stdin: Readable;
	/** For a directory: see DirectoryContextOptions. */
	readonly note?: RegExp | undefined;
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
