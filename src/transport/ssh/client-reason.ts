import { systemReason } from "../../system-reason.js";

/**
 * What a packet fails with that is not as the server authenticated it: in ssh2's native binding (OpenSSL
 * has no error of its own for that), in node's AES-GCM, and where there is a MAC.
 */
const DAMAGED = /^error:0+:|unable to authenticate data$|^Invalid MAC$/;

/** What an error of ssh2's comes to, in words. */
export function clientReason(error: unknown): string {
	const reason = systemReason(error);
	return DAMAGED.test(reason) ? "what came was damaged on the way" : reason;
}
