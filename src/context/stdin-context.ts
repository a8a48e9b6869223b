import type { Readable } from "node:stream";
import { ContextError, UsageError } from "../errors.js";
import { isTarHeader, TAR_BLOCK } from "../tar-block.js";
import { stdinFailure } from "./standard-input.js";
import { refuseUtf16 } from "./tree/utf16.js";

/** What came on standard input for the CONTEXT "-". */
type StdinContext =
	| {
			readonly kind: "archive";
			/** The whole archive, as it came. */
			readonly archive: AsyncIterable<Uint8Array>;
			readonly compressed: boolean;
	  }
	| { readonly kind: "dockerfile"; readonly content: Uint8Array };

/** The compressed forms that a daemon unpacks (moby/go-archive compression.Detect). */
const COMPRESSION_MAGIC = [
	[0x1f, 0x8b, 0x08], // gzip
	[0x42, 0x5a, 0x68], // bzip2
	[0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00], // xz
	[0x28, 0xb5, 0x2f, 0xfd], // zstd
];

/**
 * Tells a tar archive from the text of a Dockerfile by its first bytes, as `docker build -` does, and
 * loses none of them.
 *
 * @param file the value of -f: a path within an archive, and a contradiction beside Dockerfile text.
 * @throws UsageError, ContextError
 */
export async function readStdinContext(
	stdin: Readable,
	file: string | undefined,
): Promise<StdinContext> {
	if (file === "-") {
		throw new UsageError("standard input cannot be both the build context and the Dockerfile", {
			hint: 'give a directory as the context, or a path within the archive as "-f"',
		});
	}
	const chunks = stdin[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
	const head = await readAtLeast(chunks, TAR_BLOCK).catch((error: unknown) => {
		throw stdinFailure(error);
	});
	if (head.length === 0) {
		throw new ContextError("standard input is empty: expected a tar archive or a Dockerfile");
	}
	const compressed = COMPRESSION_MAGIC.some((magic) =>
		magic.every((byte, index) => head[index] === byte),
	);
	if (compressed || isTarHeader(head)) {
		return { kind: "archive", archive: prepend(head, chunks), compressed };
	}
	if (file !== undefined) {
		throw new UsageError(
			"standard input holds no tar archive, so there is nothing for -f to name",
			{
				hint: "leave -f out to build the Dockerfile from standard input",
			},
		);
	}
	const parts: Uint8Array[] = [];
	for await (const chunk of prepend(head, chunks)) parts.push(chunk);
	const content = Buffer.concat(parts);
	refuseUtf16(content, "the Dockerfile on standard input");
	return { kind: "dockerfile", content };
}

async function readAtLeast(chunks: AsyncIterator<Uint8Array>, length: number): Promise<Uint8Array> {
	const parts: Uint8Array[] = [];
	for (let size = 0; size < length; ) {
		const { done, value } = await chunks.next();
		if (done === true) break;
		parts.push(value);
		size += value.length;
	}
	return Buffer.concat(parts);
}

async function* prepend(
	head: Uint8Array,
	rest: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
	yield head;
	yield* { [Symbol.asyncIterator]: () => rest };
}
