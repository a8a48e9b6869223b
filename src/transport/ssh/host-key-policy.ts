import { appendFile, mkdir, readFile } from "node:fs/promises";
import { dirname } from "node:path";
import type { ServerHostKeyAlgorithm } from "ssh2";
import { ConnectionError } from "../../errors.js";
import type { Emit } from "../../events.js";
import { fingerprint } from "./identities.js";
import {
	findKnownKeys,
	type KnownKey,
	keyTypeOf,
	knownHostLine,
	knownHostName,
} from "./known-hosts.js";
import type { SshSettings } from "./ssh-settings.js";

/** What ssh2 can verify, strongest first; no SHA-1 and no DSA. */
const ALGORITHMS: readonly (readonly [keyType: string, algorithms: ServerHostKeyAlgorithm[]])[] = [
	["ssh-ed25519", ["ssh-ed25519"]],
	["ecdsa-sha2-nistp256", ["ecdsa-sha2-nistp256"]],
	["ecdsa-sha2-nistp384", ["ecdsa-sha2-nistp384"]],
	["ecdsa-sha2-nistp521", ["ecdsa-sha2-nistp521"]],
	["ssh-rsa", ["rsa-sha2-512", "rsa-sha2-256"]],
];

/** Decides whether the key that a server shows is that of the host the user meant. */
export class HostKeyPolicy {
	/** In the order to negotiate: types that are known for this host come first. */
	readonly algorithms: readonly ServerHostKeyAlgorithm[];
	readonly #settings: SshSettings;
	readonly #place: string;
	readonly #known: readonly KnownKey[];
	readonly #revoked: readonly KnownKey[];
	readonly #emit: Emit;

	/** Reads the known_hosts files. */
	static async load(settings: SshSettings, place: string, emit: Emit): Promise<HostKeyPolicy> {
		const files = [...settings.userKnownHostsFiles, ...settings.globalKnownHostsFiles];
		const { hostKeyAlias, hostName, port } = settings;
		const exact = await findKnownKeys(files, [nameOf(settings)]);
		// As ssh does: a host that is not known by its port may be known without it.
		const loose =
			hostKeyAlias === undefined && port !== 22 && !exact.some(isPlain)
				? await findKnownKeys(files, [knownHostName(hostName, 22)])
				: [];
		return new HostKeyPolicy(settings, place, emit, exact, loose);
	}

	private constructor(
		settings: SshSettings,
		place: string,
		emit: Emit,
		exact: readonly KnownKey[],
		loose: readonly KnownKey[],
	) {
		this.#settings = settings;
		this.#place = place;
		this.#emit = emit;
		this.#known = [...exact, ...loose].filter(isPlain);
		this.#revoked = [...exact, ...loose].filter((each) => each.marker === "revoked");
		const isKnown = (keyType: string) => this.#known.some((each) => each.keyType === keyType);
		this.algorithms = [
			...ALGORITHMS.filter(([keyType]) => isKnown(keyType)),
			...ALGORITHMS.filter(([keyType]) => !isKnown(keyType)),
		].flatMap(([, algorithms]) => algorithms);
	}

	/**
	 * @param key The server's public key as it is on the wire.
	 * @throws ConnectionError for a key that is revoked, changed or not known (unless the configuration
	 * accepts new hosts: then a warning says so).
	 */
	async verify(key: Buffer): Promise<void> {
		const revoked = this.#revoked.find((each) => each.key.equals(key));
		if (revoked !== undefined) {
			throw this.#refusal(
				"host-key-changed",
				`its host key ${describe(key)} is revoked in ${revoked.file}:${revoked.line}`,
				"do not connect before the box's administrator has told you its new key",
			);
		}
		if (this.#known.some((each) => each.key.equals(key))) {
			return;
		}
		const old = this.#known.find((each) => each.keyType === keyTypeOf(key)) ?? this.#known[0];
		if (old !== undefined) {
			throw this.#refusal(
				"host-key-changed",
				`host key changed: it shows ${describe(key)}, but ${old.file}:${old.line} knows ${describe(old.key)}`,
				`somebody may be listening in; if the box was reinstalled, run: ssh-keygen -R '${nameOf(this.#settings)}' -f ${old.file}`,
			);
		}
		await this.#acceptNew(key);
	}

	async #acceptNew(key: Buffer): Promise<void> {
		const { strictHostKeyChecking, sshArguments } = this.#settings;
		if (strictHostKeyChecking === "yes" || strictHostKeyChecking === "ask") {
			throw this.#refusal(
				"host-key-unknown",
				`host key unknown: ${describe(key)}`,
				`compare the fingerprint, then accept it once with: ssh ${sshArguments}`,
			);
		}
		const remembered = strictHostKeyChecking === "accept-new" && (await this.#remember(key));
		this.#emit({
			type: "warning",
			message: `${this.#place}: accepted the unknown host key ${describe(key)} because StrictHostKeyChecking is ${strictHostKeyChecking}${remembered ? `; added to ${remembered}` : ""}`,
		});
	}

	/** @returns the file that was written, or undefined where that failed. */
	async #remember(key: Buffer): Promise<string | undefined> {
		const file = this.#settings.userKnownHostsFiles[0];
		if (file === undefined) {
			return undefined;
		}
		const line = knownHostLine(nameOf(this.#settings), key, this.#settings.hashKnownHosts);
		try {
			await mkdir(dirname(file), { recursive: true, mode: 0o700 });
			const before = await readFile(file, "utf8").catch(() => "");
			const lineBreak = before === "" || before.endsWith("\n") ? "" : "\n";
			await appendFile(file, `${lineBreak}${line}\n`, { mode: 0o600 });
			return file;
		} catch {
			return undefined;
		}
	}

	#refusal(
		failure: "host-key-unknown" | "host-key-changed",
		reason: string,
		hint: string,
	): ConnectionError {
		return new ConnectionError(failure, `cannot reach ${this.#place}: ${reason}`, { hint });
	}
}

function nameOf({ hostKeyAlias, hostName, port }: SshSettings): string {
	return hostKeyAlias === undefined ? knownHostName(hostName, port) : hostKeyAlias.toLowerCase();
}

/** @cert-authority lines speak of certificates, which ssh2 cannot verify. */
function isPlain(known: KnownKey): boolean {
	return known.marker === undefined && ALGORITHMS.some(([keyType]) => keyType === known.keyType);
}

function describe(key: Buffer): string {
	return `${keyTypeOf(key)} ${fingerprint(key)}`;
}
