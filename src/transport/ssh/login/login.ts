import type { Client, ClientErrorExtensions } from "ssh2";
import { ConnectionError, type ConnectionFailure, RbuildError } from "../../../errors.js";
import type { Emit, ReachEvent } from "../../../events.js";
import { printableName } from "../../../printable.js";
import { connectInterrupted } from "../../connect-socket.js";
import { clientReason } from "../client-reason.js";
import { ssh2Algorithms } from "../config/ssh-algorithms.js";
import type { SshSettings } from "../config/ssh-settings.js";
import { describe, type HostKeyJudge } from "../host-keys/host-key-policy.js";
import type { CountedStream } from "../ssh-link.js";
import type { Authentication } from "./authentication.js";
import { authenticateAtOnce, hearRefusals, signAtOnce } from "./fewer-round-trips.js";

/** A question to the server goes out after this long without an answer to the last one. */
const KEEPALIVE_MS = 10_000;
/** For the user to confirm the use of an agent's key; sshd's own LoginGraceTime is 120 s. */
const AUTHENTICATION_MS = 120_000;
/** What a server may say before its version, in bytes; OpenSSH takes 1,024 lines of it. */
const GREETING_LIMIT = 1024 * 1024;

interface LoginAttempt {
	readonly client: Client;
	/** Connected, and not read from yet. */
	readonly socket: CountedStream;
	readonly settings: SshSettings;
	/** For messages, such as "x86box (192.168.31.100:22)". */
	readonly place: string;
	readonly policy: HostKeyJudge;
	readonly authentication: Authentication;
	readonly emit: Emit;
}

/** From the first byte on the socket until the server lets the user in. */
export class Login {
	readonly #attempt: LoginAttempt;
	#phase: "greeting" | "key exchange" | "authentication" = "greeting";
	/** The start of what the peer said, to show when it turns out not to be an ssh server. */
	#firstBytes = "";
	/** The one that the policy accepted. */
	#hostKey: Buffer | undefined;
	/** Aborted at the end of the attempt, whatever it is. */
	readonly #over = new AbortController();
	/** What the policy threw: ssh2 itself only says that the key was not verified. */
	#hostKeyRefusal: unknown;

	constructor(attempt: LoginAttempt) {
		this.#attempt = attempt;
	}

