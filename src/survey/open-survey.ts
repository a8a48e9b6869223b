import { realpath } from "node:fs/promises";
import { resolve } from "node:path";
import { Worker } from "node:worker_threads";
import {
	type DockerfileLocation,
	locateDockerfile,
	locateIgnoreFile,
	UNREAD_IGNORE_FILE,
} from "../context/dockerfile-location.js";
import { whatIsSent } from "../context/sent-dockerfile.js";
import { Answers } from "../context/thread/answers.js";
import { ContextError, InterruptedError, UsageError } from "../errors.js";
import { interrupted } from "../interruption.js";
import type { DocumentHead } from "./context-document.js";
import type { TextFormat } from "./format/formats.js";
import type { TextStyle } from "./format/text-style.js";
import type { FromSurveyWorker, ToSurveyWorker } from "./survey-messages.js";
import type { SurveyRequest } from "./survey-request.js";
import type { Verdict } from "./verdicts.js";

export interface SurveyOptions
	extends Pick<
		SurveyRequest,
		"platform" | "target" | "buildArgs" | "linkBitsPerSecond" | "limits" | "judged"
	> {
	/** The context directory. */
	readonly directory: string;
	/** The value of -f. */
	readonly file: string | undefined;
	readonly workingDirectory: string;
	/** Standard input, read to its end for `-f -`. */
	readonly readStdin: () => Promise<Uint8Array>;
	/** An earlier document to compare with, relative to the working directory. */
	readonly compareWith: string | undefined;
	/** Where a sync keeps the hashes of a directory's files; absent: nowhere. */
	readonly hashesFileOf?: (root: string) => string;
	/** Called at most ten times a second with the number of paths that were met so far. */
	readonly onProgress: (paths: number) => void;
}

/**
 * Looks into a directory, in a worker thread. Where its Dockerfile cannot be read, that is a warning in
 * the document.
 *
 * @throws ContextError for a directory or an ignore file that cannot be read
 */
export async function openSurvey(options: SurveyOptions, signal: AbortSignal): Promise<OpenSurvey> {
	return new OpenSurvey(await surveyRequest(options), options.onProgress, signal);
}

/** A survey under way. Closing it stops it. */
export class OpenSurvey implements AsyncDisposable {
	/** Absolute and without symlinks. */
	readonly root: string;
	/** The ignore file that applies, as it was read. */
	readonly ignore: SurveyRequest["ignore"];
	/** Rejects with ContextError, UsageError or InterruptedError. */
	readonly head: Promise<DocumentHead>;
	readonly #worker: Worker;
	readonly #answers = new Answers<FromSurveyWorker>();

	constructor(request: SurveyRequest, onProgress: (paths: number) => void, signal: AbortSignal) {
		this.root = request.root;
		this.ignore = request.ignore;
		this.#worker = new Worker(new URL("./survey-worker.js", import.meta.url), {
			workerData: request,
			name: "rbuild survey",
			// Flags such as --import would run in the worker too, before the walk.
			execArgv: [],
		});
		const abort = () => {
			this.#answers.fail(interrupted(signal));
			void this.#worker.terminate();
		};
		this.#worker
			.on("message", (message: FromSurveyWorker) => {
				if (message.type === "progress") onProgress(message.paths);
				else if (message.type === "failed") this.#answers.fail(failure(message));
				else this.#answers.take(message);
			})
			.on("error", (error) => this.#answers.fail(error))
			.on("exit", () => {
				signal.removeEventListener("abort", abort);
				this.#answers.fail(new Error("the worker of the survey ended on its own"));
			});
		if (signal.aborted) abort();
		else signal.addEventListener("abort", abort);
		this.head = this.#answer("surveyed").then(({ head }) => head);
		this.head.catch(() => {});
	}

	/** What was found out as text, in parts of about 128 KiB. */
	async *text(format: TextFormat, style: TextStyle): AsyncGenerator<string, void> {
		await this.head;
		for (let ask: ToSurveyWorker = { type: "write", format, style }; ; ask = { type: "more" }) {
			this.#worker.postMessage(ask);
			const { text } = await this.#answer("text");
			if (text === "") return;
			yield text;
		}
	}

	/** @param paths in the context, "/"-separated; "" is the context itself */
	async verdicts(paths: readonly string[]): Promise<readonly Verdict[]> {
		await this.head;
		this.#worker.postMessage({ type: "why", paths } satisfies ToSurveyWorker);
		return (await this.#answer("verdicts")).verdicts;
	}

	async [Symbol.asyncDispose](): Promise<void> {
		this.#answers.fail(new InterruptedError("the survey was closed"));
		await this.#worker.terminate();
	}

	async #answer<Type extends FromSurveyWorker["type"]>(
		type: Type,
	): Promise<Extract<FromSurveyWorker, { readonly type: Type }>> {
		const message = await this.#answers.next();
		if (message.type !== type) throw new Error(`the survey answered ${message.type}, not ${type}`);
		return message as Extract<FromSurveyWorker, { readonly type: Type }>;
	}
}

function failure({ error, message, hint }: Extract<FromSurveyWorker, { type: "failed" }>): Error {
	return error === "usage"
		? new UsageError(message, { hint })
		: new ContextError(message, { hint });
}

async function surveyRequest(options: SurveyOptions): Promise<SurveyRequest> {
	const { platform, target, buildArgs, linkBitsPerSecond, limits, judged, compareWith } = options;
	const root = await realpath(options.directory);
	const located = await dockerfileOf(root, options);
	return {
		...located,
		root,
		platform,
		target,
		buildArgs,
		linkBitsPerSecond,
		limits,
		judged,
		hashesFile: options.hashesFileOf?.(root),
		earlier:
			compareWith === undefined
				? undefined
				: { path: resolve(options.workingDirectory, compareWith), name: compareWith },
	};
}

type Located = Pick<SurveyRequest, "dockerfile" | "ignore" | "keep" | "extra" | "warnings">;

async function dockerfileOf(root: string, options: SurveyOptions): Promise<Located> {
	const { file, workingDirectory, readStdin } = options;
	let location: DockerfileLocation;
	try {
		location = await locateDockerfile({ root, file, workingDirectory, readStdin });
	} catch (error) {
		if (!(error instanceof ContextError)) throw error;
		return {
			dockerfile: undefined,
			// Throws the same again, if it was this.
			ignore: await locateIgnoreFile({ root, file, workingDirectory }),
			keep: [".dockerignore"],
			extra: [],
			warnings: [error.message],
		};
	}
	const sent = await whatIsSent(location, root);
	const { displayName, content, pathInContext, ignore, unreadIgnoreFile } = location;
	const place = pathInContext === undefined ? {} : { pathInContext };
	return {
		dockerfile: { name: displayName, content, ...place },
		ignore,
		keep: [sent.dockerfile, ".dockerignore"],
		extra: sent.extra,
		warnings: unreadIgnoreFile === undefined ? [] : [UNREAD_IGNORE_FILE.message],
	};
}
