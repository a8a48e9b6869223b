import type { ContextFilter } from "../../context/entries/context-filter.js";
import { fromBytes } from "../../context/tree/path-bytes.js";
import { GRPC_STATUS, GrpcError } from "../grpc/grpc-status.js";

/** What a call of DiffCopy asks for: a directory by its name, and a part of it. */
export interface RequestedPart {
	readonly directory: string;
	readonly filter: ContextFilter;
}

/**
 * Reads the request headers of BuildKit's session/filesync: every value has a header of its own. Newer
 * daemons send values beyond ASCII in the form of URL queries and say so in a "NAME-encoded" header;
 * older ones send UTF-8 as it is.
 *
 * @param rawHeaders names and values in turn, a character for each byte
 * @throws GrpcError for a value that cannot be decoded or holds a zero byte
 */
export function readRequestedPart(rawHeaders: readonly string[]): RequestedPart {
	const values = (name: string) => valuesOf(rawHeaders, name);
	const decoded = (name: string) => {
		const isEncoded = /^(?:1|t|true)$/i.test(values(`${name}-encoded`)[0] ?? "");
		return values(name).map((value) => checked(name, isEncoded ? unescapeQuery(value) : value));
	};
	return {
		directory: decoded("dir-name")[0] ?? "",
		filter: {
			includes: decoded("include-patterns"),
			excludes: decoded("exclude-patterns"),
			followPaths: decoded("followpaths"),
		},
	};
}

function valuesOf(rawHeaders: readonly string[], name: string): string[] {
	const values: string[] = [];
	for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
		if (rawHeaders[at] === name) values.push(rawHeaders[at + 1] as string);
	}
	return values;
}

/** Go's url.QueryUnescape, from and to a character for each byte. */
function unescapeQuery(value: string): string {
	return value
		.replaceAll("+", " ")
		.replace(/%([0-9a-f]{2})?/gi, (_, hex: string | undefined) =>
			hex === undefined ? "\0" : String.fromCharCode(Number.parseInt(hex, 16)),
		);
}

function checked(name: string, value: string): string {
	if (value.includes("\0")) {
		throw new GrpcError(GRPC_STATUS.invalidArgument, `the header ${name} makes no sense`);
	}
	return fromBytes(Buffer.from(value, "latin1"));
}