	/** @throws ConnectionError, InterruptedError; the socket is destroyed then. */
	run(signal: AbortSignal): Promise<void> {
		const { client, socket, settings, place, policy } = this.#attempt;
		return new Promise((resolve, reject) => {
			const settle = () => {
				this.#over.abort();
				clearTimeout(timer);
				signal.removeEventListener("abort", onAbort);
				client.off("error", onError).off("close", onClose).off("ready", onReady);
			};
			const fail = (error: Error) => {
				settle();
				socket.destroy();
				reject(error);
			};
			const onAbort = () => fail(connectInterrupted(place));
			const onClose = () => fail(this.#failure("unreachable", "the connection was closed"));
			const onError = (error: Error & ClientErrorExtensions) => {
				if (!this.#concernsOneKey(error)) {
					const failure = isDisconnect(error) ? "not-authenticated" : "unreachable";
					fail(this.#failure(failure, clientReason(error)));
				}
			};
			const onReady = () => {
				settle();
				this.#reached("login", this.#attempt.authentication.latest);
				resolve();
			};
			const failAfter = (milliseconds: number) =>
				setTimeout(() => {
					fail(this.#failure("timed-out", `${this.#awaited} within ${milliseconds / 1000} s`));
				}, milliseconds);
			let timer = failAfter(settings.connectTimeoutMs);
			signal.addEventListener("abort", onAbort);
			client.on("error", onError).on("close", onClose).on("ready", onReady);
			client.on("change password", () =>
				fail(this.#failure("not-authenticated", "the password has expired")),
			);
			client.once("handshake", () => {
				this.#phase = "authentication";
				clearTimeout(timer);
				timer = failAfter(AUTHENTICATION_MS);
			});
			// It may have hung up while we got ready: ssh2 would not hear of it.
			if (socket.readableEnded || socket.destroyed) {
				onClose();
				return;
			}
			const either = AbortSignal.any([signal, this.#over.signal]);
			// The user may be asked about it, and takes the time that it takes.
			this.#start(async (key) => {
				clearTimeout(timer);
				await policy.verify(key, either);
				if (!this.#over.signal.aborted) timer = failAfter(settings.connectTimeoutMs);
			});
			this.#listen(() => fail(this.#failure("protocol", "its greeting does not end")));
		});
	}

	#start(verify: (key: Buffer) => Promise<void>): void {
		const { client, socket, settings, policy, authentication } = this.#attempt;
		client.connect({
			sock: socket,
			username: settings.user,
			algorithms: ssh2Algorithms(settings.algorithms, policy.algorithms),
			hostVerifier: (key: Buffer, verified: (valid: boolean) => void) => {
				// When keys are exchanged anew, ssh2 sends data in the middle of that if it has to wait.
				if (this.#hostKey?.equals(key)) {
					verified(true);
					return;
				}
				this.#reached("ssh", /^SSH-[^\r\n]*/.exec(this.#firstBytes)?.[0] ?? "");
				const judged = (error?: unknown) => {
					this.#hostKeyRefusal = error;
					if (error === undefined) {
						this.#reached("host-key", describe(key));
						this.#hostKey = Buffer.from(key);
					}
					// After its end, ssh2 would throw.
					if (!this.#over.signal.aborted) verified(error === undefined);
				};
				verify(key).then(() => judged(), judged);
			},
			authHandler: authentication.next,
			keepaliveInterval: settings.keepAlive?.intervalMs ?? KEEPALIVE_MS,
			// SshConnection watches for silence itself: see there.
			keepaliveCountMax: Number.MAX_SAFE_INTEGER,
			readyTimeout: 0,
		});
		signAtOnce(client);
		authenticateAtOnce(client);
		hearRefusals(client, (methods, partial) => authentication.hear(methods, partial));
	}

	/** A server may say something else before its version (RFC 4253, section 4.2). */
	#listen(onFlood: () => void): void {
		const { client, socket } = this.#attempt;
		client.once("greeting", () => {
			this.#phase = "key exchange";
		});
		// ssh2 has paused the socket by now, so this takes nothing away from it.
		const onData = (chunk: Buffer) => {
			this.#firstBytes ||= chunk.toString("latin1", 0, 80);
			if (this.#firstBytes.startsWith("SSH-")) this.#phase = "key exchange";
			if (this.#phase !== "greeting") socket.off("data", onData);
			else if (socket.bytesRead > GREETING_LIMIT) onFlood();
		};
		socket.on("data", onData);
	}

	#reached(step: ReachEvent["step"], detail: string): void {
		const { emit, place } = this.#attempt;
		emit({ type: "reach", place, step, detail: printableName(detail) });
	}

	/** What has not come, for people. */
	get #awaited(): string {
		const isTalking = this.#phase === "greeting" && this.#firstBytes !== "";
		return isTalking ? "no ssh version" : this.#attempt.authentication.awaited;
	}

	/** An agent that does not sign, say: ssh2 reports it and goes on with the next key by itself. */
	#concernsOneKey({ level }: ClientErrorExtensions): boolean {
		const aboutKeys = level === "agent" || level === "client-authentication";
		return aboutKeys && !this.#attempt.authentication.exhausted;
	}

	/** @param failure What it is while keys are being offered; before that a wrong peer is likelier. */
	#failure(failure: ConnectionFailure, reason: string): Error {
		const { place, authentication } = this.#attempt;
		if (this.#hostKeyRefusal instanceof RbuildError) {
			return this.#hostKeyRefusal;
		}
		if (authentication.exhausted) {
			return authentication.failure(place);
		}
		const why = printableName(reason);
		switch (this.#phase) {
			case "greeting": {
				if (failure === "unreachable" && this.#firstBytes === "") {
					return new ConnectionError(
						"protocol",
						`cannot reach ${place}: it closed the connection at once`,
						{
							hint: "is that the port of sshd, and does it let this machine connect (MaxStartups, a firewall)?",
						},
					);
				}
				const said = this.#firstBytes && `; it said "${printableName(this.#firstBytes)}"`;
				const hint = droppedHint(this.#firstBytes);
				if (hint !== undefined) {
					const message = `cannot reach ${place}: it lets nobody log in at the moment${said}`;
					return new ConnectionError("busy", message, { hint });
				}
				return new ConnectionError(
					"protocol",
					`cannot reach ${place}: it does not answer as an ssh server: ${why}${said}`,
					{ hint: "is that the port of sshd?" },
				);
			}
			case "key exchange":
				return new ConnectionError(
					"protocol",
					`cannot reach ${place}: the ssh key exchange failed: ${why}`,
					{ hint: `see what ssh says: ssh -v ${this.#attempt.settings.sshArguments}` },
				);
			case "authentication":
				if (failure === "not-authenticated") return authentication.failure(place, why);
				return new ConnectionError(failure, `cannot reach ${place}: while logging in: ${why}`, {
					hint: `see what ssh says: ssh -v ${this.#attempt.settings.sshArguments}`,
				});
		}
	}
}

/** The server's own goodbye: ssh2 gives it the reason code of RFC 4253, section 11.1. */
function isDisconnect(error: Error): boolean {
	return typeof (error as { code?: unknown }).code === "number";
}

/**
 * What sshd says in place of its version to a connection that it drops (its sshd.c, drop_connection()). That of
 * OpenSSH 10 says the same whether there are too many or too many have failed.
 */
function droppedHint(said: string): string | undefined {
	const tooMany = "too many are logging in there at the same time (MaxStartups)";
	if (said.startsWith("Exceeded MaxStartups")) return `${tooMany}: try again`;
	return said.startsWith("Not allowed at this time")
		? `${tooMany}, or its sshd keeps this address out, for logins that failed or were broken off (PerSourcePenalties): try again in a minute`
		: undefined;
}
