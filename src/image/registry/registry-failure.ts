import { STATUS_CODES } from "node:http";
import { fields } from "../../engine/document.js";
import { DeliveryError } from "../../errors.js";
import { printableName } from "../../printable.js";
import { type CertificateFault, certificateFault } from "../../transport/certificate-fault.js";
import type { WebAnswer } from "../web/web-client.js";

/** For which it is worth to ask again. */
const BUSY = new Set([429, 502, 503, 504]);
/** Longest time that a registry may have one wait, in milliseconds. */
const LONGEST_WAIT = 60_000;

interface FailureDetails {
	readonly status?: number | undefined;
	readonly hint?: string | undefined;
	/** Milliseconds that it wants to be left alone. */
	readonly retryAfter?: number | undefined;
}

/** A registry did not do what it was asked to; the message is the reason, as the end of a sentence. */
export class RegistryFailure extends Error {
	override readonly name = "RegistryFailure";
	/** The status of its answer; undefined where there was none. */
	readonly status: number | undefined;
	readonly hint: string | undefined;
	readonly #retryAfter: number | undefined;

	constructor(reason: string, { status, hint, retryAfter }: FailureDetails = {}) {
		super(reason);
		this.status = status;
		this.hint = hint;
		this.#retryAfter = retryAfter;
	}

	/**
	 * Milliseconds to wait before the registry is asked again; undefined where that is of no use.
	 * @param attempt counted from 1
	 */
	delay(attempt: number): number | undefined {
		if (!BUSY.has(this.status ?? 0)) return undefined;
		const delay = this.#retryAfter ?? 1000 * 2 ** (attempt - 1);
		return delay > LONGEST_WAIT ? undefined : delay;
	}
}

/** The connection to a registry broke before it had answered. */
export class BrokenConnection extends RegistryFailure {}

/** It stands, but nothing has come or gone over it for too long. */
export class StalledConnection extends BrokenConnection {}

/** There is no TLS where it was tried. */
export class NoTls extends RegistryFailure {}

/** What to do about a registry that does not let one in. */
export function loginHint(registry: string, loggedIn: boolean): string {
	const login = `docker login ${registry}`;
	return loggedIn
		? `${registry} does not accept the login for it: renew it (${login}), and check that it may push there`
		: `there is no login for ${registry} on this machine: run "${login}", or add it to ~/.docker/config.json`;
}

/** What a registry's answer means that is not one of those that were waited for. */
export function refusal(
	{ status, body, headers }: WebAnswer,
	registry: string,
	login: { readonly loggedIn: boolean; readonly withoutSecrets: (text: string) => string },
): RegistryFailure {
	const words = wordsOf(status, login.withoutSecrets(firstError(body)));
	if (status === 401 || status === 403) {
		return new RegistryFailure(words, { status, hint: loginHint(registry, login.loggedIn) });
	}
	const retryAfter = retryAfterOf([headers["retry-after"]].flat()[0] ?? "");
	return new RegistryFailure(words, { status, hint: statusHint(status, retryAfter), retryAfter });
}

/**
 * What to do about the status of an answer, where that is known.
 * @param retryAfter milliseconds that the registry wants to be left alone, where it says so
 */
export function statusHint(status: number, retryAfter?: number): string | undefined {
	if (status === 429) {
		const wait = retryAfter ? `wait ${Math.ceil(retryAfter / 1000)} s` : "wait a while";
		return `${wait}, and run rbuild again: what was pushed is not pushed again`;
	}
	return HINTS[status] ?? (status >= 500 ? "look at the log of that registry" : undefined);
}

/** Seconds or a date (RFC 9110, 10.2.3), as milliseconds from now. */
function retryAfterOf(header: string): number | undefined {
	if (/^\d+$/.test(header)) return Number(header) * 1000;
	const date = Date.parse(header);
	return Number.isNaN(date) ? undefined : Math.max(0, date - Date.now());
}

/** "denied: no such project (403 Forbidden)" (distribution-spec, "error codes"). */
function wordsOf(status: number, said: string): string {
	const words = printableName(said);
	const name = `${status} ${STATUS_CODES[status] ?? ""}`.trimEnd();
	return words === "" ? `it answers ${name}` : `${words.slice(0, 300)} (${name})`;
}

