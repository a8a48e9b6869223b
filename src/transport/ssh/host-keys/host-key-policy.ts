import { ConnectionError } from "../../../errors.js";
import type { Emit } from "../../../events.js";
import type { SshSettings } from "../config/ssh-settings.js";
import { fingerprint } from "../identities/identities.js";
import { NeedsSystemSsh } from "../system-ssh/needs-system-ssh.js";
import {
	findKnownKeys,
	type KnownKey,
	type KnownKeys,
	keyTypeOf,
	knownHostName,
} from "./known-hosts.js";
import { knownNameOf, rememberHostKey } from "./new-known-host.js";

/** Says whether a server's key is good enough to go on. */
export interface HostKeyJudge {
	/** What to negotiate, in this order. */
	readonly algorithms: readonly string[];
	/**
	 * @param key The server's public key as it is on the wire.
	 * @throws RbuildError for one that is not
	 */
	verify(key: Buffer, signal: AbortSignal): Promise<void>;
}

/** Decides whether the key that a server shows is that of the host the user meant. */
export class HostKeyPolicy implements HostKeyJudge {
	/** Types that are known for this host come first. */
	readonly algorithms: readonly string[];
	readonly #settings: SshSettings;
	readonly #place: string;
	readonly #found: KnownKeys;
	/** Known without the port, which only speaks for a key, never against it. */
	readonly #loose: readonly KnownKey[];
	readonly #emit: Emit;

	/**
	 * Reads the known_hosts files.
	 * @throws NeedsSystemSsh where the host is known by a certificate authority only
	 */
	static async load(settings: SshSettings, place: string, emit: Emit): Promise<HostKeyPolicy> {
		const files = [...settings.userKnownHostsFiles, ...settings.globalKnownHostsFiles];
		const found = await findKnownKeys(files, knownNameOf(settings));
		const authority = found.keys.find(isAuthority);
		if (authority !== undefined && !found.keys.some(isPlain)) {
			throw certificateNeeded(authority, place);
		}
		// As ssh does: a host that is not known by its port may be known without it. What is revoked there is in any case.
		const isLoose = (key: KnownKey) => key.marker === "revoked" || !found.keys.some(isPlain);
		const loose = (await keysWithoutPort(settings)).filter(isLoose);
		return new HostKeyPolicy(settings, place, emit, found, loose);
	}

	private constructor(
		settings: SshSettings,
		place: string,
		emit: Emit,
		found: KnownKeys,
		loose: readonly KnownKey[],
	) {
		this.#settings = settings;
		this.#place = place;
		this.#emit = emit;
		this.#found = found;
		this.#loose = loose;
		const types = new Set([...found.keys, ...loose].filter(isPlain).map(typeOf));
		const allowed = settings.algorithms.hostKeyAlgorithms;
		const isKnown = (algorithm: string) => types.has(keyTypeFor(algorithm));
		this.algorithms = [
			...allowed.filter(isKnown),
			...allowed.filter((algorithm) => !isKnown(algorithm)),
		];
	}

