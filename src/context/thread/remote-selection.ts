import { InterruptedError } from "../../errors.js";
import type { ContentChunk } from "../content/content-reader.js";
import type { ContextFilter } from "../entries/context-filter.js";
import type { ContextSelection } from "../entries/context-selection.js";
import type { ContextEntry } from "../tree/manifest.js";
import { Answers } from "./answers.js";
import type { SelectionAnswer, SelectionRequest } from "./context-messages.js";

type Answer<Type extends SelectionAnswer["type"]> = Extract<SelectionAnswer, { type: Type }>;

/** A selection that is in the worker, which answers in the order in which it is asked. */
export class RemoteSelection implements ContextSelection {
	readonly #selection: number;
	readonly #send: (request: SelectionRequest) => void;
	readonly #answers = new Answers<SelectionAnswer>();

	constructor(selection: number, send: (request: SelectionRequest) => void) {
		this.#selection = selection;
		this.#send = send;
	}

	/** @param index by which files are announced */
	async open(filter: ContextFilter, index: number | undefined): Promise<void> {
		const selection = this.#selection;
		await this.#ask("selected", { type: "select", selection, filter, index });
	}

	async list(): Promise<readonly ContextEntry[]> {
		const { entries } = await this.#ask("entries", { type: "list", selection: this.#selection });
		return entries;
	}

	async read(
		ids: readonly number[],
		gzipLevel: number,
		memory?: ArrayBuffer,
	): Promise<ContentChunk> {
		const selection = this.#selection;
		const request = { type: "read", selection, ids, gzipLevel, memory } as const;
		return (await this.#ask("content", request)).chunk;
	}

	take(answer: SelectionAnswer): void {
		this.#answers.take(answer);
	}

	fail(reason: Error): void {
		this.#answers.fail(reason);
	}

	[Symbol.dispose](): void {
		this.fail(new InterruptedError("the build context is not read any more"));
		this.#send({ type: "release", selection: this.#selection });
	}

	async #ask<Type extends SelectionAnswer["type"]>(
		type: Type,
		request: SelectionRequest,
	): Promise<Answer<Type>> {
		const answer = await this.#answers.next(() => this.#send(request));
		if (answer.type !== type) throw new Error(`"${request.type}" was answered by "${answer.type}"`);
		return answer as Answer<Type>;
	}
}
