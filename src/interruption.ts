import { InterruptedError } from "./errors.js";

/** What work fails with that was aborted: the signal's own reason where that is one of rbuild's. */
export function interrupted({ reason }: AbortSignal): InterruptedError {
	return reason instanceof InterruptedError
		? reason
		: new InterruptedError("interrupted", { cause: reason });
}
