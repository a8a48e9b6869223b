import type { ContentChunk } from "../../context/content/content-reader.js";
import type { ContextSelection } from "../../context/entries/context-selection.js";
import type { ContextEntry } from "../../context/tree/manifest.js";
import { isUtf8, printablePath } from "../../context/tree/path-bytes.js";
import { ContextError } from "../../errors.js";
import type { StreamCompression } from "../../transport/stream-compression.js";
import type { FramedMessages } from "../grpc/grpc-frames.js";
import type { ContentCompression } from "./content-compression.js";
import { early } from "./early.js";
import { EntryList } from "./entry-list.js";
import { DaemonSideError, PacketInbox } from "./packet-inbox.js";
import { PacketWriter } from "./packet-writer.js";
import type { StreamEffort } from "./stream-effort.js";

/** Messages that are handed to the link at once, in bytes. */
const MESSAGES_BYTES = 64 * 1024;

/** zlib's, for the list of entries: it becomes a fifth of itself. */
const LIST_LEVEL = 6;

/** Entries that are told of at once between two contents: the daemon queues as many (fsutil's receive.go). */
const ENTRIES_BETWEEN = 128;
/**
 * Entries that the daemon may be told of before it comes to them. What it has no room for it does not
 * read, nor the contents behind that.
 */
const LEAD = 512;
/** Files that are asked for and have to be read: with so many, the list can wait. */
const PLENTY = 2048;

/** Chunks of content that are read while others are sent. */
const READ_AHEAD = 4;

/** What one transfer has done so far. */
export interface CopyProgress {
	/** Files that the daemon was told of and may ask for, and the bytes of their content. */
	readonly offeredFiles: number;
	readonly offeredBytes: number;
	/** Files whose content has been sent to the end. */
	readonly files: number;
	/** Of content. */
	readonly bytes: number;
	/** Of messages, with all that is in them. */
	readonly sentBytes: number;
	/** By so much compression made the messages smaller. */
	readonly savedBytes: number;
}

export interface CopyObserver {
	/** Told of what is handed to the link. */
	progress(progress: CopyProgress): void;
	/** A file has been handed to the link. Absent where nobody wants to know: names take memory. */
	sentFile?(path: string, bytes: number): void;
}

/** How a transfer gets smaller on its way. */
interface CopySqueezing {
	/** Compresses the list of entries, which shrinks a lot, and the contents where there is an effort. */
	readonly stream: StreamCompression;
	readonly effort: StreamEffort | undefined;
	/** Compresses each content for itself, where the stream cannot be. */
	readonly compression: ContentCompression | undefined;
}

/**
 * The sender of fsutil's protocol (send.go): tells the daemon of all entries and sends the content that it
 * asks for, in the order in which it asks, until it says that it has what it wants.
 *
 * @param packets what comes from the daemon
 * @throws ContextError; EngineError for a daemon that does not keep to the protocol; DaemonSideError
 */
export async function* diffCopy(
	selection: ContextSelection,
	packets: AsyncIterable<Uint8Array>,
	squeezing: CopySqueezing,
	observer: CopyObserver,
): AsyncGenerator<FramedMessages, void, undefined> {
	const copy = new DiffCopy(selection, packets, squeezing, observer);
	try {
		yield* copy.send();
	} catch (error) {
		if (!(error instanceof DaemonSideError)) yield copy.tell(error);
		throw error;
	}
}

class DiffCopy {
	readonly #selection: ContextSelection;
	readonly #list: EntryList;
	readonly #inbox: PacketInbox;
	readonly #stream: StreamCompression;
	readonly #effort: StreamEffort | undefined;
	readonly #compression: ContentCompression | undefined;
	readonly #observer: CopyObserver;
	readonly #writer = new PacketWriter();
	/** Of chunks that have been sent: with new memory for each, V8 has 1 GiB more to collect for 1 GiB. */
	readonly #spent: ArrayBuffer[] = [];
	/** By id: whether its content may be asked for, which is once. */
	readonly #offered: boolean[] = [];
	/** By id, where somebody wants to hear of them. */
	readonly #entries: ContextEntry[] = [];
	/** Whether the daemon has been told of the last one. */
	#listed = false;
	/** Files that were asked for and are not read to their end. */
	#unread = 0;
	#offeredFiles = 0;
	#offeredBytes = 0;
	#files = 0;
	#bytes = 0;
	/** Of messages, before the stream is compressed. */
	#messageBytes = 0;
	/** By so much these are smaller than without compression, and the stream than they are. */
	#savedInMessages = 0;
	#savedInStream = 0;

