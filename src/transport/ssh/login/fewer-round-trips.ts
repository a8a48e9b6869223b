import type { Client, ParsedKey } from "ssh2";

/**
 * Three round trips of a login that the protocol does not ask for. On a link of 50 ms they are a
 * quarter of the time until the daemon can be spoken to. All reach into ssh2 1.17, where there is no
 * public way: what is not found as expected is left as it is, which costs only the time.
 */
interface Internals {
	readonly _protocol?: {
		authPK?: AuthenticateByKey;
		readonly _handlers?: {
			SERVICE_ACCEPT?: (protocol: unknown, service: string) => void;
			EXT_INFO?: (protocol: unknown, extensions: unknown) => void;
			USERAUTH_FAILURE?: (protocol: unknown, methods: unknown, partial: unknown) => void;
		};
	};
}

type AuthenticateByKey = (
	user: string,
	key: ParsedKey,
	algorithm?: string,
	sign?: (data: Buffer, done: (signature: Buffer) => void) => void,
) => void;

const HASHES: Readonly<Record<string, string>> = {
	"rsa-sha2-256": "sha256",
	"rsa-sha2-512": "sha512",
	"ssh-rsa": "sha1",
};

/**
 * Signs at once with a private key that is at hand, in place of asking first whether the server would
 * take it (RFC 4252, section 7: the question is optional). Agents are still asked for a signature only
 * when it is wanted, as their user may have to confirm it.
 */
export function signAtOnce(client: Client): void {
	const protocol = (client as unknown as Internals)._protocol;
	const authenticate = protocol?.authPK;
	if (protocol === undefined || typeof authenticate !== "function") {
		return;
	}
	protocol.authPK = (user, key, algorithm, sign) => {
		if (sign !== undefined || !key.isPrivateKey()) {
			authenticate.call(protocol, user, key, algorithm, sign);
			return;
		}
		authenticate.call(protocol, user, key, algorithm, (data, done) => {
			const signature: Buffer | Error = key.sign(data, algorithm && HASHES[algorithm]);
			if (signature instanceof Error) {
				authenticate.call(protocol, user, key, algorithm);
			} else {
				done(signature);
			}
		});
	};
}

/**
 * Sends the first authentication request right behind the request for the service, without waiting for
 * the service to be granted: a server that refuses it hangs up anyway (RFC 4253, section 10). Only with
 * servers that name their signature algorithms (RFC 8308, OpenSSH 7.2): they do so at that moment,
 * and an RSA key cannot be used before it is known.
 */
export function authenticateAtOnce(client: Client): void {
	const protocol = (client as unknown as Internals)._protocol;
	const handlers = protocol?._handlers;
	const onAccept = handlers?.SERVICE_ACCEPT;
	const onExtensions = handlers?.EXT_INFO;
	if (
		handlers === undefined ||
		typeof onAccept !== "function" ||
		typeof onExtensions !== "function"
	) {
		return;
	}
	let requested = false;
	let extensions = false;
	let started = false;
	const start = () => {
		if (!started) {
			started = true;
			onAccept(protocol, "ssh-userauth");
		}
	};
	handlers.SERVICE_ACCEPT = start;
	handlers.EXT_INFO = (_protocol, list) => {
		onExtensions(protocol, list);
		extensions = true;
		if (requested) {
			start();
		}
	};
	// The extensions come first where the host key takes a while to be verified. ssh2 asks for the
	// service right after this event.
	client.once("handshake", () => {
		queueMicrotask(() => {
			requested = true;
			if (extensions) {
				start();
			}
		});
	});
}

/**
 * Passes on which methods the server offers after each refusal. ssh2 tells it only of some of them; to ask
 * would cost a round trip, and after the first of two factors there is no other way to know.
 */
export function hearRefusals(
	client: Client,
	hear: (methods: readonly string[], partial: boolean) => void,
): void {
	const handlers = (client as unknown as Internals)._protocol?._handlers;
	const onFailure = handlers?.USERAUTH_FAILURE;
	if (handlers === undefined || typeof onFailure !== "function") {
		return;
	}
	handlers.USERAUTH_FAILURE = (protocol, methods, partial) => {
		if (Array.isArray(methods)) hear(methods, partial === true);
		onFailure(protocol, methods, partial);
	};
}
