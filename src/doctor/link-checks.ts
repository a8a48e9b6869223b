import { randomBytes } from "node:crypto";
import prettyBytes from "pretty-bytes";
import { fields } from "../engine/document.js";
import type { Engine } from "../engine/engine.js";
import { exportImage } from "../engine/images.js";
import { EngineError, EXIT_CODES, InterruptedError, RbuildError } from "../errors.js";
import type { Transport } from "../transport/transport.js";
import type { Finding } from "./check.js";

interface Link {
	readonly engine: Engine;
	readonly transport: Transport;
}

/** What engine/http-connection.ts opens at most, and of these what no build does without. */
const STREAMS = { most: 6, least: 3 } as const;
/** Those that the greeting has opened. */
const OPEN_ALREADY = 2;
const STREAMS_LIMIT = 3_000;

const PINGS = 5;

/** Bytes of one request after the other, as long as the last one took less than this, in milliseconds. */
const UPLOADS = [64 * 1024, 256 * 1024, 1024 * 1024, 4 * 1024 * 1024] as const;
const TELLING_MS = 500;
const PROBE_LIMIT = 2_000;

/** Of an image that is read in part: enough to tell, and little enough for daemons that pack it first. */
const IMAGE_SIZE = { least: 1e6, most: 100e6 } as const;
const DOWNLOAD = 4 * 1024 * 1024;

/** Sessions of sshd, where each stream is one, are the usual limit (sshd_config(5), MaxSessions). */
export async function streams({ transport }: Link, signal: AbortSignal): Promise<Finding> {
	const limit = AbortSignal.any([signal, AbortSignal.timeout(STREAMS_LIMIT)]);
	const opening = Array.from({ length: STREAMS.most - OPEN_ALREADY }, () => transport.open(limit));
	const results = await Promise.allSettled(opening);
	for (const result of results) if (result.status === "fulfilled") result.value.destroy();
	if (signal.aborted) throw signal.reason;
	const count = OPEN_ALREADY + results.filter(({ status }) => status === "fulfilled").length;
	if (count === STREAMS.most) return { state: "ok", detail: `${count} or more` };
	const fix = "raise MaxSessions in sshd_config there, and reload sshd";
	const reason = results.find(({ status }) => status === "rejected") as PromiseRejectedResult;
	const why =
		reason.reason instanceof RbuildError && !(reason.reason instanceof InterruptedError)
			? `: ${reason.reason.message}`
			: "";
	const detail = `no more than ${count}${why}`;
	return count < STREAMS.least
		? { state: "failed", detail, fix, exitCode: EXIT_CODES.connection }
		: { state: "warning", detail, fix };
}

export async function latency({ engine }: Link, signal: AbortSignal): Promise<Finding> {
	const times: number[] = [];
	for (let count = 0; count < PINGS; count++) {
		const askedAt = performance.now();
		const { body } = await engine.request({ method: "GET", path: "/_ping", signal });
		for await (const _ of body);
		times.push(performance.now() - askedAt);
	}
	const shortest = Math.min(...times);
	const number = shortest < 10 ? shortest.toFixed(1) : String(Math.round(shortest));
	return { state: "ok", detail: `${number} ms to the daemon and back, the shortest of ${PINGS}` };
}

/**
 * Needs no shell over there: the daemon reads a JSON text to its end before it sees that it is cut off,
 * and refuses it (moby api/server/router/volume, postVolumesCreate; Podman's, too).
 */
export async function upload({ engine }: Link, signal: AbortSignal): Promise<Finding> {
	const limit = AbortSignal.timeout(PROBE_LIMIT);
	let rate: number | undefined;
	try {
		for (const bytes of UPLOADS) {
			const startedAt = performance.now();
			await sendNonsense(engine, bytes, AbortSignal.any([signal, limit]));
			const took = performance.now() - startedAt;
			rate = bytes / Math.max(1, took - engine.roundTripMs);
			if (took > TELLING_MS) break;
		}
	} catch (error) {
		if (signal.aborted || !limit.aborted) throw error;
	}
	return rate === undefined
		? {
				state: "warning",
				detail: `less than ${prettyBytes(UPLOADS[0] / (PROBE_LIMIT / 1000))}/s`,
				fix: "on such a link, leave out with .dockerignore what the build does not need",
			}
		: { state: "ok", detail: `${prettyBytes(Math.round(rate * 1000))}/s` };
}

async function sendNonsense(engine: Engine, bytes: number, signal: AbortSignal): Promise<void> {
	const start = '{"Name":"';
	const body =
		start +
		randomBytes(bytes)
			.toString("base64")
			.slice(0, bytes - start.length);
	const headers = { "Content-Type": "application/json" };
	try {
		const path = "/volumes/create";
		const answer = await engine.request({ method: "POST", path, headers, body, signal });
		answer.body.destroy();
	} catch (error) {
		if (!(error instanceof EngineError)) throw error;
	}
}

/** Reads the start of an image that is there, which needs no shell either; nothing is left over there. */
export async function download({ engine }: Link, signal: AbortSignal): Promise<Finding> {
	const images = await engine.json({ method: "GET", path: "/images/json", signal });
	const [image] = (Array.isArray(images) ? images : [])
		.map(fields)
		.map(({ Id, Size }) => ({ id: String(Id), size: Number(Size) }))
		.filter(({ size }) => size >= IMAGE_SIZE.least && size <= IMAGE_SIZE.most)
		.sort((a, b) => b.size - a.size);
	if (image === undefined) {
		return { state: "skipped", detail: "there is no image of 1 to 100 MB to read a part of" };
	}
	const limit = AbortSignal.timeout(PROBE_LIMIT);
	const body = await exportImage(engine, [image.id], AbortSignal.any([signal, limit]));
	let bytes = 0;
	let startedAt: number | undefined;
	let endedAt = 0;
	try {
		for await (const chunk of body as AsyncIterable<Buffer>) {
			endedAt = performance.now();
			// The daemon packs the image before it sends any of it.
			if (startedAt === undefined) startedAt = endedAt;
			else bytes += chunk.length;
			if (bytes >= DOWNLOAD) break;
		}
	} catch (error) {
		if (signal.aborted || !limit.aborted) throw error;
	}
	if (startedAt === undefined || endedAt <= startedAt || bytes === 0) {
		return { state: "skipped", detail: "too little came to tell" };
	}
	const rate = (bytes / (endedAt - startedAt)) * 1000;
	return { state: "ok", detail: `${prettyBytes(Math.round(rate))}/s` };
}
