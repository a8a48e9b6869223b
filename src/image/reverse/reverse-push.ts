import type { Engine } from "../../engine/engine.js";
import { pushImage, tagImage } from "../../engine/images.js";
import { EngineError } from "../../errors.js";
import type { Run } from "../../events.js";
import { onOneLine } from "../../printable.js";
import { ListenRefusal, type LoopbackPort } from "../../transport/transport.js";
import type { BlobCache } from "../cache/blob-cache.js";
import { type DaemonLine, readDaemonLine } from "../daemon-line.js";
import { BlobUploads } from "./blob-uploads.js";
import { type ExpectedImage, PushContents, type PushedImage } from "./push-contents.js";
import { type PushNames, pushName, pushRepository } from "./push-names.js";
import { RegistryServer } from "./registry-server.js";

/** The daemon cannot push to this side; the message is the reason, as the end of a sentence. */
export class NoReversePush extends Error {
	override readonly name = "NoReversePush";
}

interface ReversePush {
	readonly engine: Engine;
	/** The image, by its id or a name. One without a name is gone from the daemon afterwards. */
	readonly image: string;
	readonly expected: ExpectedImage;
	readonly cache: BlobCache;
	/** Of that daemon. */
	readonly names: PushNames;
	/** The bytes that came so far. */
	readonly onBytes: (bytes: number) => void;
	/** What the daemon says of a layer. */
	readonly onLine: (line: DaemonLine) => void;
}

/**
 * Has the daemon push an image to a registry that is inside of this process, and that it finds on its own
 * loopback address. The registry is there for this push alone.
 *
 * @throws NoReversePush where that is not to be had; DeliveryError for a push that is not what it should
 * be; ClaimedTooMuch; CacheFailure; ConnectionError; InterruptedError
 */
export async function reversePush(
	{ engine, image, expected, cache, names, onBytes, onLine }: ReversePush,
	run: Run,
): Promise<PushedImage> {
	const failed = new AbortController();
	const signal = AbortSignal.any([run.signal, failed.signal]);
	const contents = new PushContents(cache, expected, signal);
	await using uploads = new BlobUploads(cache, contents, onBytes);
	const repository = pushRepository();
	const onFailure = (error: unknown) => failed.abort(error);
	const registry = new RegistryServer({ repository, contents, uploads, onFailure });
	try {
		await using port = await listen(engine, registry, run.signal);
		const name = pushName(port.port, repository);
		const over = new AbortController();
		let swept: Promise<void> | undefined;
		try {
			await tagImage(engine, image, name, run.signal);
			// Only now: one of them may be the last name that the image had.
			await names.removeLeft(engine);
			swept = names.removeOld(engine, AbortSignal.any([run.signal, over.signal]));
			await push(engine, name, registry, onLine, signal);
		} finally {
			over.abort();
			await names.remove(engine, name);
			await swept;
		}
	} catch (error) {
		if (run.signal.aborted || !failed.signal.aborted) throw error;
		throw failed.signal.reason;
	} finally {
		registry.close();
	}
	if (contents.pushed === undefined) {
		throw new NoReversePush("the daemon did not push the image to its end");
	}
	return contents.pushed;
}

async function listen(
	{ transport }: Engine,
	registry: RegistryServer,
	signal: AbortSignal,
): Promise<LoopbackPort> {
	if (transport.listen === undefined) {
		const reason = "that daemon is on another machine, and not reached by rbuild's own ssh client";
		throw new NoReversePush(reason);
	}
	try {
		return await transport.listen((stream) => registry.accept(stream), signal);
	} catch (error) {
		throw error instanceof ListenRefusal ? new NoReversePush(error.message) : error;
	}
}

async function push(
	engine: Engine,
	name: string,
	{ auth }: RegistryServer,
	onLine: (line: DaemonLine) => void,
	signal: AbortSignal,
): Promise<void> {
	try {
		for await (const line of pushImage(engine, name, auth, signal, { plainHttp: true })) {
			const news = readDaemonLine(line);
			if (news.error !== undefined) throw new NoReversePush(reasonIn(news.error));
			onLine(news);
		}
	} catch (error) {
		throw error instanceof EngineError ? new NoReversePush(reasonIn(error.message)) : error;
	}
}

/** What a daemon says that has another loopback: one in a virtual machine, or rootless behind slirp4netns. */
function reasonIn(words: string): string {
	const line = onOneLine(words);
	return /connection refused|no route|timeout|i\/o timeout/i.test(line)
		? "the daemon does not share the loopback address of that machine"
		: `the daemon cannot push to this side: ${line}`;
}
