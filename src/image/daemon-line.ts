import { fields } from "../engine/document.js";

/**
 * One line of the daemon's progress while it pushes or loads (moby, jsonstream.Message). A failure
 * comes as such a line too, after a status of 200.
 */
export interface DaemonLine {
	/** The daemon's reason for having failed. */
	readonly error?: string;
	/** Plain text, such as "Loaded image: app:latest". */
	readonly stream?: string;
	/** A layer, by the start of its digest. */
	readonly id?: string;
	/** What happens to that layer, or a message. */
	readonly status?: string;
	/** Bytes of that layer; both 0 where they are not known. */
	readonly current: number;
	readonly total: number;
	/** What a push ends with. */
	readonly digest?: string;
}

export function readDaemonLine(line: unknown): DaemonLine {
	const { error, errorDetail, stream, id, status, progressDetail, aux } = fields(line);
	const { current, total } = fields(progressDetail);
	return {
		...text("error", fields(errorDetail).message ?? error),
		...text("stream", stream),
		...text("id", id),
		...text("status", status),
		...text("digest", fields(aux).Digest ?? digestIn(status)),
		current: typeof current === "number" ? current : 0,
		total: typeof total === "number" ? total : 0,
	};
}

/** The containerd image store tells the digest in words only: "latest: digest: sha256:… size: 527". */
function digestIn(status: unknown): string | undefined {
	return typeof status === "string"
		? / digest: (sha256:[0-9a-f]{64})\b/.exec(status)?.[1]
		: undefined;
}

function text<Name extends string>(name: Name, value: unknown): { readonly [N in Name]?: string } {
	return (typeof value === "string" && value !== "" ? { [name]: value } : {}) as never;
}