	constructor(
		selection: ContextSelection,
		packets: AsyncIterable<Uint8Array>,
		{ stream, effort, compression }: CopySqueezing,
		observer: CopyObserver,
	) {
		this.#selection = selection;
		this.#list = new EntryList(selection);
		this.#stream = stream;
		this.#effort = effort;
		this.#compression = compression;
		this.#observer = observer;
		this.#inbox = new PacketInbox(packets, (id) => {
			const offered = this.#offered[id] === true;
			if (offered) this.#offered[id] = false;
			return offered;
		});
	}

	/**
	 * The daemon asks for files while it reads the list, which takes it a second for 20,000 of them: so
	 * contents are sent from the first request on, and the rest of the list in between.
	 */
	async *send(): AsyncGenerator<FramedMessages> {
		const ahead: Promise<ContentChunk>[] = [];
		while (!this.#inbox.finished) {
			this.#check();
			this.#readAhead(ahead);
			const chunk = this.#isListDue() ? undefined : ahead.shift();
			if (chunk !== undefined) yield* this.#sendChunk(chunk);
			else if (!this.#listed) yield* this.#announce();
			else await this.#inbox.news();
		}
		this.#writer.fin();
		yield this.#take();
		this.#tell();
	}

	/** Whether something is to be told before the next content, so that the daemon goes on asking. */
	#isListDue(): boolean {
		if (this.#listed || this.#unread >= PLENTY) return false;
		return this.#unread === 0 || this.#offered.length < this.#inbox.lastRequested + LEAD;
	}

	/** Some more of the list, or its end. */
	async *#announce(): AsyncGenerator<FramedMessages> {
		do {
			const entries = await this.#list.take(ENTRIES_BETWEEN);
			for (const entry of entries) {
				requireUtf8(entry);
				this.#writer.stat(entry);
				this.#offer(entry);
			}
			this.#listed = entries.length === 0;
		} while (this.#unread === 0 && !this.#listed && this.#writer.length < MESSAGES_BYTES);
		if (this.#listed) this.#writer.endOfStats();
		this.#stream.level = LIST_LEVEL;
		yield this.#take();
	}

	#offer(entry: ContextEntry): void {
		const hasContent = entry.type === "file" && entry.hardlink === undefined;
		this.#offered.push(hasContent);
		if (this.#observer.sentFile !== undefined) this.#entries.push(entry);
		if (!hasContent) return;
		this.#offeredFiles += 1;
		this.#offeredBytes += entry.size;
	}

	async *#sendChunk(reading: Promise<ContentChunk>): AsyncGenerator<FramedMessages> {
		const started = performance.now();
		const chunk = await reading;
		this.#write(chunk);
		if (this.#writer.length === 0) return;
		this.#stream.level = this.#effort?.level ?? 0;
		const { savedBytes, durationMs } = this.#stream.work;
		const written = performance.now();
		yield this.#take();
		const elapsedMs = performance.now() - started;
		this.#compression?.note(chunk, performance.now() - written, elapsedMs);
		this.#effort?.note({
			bytes: chunk.bytes.length,
			savedBytes: this.#stream.work.savedBytes - savedBytes,
			compressMs: this.#stream.work.durationMs - durationMs,
			elapsedMs,
		});
		this.#tellSentFiles(chunk);
		this.#spent.push(chunk.bytes.buffer);
	}

	#tellSentFiles({ pieces }: ContentChunk): void {
		if (this.#observer.sentFile === undefined) return;
		for (const { id, last } of pieces) {
			const { path, size } = this.#entries[id] as ContextEntry;
			if (last) this.#observer.sentFile(path, size);
		}
	}

	/** The message that tells the daemon why it gets no more. */
	tell(error: unknown): FramedMessages {
		this.#writer.error(error instanceof Error ? error.message : String(error));
		return this.#take();
	}

	#check(): void {
		if (this.#inbox.failure !== undefined) throw this.#inbox.failure;
	}

	/** Asks for as many chunks as may be needed; what comes too much is empty. */
	#readAhead(ahead: Promise<ContentChunk>[]): void {
		let requests = this.#inbox.takeRequests();
		this.#unread += requests.length;
		while (requests.length > 0 || (this.#unread > 0 && ahead.length < READ_AHEAD)) {
			const level = this.#compression?.level ?? 0;
			ahead.push(early(this.#selection.read(requests, level, this.#spent.pop())));
			requests = [];
		}
	}

	#write({ bytes, pieces }: ContentChunk): void {
		for (const { id, start, end, last, gzipOf } of pieces) {
			const part = bytes.subarray(start, end);
			if (gzipOf === undefined) this.#writer.data(id, part);
			else this.#savedInMessages += this.#writer.gzippedData(id, gzipOf, part);
			this.#bytes += gzipOf ?? part.length;
			if (!last) continue;
			this.#writer.endOfFile(id);
			this.#files += 1;
			this.#unread -= 1;
		}
	}

	#take(): FramedMessages {
		this.#messageBytes += this.#writer.length;
		this.#tell();
		return this.#writer.take();
	}

	#tell(): void {
		this.#savedInStream += this.#stream.takeSaved(this.#messageBytes - this.#savedInStream);
		this.#observer.progress({
			offeredFiles: this.#offeredFiles,
			offeredBytes: this.#offeredBytes,
			files: this.#files,
			bytes: this.#bytes,
			sentBytes: this.#messageBytes - this.#savedInStream,
			savedBytes: this.#savedInMessages + this.#savedInStream,
		});
	}
}

/** Protobuf's text is UTF-8: Docker 28.5 ends the transfer over any other, 20.10 takes it. */
function requireUtf8(entry: ContextEntry): void {
	if (isUtf8(entry)) return;
	const { path } = entry;
	const what = isUtf8({ path }) ? "a target" : "a name";
	throw new ContextError(
		`${printablePath(path)} has ${what} that is not UTF-8, as a sync needs it`,
		{
			hint: "rename it, list it in .dockerignore, or send the context as a tar (--transfer tar)",
		},
	);
}
