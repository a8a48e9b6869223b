import type { ExtraFile } from "./extra-files.js";
import type { IgnoredSizes } from "./ignored-sizes.js";
import type { ContextManifest } from "./manifest.js";
import type { TarProgress } from "./tar-reader.js";

/** What the context worker is started with. */
export interface ContextWorkerInput {
	readonly root: string;
	readonly ignore: { readonly content: Uint8Array; readonly file: string } | undefined;
	readonly keep: readonly string[];
	readonly extra: readonly ExtraFile[];
	readonly platform: NodeJS.Platform;
}

/** What the main thread asks of the worker, which walks without being asked. */
export type ToContextWorker =
	/** Leave to send this many more chunks of the tar; the first one starts it. */
	{ readonly type: "credit"; readonly chunks: number } | { readonly type: "measure-ignored" };

export type FromContextWorker =
	| {
			readonly type: "walked";
			readonly manifest: Omit<ContextManifest, "entries">;
			/** ContextManifest.entries in the form of v8.serialize(): most builds never look at them. */
			readonly entries: Uint8Array<ArrayBuffer>;
	  }
	| {
			readonly type: "chunk";
			readonly bytes: Uint8Array<ArrayBuffer>;
			readonly progress: TarProgress;
	  }
	| { readonly type: "packed" }
	| { readonly type: "measured"; readonly sizes: IgnoredSizes }
	/** A ContextError. */
	| { readonly type: "failed"; readonly message: string; readonly hint: string | undefined };
