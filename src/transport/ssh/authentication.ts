import type { AnyAuthMethod, AuthHandlerMiddleware, NextAuthHandler } from "ssh2";
import { ConnectionError } from "../../errors.js";
import type { Identities } from "./identities.js";
import type { SshSettings } from "./ssh-settings.js";

/**
 * Offers the user's keys to the server, one by one, and remembers what became of them, so that a
 * refusal can name them.
 */
export class Authentication {
	readonly #settings: SshSettings;
	readonly #identities: Promise<Identities>;
	readonly #tried: string[] = [];
	#skipped: readonly string[] = [];
	#offered = 0;
	#methods: readonly string[] | undefined;
	#askedForMethods = false;
	#partial = false;
	#exhausted = false;

	constructor(settings: SshSettings, identities: Promise<Identities>) {
		this.#settings = settings;
		this.#identities = identities;
	}

	/** True once nothing is left to offer: only then is an error of ssh2 about keys the final one. */
	get exhausted(): boolean {
		return this.#exhausted;
	}

	/** ssh2's authHandler: called at the start and after each refusal. */
	readonly next: AuthHandlerMiddleware = (
		methods: readonly string[] | null,
		partial: boolean | null,
		next: NextAuthHandler,
	): void => {
		// "false" is how ssh2 is told that there is nothing more; its types do not know.
		const proceed = next as (method: AnyAuthMethod | false) => void;
		this.#methods = methods ?? this.#methods;
		this.#partial ||= partial === true;
		this.#identities.then(
			(identities) => proceed(this.#method(identities)),
			() => proceed(this.#method({ offered: [], skipped: [] })),
		);
	};

	#method({ offered, skipped }: Identities): AnyAuthMethod | false {
		const username = this.#settings.user;
		this.#skipped = skipped;
		const identity = offered[this.#offered++];
		if (identity !== undefined) {
			this.#tried.push(identity.label);
			return identity.agent === undefined
				? { type: "publickey", username, key: identity.key }
				: { type: "agent", username, agent: identity.agent };
		}
		// ssh2 does not hand on what the server offers when an agent's key is refused: "none" asks.
		// It is also how a server lets in users that need no key (RFC 4252, section 5.2).
		if (this.#methods === undefined && !this.#askedForMethods) {
			this.#askedForMethods = true;
			return { type: "none", username };
		}
		this.#exhausted = true;
		return false;
	}

	/** @param reason The server's own words when it hung up, such as "Too many authentication failures". */
	failure(place: string, reason?: string): ConnectionError {
		const tried = this.#tried.length === 0 ? "no key to try" : `tried ${this.#tried.join(", ")}`;
		const details = [
			tried,
			...(this.#skipped.length === 0 ? [] : [`skipped ${this.#skipped.join(", ")}`]),
			...(this.#methods === undefined ? [] : [`the server offers ${this.#methods.join(", ")}`]),
		].join("; ");
		const what = this.#partial
			? "the server asks for more than a key"
			: (reason ?? `no key was accepted for user ${this.#settings.user}`);
		return new ConnectionError("not-authenticated", `cannot reach ${place}: ${what}: ${details}`, {
			hint: this.#skipped.some((each) => each.includes("passphrase"))
				? "add the key to the agent first, with: ssh-add"
				: `this must get in without a password: ssh ${this.#settings.sshArguments} (ssh-copy-id installs a key)`,
		});
	}
}
