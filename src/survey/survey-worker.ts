/** The worker thread of a survey: walks, looks closer, and makes the text of what it found. */

import { parentPort, workerData } from "node:worker_threads";
import { ContextError, UsageError } from "../errors.js";
import { formatterOf } from "./format/formats.js";
import { type Survey, surveyContext } from "./survey.js";
import type { FromSurveyWorker, ToSurveyWorker } from "./survey-messages.js";
import { verdictOn } from "./verdicts.js";

const TEXT_LENGTH = 128 * 1024;
const PROGRESS_MS = 100;

class SurveyWorker {
	readonly #survey: Survey;
	#text: Iterator<string> | undefined;

	constructor(survey: Survey) {
		this.#survey = survey;
	}

	async handle(message: ToSurveyWorker): Promise<void> {
		if (message.type === "why") {
			const verdicts = message.paths.map((path) => verdictOn(path, this.#survey));
			return post({ type: "verdicts", verdicts });
		}
		if (message.type === "write") {
			const format = await formatterOf(message.format);
			this.#text = format(this.#survey, message.style)[Symbol.iterator]();
		}
		post({ type: "text", text: this.#next() });
	}

	#next(): string {
		let text = "";
		while (this.#text !== undefined && text.length < TEXT_LENGTH) {
			const { done, value } = this.#text.next();
			if (done) this.#text = undefined;
			else text += value;
		}
		return text;
	}
}

function post(message: FromSurveyWorker): void {
	parentPort?.postMessage(message);
}

/** A foreseen failure crosses the threads as data; any other ends this one as an uncaught error. */
async function reportFailure(work: () => Promise<void>): Promise<void> {
	try {
		await work();
	} catch (error) {
		if (!(error instanceof ContextError || error instanceof UsageError)) throw error;
		const kind = error instanceof ContextError ? "context" : "usage";
		post({ type: "failed", error: kind, message: error.message, hint: error.hint });
	}
}

function progressReports(): () => void {
	let paths = 0;
	let reported = Date.now();
	return () => {
		paths += 1;
		// Asking for the time is not free either.
		if (paths % 256 !== 0 || Date.now() - reported < PROGRESS_MS) return;
		reported = Date.now();
		post({ type: "progress", paths });
	};
}

await reportFailure(async () => {
	const survey = await surveyContext(workerData, progressReports());
	const worker = new SurveyWorker(survey);
	parentPort?.on("message", (message: ToSurveyWorker) =>
		reportFailure(() => worker.handle(message)),
	);
	post({ type: "surveyed", head: survey.head });
});
