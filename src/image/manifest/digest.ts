import { createHash } from "node:crypto";
import { DeliveryError } from "../../errors.js";

/** "sha256:" and 64 hex digits (OCI image-spec, descriptor): the one algorithm that daemons use. */
export type Digest = `sha256:${string}`;

const DIGEST = /^sha256:[0-9a-f]{64}$/;

/** Whether a text can be taken for a digest, and so for a file name. */
export function isDigest(text: unknown): text is Digest {
	return typeof text === "string" && DIGEST.test(text);
}

/** @throws DeliveryError, for what a daemon has sent */
export function asDigest(text: unknown, what: string): Digest {
	if (isDigest(text)) return text;
	throw new DeliveryError(`${what} is not a sha256 digest: ${JSON.stringify(text)?.slice(0, 100)}`);
}

export function digestOf(content: Uint8Array): Digest {
	return `sha256:${createHash("sha256").update(content).digest("hex")}`;
}

/** The 64 hex digits. */
export function hexOf(digest: Digest): string {
	return digest.slice("sha256:".length);
}
