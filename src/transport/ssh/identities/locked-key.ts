import { readFile } from "node:fs/promises";
import type { BaseAgent, ParsedKey, SignCallback } from "ssh2";
import type { Prompt } from "../../../environment.js";
import type { Ssh2 } from "./identities.js";
import { readPrivateKey } from "./private-key.js";

/** As many as OpenSSH gives. */
const TRIES = 3;

/** A private key with a passphrase, which is asked for at most once in a run. */
export class LockedKey {
	readonly path: string;
	/** Undefined where neither the format nor a .pub file tells it. */
	readonly publicKey: ParsedKey | undefined;
	/** Whether the ssh program may know the passphrase, which is not asked for then. */
	readonly isInKeychain: boolean;
	readonly #prompt: Prompt | undefined;
	readonly #ssh2: Ssh2;
	readonly #signal: AbortSignal;
	#unlocking: Promise<ParsedKey | undefined> | undefined;
	#wanted = false;
	#isGivenUp = false;

	constructor(
		path: string,
		publicKey: ParsedKey | undefined,
		{ prompt, ssh2, signal, keychain = false }: LockedKeySurroundings,
	) {
		this.path = path;
		this.publicKey = publicKey;
		this.isInKeychain = keychain;
		this.#prompt = keychain ? undefined : prompt;
		this.#ssh2 = ssh2;
		this.#signal = signal;
	}

	/** Whether the server may have taken it and nobody could be asked. */
	get isMissed(): boolean {
		return this.#wanted && this.#prompt === undefined;
	}

	/** Whether somebody was asked, and had no right answer. */
	get isGivenUp(): boolean {
		return this.#isGivenUp;
	}

	/** Offers the public key, and asks for the passphrase only when the server would take it. */
	asAgent(publicKey: ParsedKey): BaseAgent {
		// ssh2 always gives the options, which its types allow to be left out.
		const sign = (_key: unknown, data: Buffer, { hash }: Hash, done: SignCallback) => {
			this.unlock().then(
				(key) => {
					const signature: Buffer | Error = key?.sign(data, hash) ?? new Error("it stays locked");
					if (signature instanceof Error) done(signature);
					else done(null, signature);
				},
				(error: Error) => done(error),
			);
		};
		return Object.assign(Object.create(this.#ssh2.BaseAgent.prototype) as BaseAgent, {
			getIdentities: (done: (error: undefined, keys: ParsedKey[]) => void) =>
				done(undefined, [publicKey]),
			sign,
		});
	}

	/**
	 * @returns undefined where there was nobody to ask, or no right answer.
	 * @throws InterruptedError
	 */
	unlock(): Promise<ParsedKey | undefined> {
		this.#wanted = true;
		this.#unlocking ??= this.#ask();
		return this.#unlocking;
	}

	async #ask(): Promise<ParsedKey | undefined> {
		const content = await readFile(this.path);
		for (let attempt = 0; attempt < TRIES; attempt++) {
			const question =
				attempt === 0
					? `Enter passphrase for key '${this.path}': `
					: `Bad passphrase, try again for ${this.path}: `;
			const options = { hidden: true, signal: this.#signal };
			const passphrase = await this.#prompt?.ask(question, options);
			// As OpenSSH: no passphrase means "the next key, please".
			if (!passphrase) break;
			const reading = readPrivateKey(content, this.#ssh2, passphrase);
			if (reading.kind === "key") return reading.key;
		}
		this.#isGivenUp = this.#prompt !== undefined;
		return undefined;
	}
}

interface Hash {
	readonly hash?: string;
}

interface LockedKeySurroundings {
	/** Absent where nobody can be asked. */
	readonly prompt: Prompt | undefined;
	readonly ssh2: Ssh2;
	readonly signal: AbortSignal;
	/** See usesKeychain(). */
	readonly keychain?: boolean;
}
