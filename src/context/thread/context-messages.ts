import type { ContentChunk } from "../content/content-reader.js";
import type { ExtraFile } from "../content/extra-files.js";
import type { TarProgress } from "../content/tar-reader.js";
import type { Dating } from "../dating.js";
import type { ContextFilter } from "../entries/context-filter.js";
import type { IgnoredSizes } from "../entries/ignored-sizes.js";
import type { PartRequest, PartSummary } from "../entries/part-of-context.js";
import type { IndexParts } from "../index/content-index.js";
import type { ContextNews, KnownIndex } from "../index/context-memory.js";
import type { ContextEntry, ContextSummary } from "../tree/manifest.js";

/** What the context worker is started with. */
export interface ContextWorkerInput {
	readonly root: string;
	readonly ignore: { readonly content: Uint8Array; readonly file: string } | undefined;
	readonly keep: readonly string[];
	readonly extra: readonly ExtraFile[];
	readonly platform: NodeJS.Platform;
	readonly note: RegExp | undefined;
}

/** What the main thread asks of the worker, which walks without being asked. */
export type ToContextWorker =
	/** Leave to send this many more chunks of a tar. A new number starts a new tar. */
	| {
			readonly type: "credit";
			readonly tar: number;
			readonly chunks: number;
			/** The number of the part that it is a tar of; absent: everything. */
			readonly part: number | undefined;
			readonly dating: Dating;
	  }
	/** No more of that tar is wanted. */
	| { readonly type: "give-up"; readonly tar: number }
	/** From now on, there is this part. Answered by "parted". */
	| { readonly type: "part"; readonly part: number; readonly request: PartRequest }
	| { readonly type: "remember-sizes"; readonly file: string }
	| { readonly type: "measure-ignored" }
	/** From now on, files can be announced as this knows them. */
	| {
			readonly type: "use-index";
			readonly index: number;
			readonly known: KnownIndex;
			readonly dating: Dating;
	  }
	/** A transfer is done. Answered by "learned". */
	| { readonly type: "learn"; readonly index: number }
	/** Answered by "news". */
	| { readonly type: "measure-news"; readonly index: number }
	| SelectionRequest;

/** Each is answered once, in order, by what it says of SelectionAnswer. */
export type SelectionRequest =
	/** "selected" */
	| {
			readonly type: "select";
			readonly selection: number;
			readonly filter: ContextFilter;
			/** By which files are announced; absent: by their own times. */
			readonly index: number | undefined;
	  }
	/** "entries": the next ones; none at the end. */
	| { readonly type: "list"; readonly selection: number }
	/** "content": after these files have been put behind those that are asked for already. */
	| {
			readonly type: "read";
			readonly selection: number;
			readonly ids: readonly number[];
			/** Of zlib; 0 for content as it is. */
			readonly gzipLevel: number;
			/** Handed over. */
			readonly memory: ArrayBuffer | undefined;
	  }
	/** Not answered. */
	| { readonly type: "release"; readonly selection: number };

export type SelectionAnswer =
	| { readonly type: "selected"; readonly selection: number }
	| {
			readonly type: "entries";
			readonly selection: number;
			readonly entries: readonly ContextEntry[];
	  }
	| { readonly type: "content"; readonly selection: number; readonly chunk: ContentChunk };

export type FromContextWorker =
	| { readonly type: "walked"; readonly summary: ContextSummary }
	| {
			readonly type: "chunk";
			readonly tar: number;
			readonly bytes: Uint8Array<ArrayBuffer>;
			readonly progress: TarProgress;
	  }
	| { readonly type: "packed"; readonly tar: number }
	/** Without a summary, the part is everything. */
	| { readonly type: "parted"; readonly summary: PartSummary | undefined }
	| { readonly type: "measured"; readonly sizes: IgnoredSizes }
	/** The parts of the index that have to be stored anew. */
	| { readonly type: "learned"; readonly parts: IndexParts | undefined }
	| { readonly type: "news"; readonly news: ContextNews }
	| SelectionAnswer
	/** A ContextError. */
	| { readonly type: "failed"; readonly message: string; readonly hint: string | undefined };