function firstError(body: string): string {
	try {
		const { errors } = fields(JSON.parse(body));
		const { code, message } = fields(Array.isArray(errors) ? errors[0] : undefined);
		const name = typeof code === "string" ? code.toLowerCase().replaceAll("_", " ") : "";
		const text = typeof message === "string" ? message : "";
		return [name, text].filter(Boolean).join(": ");
	} catch {
		// A page of a proxy, which says nothing that its status does not.
		return "";
	}
}

/** What to do about a status. */
const HINTS: Readonly<Record<number, string>> = {
	404: "some registries need the repository to be created before a push",
	413: "the proxy in front of it limits the size of a request: raise it there (nginx: client_max_body_size)",
	507: "make room in that registry",
};

const RENEW = "renew it, or check this machine's clock and the name of the registry";

const CERTIFICATE_REASONS: Readonly<
	Record<CertificateFault, readonly [reason: string, hint: (host: string) => string]>
> = {
	untrusted: [
		"its certificate is signed by an unknown authority",
		(host) => `put the CA's certificate into ~/.docker/certs.d/${host}/ca.crt`,
	],
	"other-name": ["its certificate is for another name", () => RENEW],
	expired: ["its certificate has expired", () => RENEW],
	"not-yet-valid": [
		"its certificate is not valid yet",
		() => "is the clock of this machine, or of the one that made the certificate, right?",
	],
	"not-for-servers": [
		"its certificate is not one for servers",
		() => "reissue it with extendedKeyUsage=serverAuth",
	],
};

/** By what node or undici call it. */
const CONNECTION_REASONS: Readonly<Record<string, string>> = {
	ERR_SSL_WRONG_VERSION_NUMBER: "it speaks plain HTTP",
	ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: "it requires a client certificate",
	ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE: "it refused the TLS handshake",
	ENOTFOUND: "there is no such host",
	EAI_AGAIN: "its name cannot be looked up",
	ECONNREFUSED: "it refuses connections",
	EHOSTUNREACH: "there is no route to it",
	ENETUNREACH: "there is no route to it",
	UND_ERR_CONNECT_TIMEOUT: "it does not answer",
};

/** Those that happen to a connection that was there. */
const BROKEN = new Set(["ECONNRESET", "EPIPE", "ECONNABORTED", "ETIMEDOUT", "UND_ERR_SOCKET"]);

/** What undici calls it where nothing comes, or goes. */
const STALLED = new Set(["UND_ERR_HEADERS_TIMEOUT", "UND_ERR_BODY_TIMEOUT"]);

/** What to do about a connection that was there. */
const AGAIN = "run rbuild again: what was pushed is not pushed again";

/** What it means that there is no answer. */
export function connectionFailure(error: unknown, host: string): Error {
	if (error instanceof DeliveryError) return error;
	const { code = "", message } = error as NodeJS.ErrnoException;
	const fault = certificateFault(code);
	if (fault !== undefined) {
		const [reason, hint] = CERTIFICATE_REASONS[fault];
		return new RegistryFailure(reason, { hint: hint(host) });
	}
	if (STALLED.has(code)) return new StalledConnection("the connection stalled", { hint: AGAIN });
	if (BROKEN.has(code)) return new BrokenConnection("the connection broke", { hint: AGAIN });
	const Failure = code === "ERR_SSL_WRONG_VERSION_NUMBER" ? NoTls : RegistryFailure;
	return new Failure(CONNECTION_REASONS[code] ?? `no connection: ${code || message}`, {
		hint: connectionHint(code, host),
	});
}

function connectionHint(code: string, host: string): string {
	if (code === "ERR_SSL_WRONG_VERSION_NUMBER") {
		return "nothing is pushed without TLS beyond this machine: put TLS in front of it, or have the box push (--via daemon)";
	}
	if (code === "ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED") {
		return `put it into ~/.docker/certs.d/${host}, as client.cert and client.key`;
	}
	return `the push is made by this machine: can it reach ${host}? If only the box can: --via daemon`;
}