	/**
	 * @throws ConnectionError for a key that is revoked, changed or not known, unless the configuration
	 * accepts new hosts or the user does; NeedsSystemSsh; InterruptedError
	 */
	async verify(key: Buffer, signal: AbortSignal): Promise<void> {
		const isSame = (each: KnownKey) => each.key.equals(key);
		const { keys, problems } = this.#found;
		const revoked = [...keys, ...this.#loose].find(
			(each) => each.marker === "revoked" && isSame(each),
		);
		if (revoked !== undefined) {
			throw this.#refusal(
				"host-key-changed",
				`its host key ${describe(key)} is revoked in ${revoked.file}:${revoked.line}`,
				"do not connect before the box's administrator has told you its new key",
			);
		}
		const known = keys.filter(isPlain);
		if ([...known, ...this.#loose.filter(isPlain)].some(isSame)) return;
		const authority = keys.find(isAuthority);
		if (authority !== undefined) throw certificateNeeded(authority, this.#place);
		const old = known.find((each) => each.keyType === keyTypeOf(key)) ?? known[0];
		if (old !== undefined) {
			throw this.#refusal(
				"host-key-changed",
				`host key changed: it shows ${describe(key)}, but ${old.file}:${old.line} knows ${describe(old.key)}`,
				`somebody may be listening in; if the box was reinstalled, run: ssh-keygen -R '${knownNameOf(this.#settings)}' -f ${old.file}`,
			);
		}
		await this.#judgeNew(key, problems, signal);
	}

	async #judgeNew(key: Buffer, problems: readonly string[], signal: AbortSignal): Promise<void> {
		const { strictHostKeyChecking, environment, batchMode } = this.#settings;
		const prompt = batchMode ? undefined : environment.prompt;
		const accepts = strictHostKeyChecking === "accept-new" || strictHostKeyChecking === "no";
		if (!accepts) {
			const isAsked = strictHostKeyChecking === "ask" && prompt !== undefined;
			if (!isAsked || !(await this.#confirm(key, signal))) {
				throw this.#refusal(
					"host-key-unknown",
					[`host key unknown: ${describe(key)}`, ...problems].join("; "),
					`compare the fingerprint, then run: ${trustCommand(this.#settings, key)}`,
				);
			}
		}
		const { file, problem } = await rememberHostKey(this.#settings, key);
		if (!accepts && problem === undefined) return;
		const why = accepts ? ` because StrictHostKeyChecking is ${strictHostKeyChecking}` : "";
		const where = file === undefined ? "" : `; added to ${file}`;
		this.#emit({
			type: "warning",
			message: `${this.#place}: accepted the unknown host key ${describe(key)}${why}${problem === undefined ? where : `, but ${problem}`}`,
		});
	}

	async #confirm(key: Buffer, signal: AbortSignal): Promise<boolean> {
		const { prompt } = this.#settings.environment;
		return prompt === undefined
			? false
			: await confirmHostKey(key, this.#place, (question) => prompt.ask(question, { signal }));
	}

	#refusal(
		failure: "host-key-unknown" | "host-key-changed",
		reason: string,
		hint: string,
	): ConnectionError {
		return new ConnectionError(failure, `cannot reach ${this.#place}: ${reason}`, { hint });
	}
}

/**
 * Shows the fingerprint and waits for a yes, a no or the fingerprint itself, as ssh does.
 * @throws what ask throws, such as InterruptedError
 */
export async function confirmHostKey(
	key: Buffer,
	place: string,
	ask: (question: string) => Promise<string | undefined>,
): Promise<boolean> {
	let question = `The host key of ${place} is not known yet.\n${keyTypeOf(key)} key fingerprint is ${fingerprint(key)}.\nAre you sure you want to continue connecting (yes/no/[fingerprint])? `;
	for (;;) {
		const answer = (await ask(question))?.trim();
		if (answer === undefined || answer === "" || answer.toLowerCase() === "no") return false;
		if (answer.toLowerCase() === "yes" || answer === fingerprint(key)) return true;
		question = "Please type 'yes', 'no' or the fingerprint: ";
	}
}

/** What known_hosts says of the same host on port 22; none where that is the host, or has another name there. */
export async function keysWithoutPort(settings: SshSettings): Promise<readonly KnownKey[]> {
	const { hostKeyAlias, hostName, port } = settings;
	if (hostKeyAlias !== undefined || port === 22) return [];
	const files = [...settings.userKnownHostsFiles, ...settings.globalKnownHostsFiles];
	return (await findKnownKeys(files, knownHostName(hostName, 22))).keys;
}

/** Such as "ssh-ed25519 SHA256:…". */
export function describe(key: Buffer): string {
	return `${keyTypeOf(key)} ${fingerprint(key)}`;
}

/** The type of the keys that an algorithm verifies. */
export function keyTypeFor(algorithm: string): string {
	return algorithm.startsWith("rsa-sha2-") ? "ssh-rsa" : algorithm;
}

/** What says once and for all that the key is right, where nobody can be asked. */
function trustCommand({ trustArguments }: SshSettings, key: Buffer): string {
	return `rbuild hosts trust ${trustArguments} --fingerprint ${fingerprint(key)}`;
}

function certificateNeeded({ file, line }: KnownKey, place: string): NeedsSystemSsh {
	const reason = `the host certificate that ${file}:${line} asks for`;
	return new NeedsSystemSsh(reason, place, "host-key-unknown");
}

/** Of a type that can be compared: nobody shows a DSA key any more. */
function isPlain({ marker, keyType }: KnownKey): boolean {
	return marker === undefined && COMPARED.test(keyType);
}

const COMPARED = /^(ssh-ed25519|ecdsa-sha2-nistp(256|384|521)|ssh-rsa)$/;

function isAuthority({ marker }: KnownKey): boolean {
	return marker === "cert-authority";
}

function typeOf({ keyType }: KnownKey): string {
	return keyType;
}
