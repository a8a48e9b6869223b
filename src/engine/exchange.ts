import { type Duplex, Readable } from "node:stream";
import type { Dispatcher } from "undici";
import { InterruptedError } from "../errors.js";
import { interrupted } from "../interruption.js";
import type { EngineResponse } from "./engine.js";

/** How one exchange ended: with an answer, or with the connection in our hands (HTTP 101). */
export type ExchangeOutcome =
	| { readonly kind: "answer"; readonly response: EngineResponse }
	| { readonly kind: "upgrade"; readonly stream: Duplex };

/** What an exchange hands its failures to, so that they leave it in rbuild's words. */
type Explain = (error: Error, answerStarted: boolean) => Error;

/**
 * One request and its answer. This is undici's lowest interface, for two reasons: its `upgrade()`
 * throws away the words of a daemon that refuses, and the bodies of its `request()` fail with
 * undici's errors where ours must fail with RbuildErrors.
 */
export function exchange(
	dispatcher: Dispatcher,
	options: Dispatcher.DispatchOptions,
	signal: AbortSignal,
	explain: Explain,
): Promise<ExchangeOutcome> {
	return new Promise((resolve, reject) => {
		let control: Dispatcher.DispatchController | undefined;
		let body: ResponseBody | undefined;

		const finish = () => signal.removeEventListener("abort", interrupt);
		const fail = (error: Error) => {
			finish();
			body?.destroy(error);
			reject(error);
		};
		const interrupt = () => {
			const error = interrupted(signal);
			fail(error);
			control?.abort(error);
			// A request that still waits for a connection never touches its body.
			if (options.body instanceof Readable) options.body.destroy();
		};

		if (signal.aborted) return interrupt();
		signal.addEventListener("abort", interrupt, { once: true });
		dispatcher.dispatch(options, {
			onRequestStart(controller) {
				control = controller;
				if (signal.aborted) controller.abort(interrupted(signal));
			},
			onRequestUpgrade(_controller, _status, _headers, stream) {
				finish();
				resolve({ kind: "upgrade", stream });
			},
			onResponseStart(controller, status, headers) {
				if (status < 200) return;
				body = new ResponseBody(controller);
				resolve({ kind: "answer", response: { status, headers, body } });
			},
			onResponseData(controller, chunk) {
				if (body?.push(chunk) === false) controller.pause();
			},
			onResponseEnd() {
				finish();
				body?.push(null);
			},
			onResponseError(_controller, error) {
				fail(explain(error, body !== undefined));
			},
		});
	});
}

/** An answer's body. Destroying it before its end closes the connection it comes from. */
class ResponseBody extends Readable {
	readonly #controller: Dispatcher.DispatchController;

	constructor(controller: Dispatcher.DispatchController) {
		super({ highWaterMark: 256 * 1024 });
		this.#controller = controller;
	}

	override _read(): void {
		this.#controller.resume();
	}

	override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
		if (!this.readableEnded) {
			this.#controller.abort(error ?? new InterruptedError("the answer was not wanted any more"));
		}
		callback(error);
	}
}
