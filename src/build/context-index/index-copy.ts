import { readKeptFile } from "../../cache-folder.js";
import type { IndexParts } from "../../context/index/content-index.js";
import { readIndexHeader } from "../../context/index/index-part.js";
import { replaceCacheFile } from "../../disk/cache-file.js";

/** An index as this machine has it, and which images on the daemon hold the same. */
export interface IndexCopy {
	readonly generation: Uint8Array;
	readonly parts: IndexParts;
	/** Undefined if it could not be stored on the daemon. */
	readonly imageId: string | undefined;
	/** The image that holds the base. */
	readonly baseId: string | undefined;
}

/** What is in front of the parts, as a line of JSON. */
interface Head {
	readonly version: 1;
	readonly imageId?: string;
	readonly baseId?: string;
	/** Bytes of the base, which comes before the delta. */
	readonly baseBytes: number;
}

/** Undefined for what is not there, not whole, or another context's. */
export async function readIndexCopy(path: string, key: Uint8Array): Promise<IndexCopy | undefined> {
	try {
		const file = await readKeptFile(path);
		const newline = file.indexOf("\n");
		const head = JSON.parse(file.toString("utf8", 0, newline)) as Head;
		if (head.version !== 1) return undefined;
		const middle = newline + 1 + head.baseBytes;
		const parts = { base: file.subarray(newline + 1, middle), delta: file.subarray(middle) };
		return checkedIndex(parts, key, { imageId: head.imageId, baseId: head.baseId });
	} catch {
		return undefined;
	}
}

/** Without it, the daemon is asked next time. */
export async function writeIndexCopy(path: string, copy: IndexCopy): Promise<void> {
	const { base = Buffer.alloc(0), delta = Buffer.alloc(0) } = copy.parts;
	const head: Head = {
		version: 1,
		...(copy.imageId === undefined ? {} : { imageId: copy.imageId }),
		...(copy.baseId === undefined ? {} : { baseId: copy.baseId }),
		baseBytes: base.length,
	};
	const line = Buffer.from(`${JSON.stringify(head)}\n`);
	await replaceCacheFile(path, Buffer.concat([line, base, delta])).catch(() => {});
}

/**
 * The index that parts from a file or a daemon make, if they are whole and of this context.
 *
 * @param parts empty ones are not there
 */
export function checkedIndex(
	parts: IndexParts,
	key: Uint8Array,
	images: Pick<IndexCopy, "imageId" | "baseId">,
): IndexCopy | undefined {
	const base = whole(parts.base, key);
	const delta = whole(parts.delta, key);
	// A delta alone would be true too, but soon be as large as a base.
	if (base === undefined) return undefined;
	const isOfBase = delta?.generation.equals(base.generation) ?? false;
	return {
		...images,
		generation: base.generation,
		parts: { base: parts.base, delta: isOfBase ? parts.delta : undefined },
	};
}

function whole(bytes: Uint8Array | undefined, key: Uint8Array) {
	const header = bytes && readIndexHeader(bytes);
	return header?.key.equals(key) ? header : undefined;
}
