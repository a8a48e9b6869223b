import { ConnectionError, EngineError, RbuildError } from "../errors.js";
import { interrupted } from "../interruption.js";
import { wordsOnOneLine } from "./daemon-words.js";
import type { EngineRequest, EngineResponse } from "./engine.js";

/** Longest error answer that is read, in bytes; a daemon's are a few hundred. */
const ERROR_BODY_LIMIT = 64 * 1024;

const TLS_HINT = "it requires TLS: add --tlsverify, with --tlscacert, --tlscert and --tlskey";

type RequestLine = Pick<EngineRequest, "method" | "path">;

/** What undici gave up. */
interface BrokenExchange {
	readonly request: RequestLine;
	readonly target: string;
	/** An error of undici's own, of the stream, or of the request's body. */
	readonly error: Error & { readonly code?: unknown };
	/** Whether the stream to the daemon raised it. */
	readonly isOfStream: boolean;
	readonly answerStarted: boolean;
}

/** Why an exchange broke off, in rbuild's words. */
export function exchangeFailure({
	request: { method, path },
	target,
	error,
	isOfStream,
	answerStarted,
}: BrokenExchange): Error {
	if (error instanceof RbuildError) return error;
	const code = String(error.code ?? "");
	const request = `${method} ${path}`;
	// undici leaves the code of its parser's errors empty.
	const notHttp = error.name === "HTTPParserError" || code === "UND_ERR_HEADERS_OVERFLOW";
	if (notHttp && !answerStarted) {
		return notDocker(target, request, "with something that is not HTTP", error);
	}
	if (code === "UND_ERR_HEADERS_TIMEOUT" || code === "UND_ERR_BODY_TIMEOUT") {
		const how = answerStarted ? "does not end its answer to" : "does not answer";
		return new ConnectionError("timed-out", `${target} ${how} ${request}`, {
			cause: error,
			hint: "the daemon may be starting, stuck or out of memory: look at its log on that machine",
		});
	}
	if (notHttp || isOfStream || code.startsWith("UND_ERR_")) {
		return answerStarted
			? lost(`${target} closed the connection in the middle of its answer to ${request}`, error)
			: lost(`${target} closed the connection without an answer to ${request}`, error);
	}
	// What is left was raised by the body that the caller sends, and is the caller's to explain.
	return error;
}

function lost(message: string, cause: Error): ConnectionError {
	return new ConnectionError("lost", message, {
		cause,
		hint: "the daemon may have stopped: look at its log on that machine (journalctl -u docker)",
	});
}

/** The peer speaks, but not the Docker Engine API. */
export function notDocker(
	target: string,
	request: string,
	how: string,
	cause?: unknown,
): EngineError {
	return new EngineError(`${target} answered ${request} ${how}: is that a Docker daemon?`, {
		cause,
		hint: "check the address; another service may listen there, or a proxy stand in between",
	});
}

/** The daemon's own words for a status of 400 or more. Reads the body to its end. */
export async function refusal(
	response: EngineResponse,
	{ method, path, signal }: Pick<EngineRequest, "method" | "path" | "signal">,
	target: string,
): Promise<EngineError> {
	const text = await readBodyText(response.body, ERROR_BODY_LIMIT).catch((error: unknown) => {
		if (signal.aborted) throw interrupted(signal);
		if (error instanceof RbuildError) return "";
		throw error;
	});
	const words = daemonWords(text) || "no reason given";
	return new EngineError(
		`${target} refused ${method} ${path}: ${words} (HTTP ${response.status})`,
		{
			status: response.status,
			// Go's words (net/http, server.go).
			...(words.includes("HTTP request to an HTTPS server") ? { hint: TLS_HINT } : {}),
		},
	);
}

/**
 * The "message" of the API's ErrorResponse, or the "error" of a progress line, which Podman answers
 * when a push fails early. A proxy in between may answer in plain text or HTML.
 */
function daemonWords(text: string): string {
	let words = text;
	try {
		const document: unknown = JSON.parse(text);
		if (typeof document === "object" && document !== null) {
			const { message, error } = document as { message?: unknown; error?: unknown };
			words = [message, error].find((each) => typeof each === "string") ?? text;
		}
	} catch {
		words = text.replace(/<[^>]*>/g, " ");
	}
	return wordsOnOneLine(withoutCredentials(words));
}

/** Daemons quote the URLs they were given: `https://user:token@host` becomes `https://***@host`. */
function withoutCredentials(words: string): string {
	return words.replace(/:\/\/[^/@\s"']+@/g, "://***@");
}

/**
 * Reads a whole body as UTF-8.
 * @param limit in bytes
 * @throws EngineError when it is longer
 */
export async function readBodyText(body: EngineResponse["body"], limit: number): Promise<string> {
	const chunks: Buffer[] = [];
	let length = 0;
	for await (const chunk of body as AsyncIterable<Buffer>) {
		length += chunk.length;
		if (length > limit) throw new EngineError(`the daemon's answer is longer than ${limit} bytes`);
		chunks.push(chunk);
	}
	return Buffer.concat(chunks).toString("utf8");
}
