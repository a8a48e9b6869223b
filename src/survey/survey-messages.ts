import type { DocumentHead } from "./context-document.js";
import type { TextFormat } from "./format/formats.js";
import type { TextStyle } from "./format/text-style.js";
import type { Verdict } from "./verdicts.js";

/** What the main thread asks of the worker, which surveys without being asked. Each is answered once, in order. */
export type ToSurveyWorker =
	/** "text": the first part. What is left of a text asked for before is given up. */
	| { readonly type: "write"; readonly format: TextFormat; readonly style: TextStyle }
	/** "text": the next part. */
	| { readonly type: "more" }
	/** "verdicts" */
	| { readonly type: "why"; readonly paths: readonly string[] };

export type FromSurveyWorker =
	/** Paths that were met so far. */
	| { readonly type: "progress"; readonly paths: number }
	| { readonly type: "surveyed"; readonly head: DocumentHead }
	/** Empty at the end. */
	| { readonly type: "text"; readonly text: string }
	| { readonly type: "verdicts"; readonly verdicts: readonly Verdict[] }
	/** A ContextError or a UsageError. */
	| {
			readonly type: "failed";
			readonly error: "context" | "usage";
			readonly message: string;
			readonly hint: string | undefined;
	  };
