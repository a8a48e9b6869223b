import type { BuildEvent } from "../events.js";
import { printableJson } from "../printable.js";
import type { Failure, Renderer } from "./renderer.js";
import type { Screen } from "./screen.js";

/**
 * `--progress json`: one JSON object a line on stderr, as `docker build --progress rawjson` does, so
 * that stdout stays free for results. Each has a "type" and a "time" (ISO 8601, UTC). Sizes are bytes,
 * durations milliseconds; "?" marks what may be missing. More fields and types may come, none leaves.
 *
 * In a build for several platforms, what is about one of them has platform, too; what is about a box that builds several
 * has all of those with commas in between.
 *
 * - `connect`, status `started`: target, chosenBy
 * - `connect`, status `done`: target, engine {product, version, apiVersion, platform, builder}, route, durationMs
 * - `reach`: place, step (`tcp`, `tls`, `ssh`, `host-key` or `login`), detail
 * - `context`, status `started` or `done`: source, kind? (`directory`, `archive` or `remote`, when done), totals? {files, bytes, ignored {files, bytes, complete}}, durationMs?
 * - `secrets`: source, findings [{path, what, line?}], message, hint: files that look like credentials will be sent
 * - `transfer`: transfer (`tar` or `sync`), reason, needed? {files, bytes}, doubt?
 * - `upload`, status `progress` or `done`: files, totalFiles?, bytes, totalBytes?, sentBytes, savedBytes?, durationMs
 * - `sent-file`: path, bytes, context? (a named one): with a sync, for each file once it is sent; a tar sends all
 * - `step`, status `started`, `waiting` (looked up, not yet fetched), `cached` or `canceled`: id, name
 * - `step`, status `progress`: id, name, item, current, total (0: not known)
 * - `step`, status `done`: id, name, durationMs
 * - `step`, status `failed`: id, name, error, durationMs
 * - `log`: stepId, stream (`stdout` or `stderr`), text (any piece of the output, as the step wrote it)
 * - `deliver`, status `started`, `progress` or `done`: method (`push`, `save`, `load`, `export` or `bring`), destination, bytes, totalBytes?, detail?,
 *   layer? {id, state (`waiting`, `moving`, `here`, `there` or `done`), bytes, totalBytes}, reusedBytes?
 * - `retry`: target, reason, attempt (from 1), retries, delayMs
 * - `warning`: message, hint?
 * - `dry-run`: report {target, chosenBy, tags, platform?, source, contextKind, dockerfile, context?, advice? [{text, files, bytes}],
 *   deliveries [{method,
 *   destination}], box? {engine, route}, transfer? {transfer, reason, upload? {files, bytes, atMost}}}: with --dry-run, in place
 *   of `done`
 * - `done`: report {imageId?, tags, platform, target, engine, platforms? [{platform, imageId, digest?, target, engine,
 *   upload?}], deliveries [{method, destination, bytes, sentBytes?, reusedBytes?, whole?,
 *   digest?, durationMs}], contextKind, context?, upload? {transfer (`tar` or `sync`), files?, bytes, alreadyThere {files, bytes}, sentBytes,
 *   savedBytes}, wire {sent, received}, retries, phases {connect, context, upload, build, deliver, total}}
 * - `error`: message, exitCode, hint?, logTail? [line], position? {file, line, endLine, text}
 *
 * The last one is `done`, `dry-run` or `error`; an `error` after `dry-run` says why such a build would fail, and an `error` after `done` means that the image is there, and that
 * something after it failed, such as writing --metadata-file.
 */
export class JsonRenderer implements Renderer {
	readonly #screen: Screen;

	constructor(screen: Screen) {
		this.#screen = screen;
	}

	handle(event: BuildEvent): void {
		const { type, ...fields } = event;
		this.#write(type, fields);
	}

	fail({ message, exitCode, hint, logTail, position }: Failure): void {
		// Named one by one: a Failure may be an Error with more in it.
		const { file, line, endLine, text } = position ?? {};
		const where = position && { file, line, endLine, text };
		this.#write("error", { message, exitCode, hint, logTail, position: where });
	}

	close(): void {}

	#write(type: string, fields: object): void {
		const time = new Date(this.#screen.now()).toISOString();
		const line = JSON.stringify({ type, time, ...fields });
		this.#screen.stderr.write(`${printableJson(line)}\n`);
	}
}
