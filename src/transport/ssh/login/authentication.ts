import type { AnyAuthMethod, AuthHandlerMiddleware, NextAuthHandler, ParsedKey } from "ssh2";
import type { Prompt } from "../../../environment.js";
import { ConnectionError } from "../../../errors.js";
import { printableName } from "../../../printable.js";
import type { LoginMethod } from "../config/login-settings.js";
import type { SshSettings } from "../config/ssh-settings.js";
import type { Identities, Identity } from "../identities/identities.js";
import type { LockedKey } from "../identities/locked-key.js";
import { whySystemSshAfterRefusal } from "../system-ssh/system-ssh-reasons.js";

type Interactive = Exclude<LoginMethod, "publickey">;

interface AuthenticationMeans {
	readonly settings: SshSettings;
	readonly identities: Promise<Identities>;
	/** Absent where nobody can be asked for a password. */
	readonly prompt: Prompt | undefined;
	readonly signal: AbortSignal;
}

/**
 * Offers the user's keys to the server, one by one, then asks the user what the server wants to know,
 * and remembers what became of it, so that a refusal can name it.
 */
export class Authentication {
	readonly #settings: SshSettings;
	readonly #identities: Promise<Identities>;
	readonly #prompt: Prompt | undefined;
	readonly #signal: AbortSignal;
	readonly #tried: string[] = [];
	#known: Identities = { offered: [], skipped: [] };
	#offered = 0;
	#current: Identity | undefined;
	#methods: readonly string[] | undefined;
	#hears = false;
	#askedForMethods = false;
	#partial = false;
	#exhausted = false;
	readonly #prompts: Record<Interactive, number> = {
		"keyboard-interactive": 0,
		password: 0,
	};

	constructor({ settings, identities, prompt, signal }: AuthenticationMeans) {
		this.#settings = settings;
		this.#identities = identities;
		this.#prompt = prompt;
		this.#signal = signal;
	}

	/** True once nothing is left to offer: only then is an error of ssh2 about keys the final one. */
	get exhausted(): boolean {
		return this.#exhausted;
	}

	/** What has not come, for people: an agent may be waiting for its user. */
	get awaited(): string {
		const isAgent = this.#current?.kind === "agent";
		return isAgent ? `no signature with the ${this.#current?.label} came` : "nothing came";
	}

	/** What the server said with a refusal, which ssh2 keeps to itself where it was an agent's key. */
	hear(methods: readonly string[], partial: boolean): void {
		this.#hears = true;
		this.#methods = methods;
		this.#partial ||= partial;
	}

	/** What was offered last, and so, once the user is in, what did it; for people. */
	get latest(): string {
		return this.#tried.at(-1) ?? "nothing: the server asks for none";
	}

	/** ssh2's authHandler: called at the start and after each refusal. */
	readonly next: AuthHandlerMiddleware = (
		methods: readonly string[] | null,
		partial: boolean | null,
		next: NextAuthHandler,
	): void => {
		// "false" is how ssh2 is told that there is nothing more; its types do not know.
		const proceed = next as (method: AnyAuthMethod | false) => void;
		if (methods !== null && !this.#hears) {
			this.#methods = methods;
			this.#partial ||= partial === true;
		}
		this.#next().then(proceed, () => {
			this.#exhausted = true;
			proceed(false);
		});
	};

	async #next(): Promise<AnyAuthMethod | false> {
		for (const method of this.#settings.login.methods) {
			const next = method === "publickey" ? await this.#nextKey() : await this.#nextAnswer(method);
			if (next !== undefined) return next;
		}
		const question = this.#askForMethods();
		this.#exhausted = question === undefined;
		return question ?? false;
	}

	/**
	 * "none" asks for the methods, where no key could tell them. It is also how a server lets in users
	 * that need no key (RFC 4252, section 5.2).
	 */
	#askForMethods(): AnyAuthMethod | undefined {
		if (this.#methods !== undefined || this.#askedForMethods) return undefined;
		this.#askedForMethods = true;
		return { type: "none", username: this.#settings.user };
	}

	async #nextKey(): Promise<AnyAuthMethod | undefined> {
		this.#known = await this.#identities;
		if (this.#methods?.includes("publickey") === false) return undefined;
		const username = this.#settings.user;
		for (;;) {
			const identity = this.#known.offered[this.#offered++];
			this.#current = identity;
			if (identity === undefined) return undefined;
			this.#tried.push(identity.label);
			switch (identity.kind) {
				case "agent":
					return { type: "agent", username, agent: identity.agent };
				case "file":
					return { type: "publickey", username, key: identity.key };
				case "locked": {
					const { locked } = identity;
					if (locked.publicKey !== undefined) {
						return { type: "agent", username, agent: locked.asAgent(locked.publicKey) };
					}
					const key: ParsedKey | undefined = await locked.unlock();
					if (key !== undefined) return { type: "publickey", username, key };
				}
			}
		}
	}

	async #nextAnswer(method: Interactive): Promise<AnyAuthMethod | undefined> {
		const { user: username, hostName, login } = this.#settings;
		const prompt = this.#prompt;
		if (prompt === undefined) return undefined;
		const question = this.#askForMethods();
		if (question !== undefined) return question;
		const isOver = this.#prompts[method] >= login.passwordPrompts;
		if (isOver || this.#methods?.includes(method) !== true) return undefined;
		this.#prompts[method]++;
		const signal = this.#signal;
		this.#tried.push(method);
		const place = `${username}@${hostName}`;
		if (method === "password") {
			const password = await prompt.ask(`${place}'s password: `, { hidden: true, signal });
			return password === undefined ? undefined : { type: "password", username, password };
		}
		return {
			type: "keyboard-interactive",
			username,
			prompt: (name, instructions, _language, questions, finish) => {
				const heading = [name, instructions].map(printableName).filter((line) => line !== "");
				const ask = async () => {
					const answers: string[] = [];
					for (const { prompt: question, echo } of questions) {
						const lines = answers.length === 0 ? heading : [];
						const text = [...lines, `(${place}) ${printableName(question)} `].join("\n");
						answers.push((await prompt.ask(text, { hidden: echo !== true, signal })) ?? "");
					}
					return answers;
				};
				ask().then(finish, () => finish([]));
			},
		};
	}

	/** What the ssh program might still offer when all was refused, for people; undefined where nothing. */
	async whySystemSsh(): Promise<string | undefined> {
		const kept = lockedKeys(this.#known.offered).find((key) => key.isInKeychain && key.isMissed);
		if (kept !== undefined) return `the passphrase of ${kept.path} in the keychain`;
		return await whySystemSshAfterRefusal(this.#settings, this.#methods ?? []);
	}

	/** @param reason The server's own words when it hung up, such as "Too many authentication failures". */
	failure(place: string, reason?: string): ConnectionError {
		const { login, sshArguments, user, alias } = this.#settings;
		if (user === "") {
			return new ConnectionError(
				"not-authenticated",
				`cannot reach ${place}: there is no user to log in as: none is named, and the user that rbuild runs as has no name`,
				{ hint: `write USER@${alias}, or name the User of ${alias} in the ssh configuration` },
			);
		}
		const tried = this.#tried.length === 0 ? "no key to try" : `tried ${unique(this.#tried)}`;
		const { offered, skipped } = this.#known;
		const details = [
			tried,
			...(skipped.length === 0 ? [] : [`skipped ${skipped.join(", ")}`]),
			...(this.#methods === undefined ? [] : [`the server offers ${this.#methods.join(", ")}`]),
		].join("; ");
		for (const locked of lockedKeys(offered)) {
			const why = whyUnused(locked);
			if (why === undefined) continue;
			const command = locked.isInKeychain ? "ssh-add --apple-use-keychain" : "ssh-add";
			return new ConnectionError(
				"not-authenticated",
				`cannot reach ${place}: the key ${locked.path} ${why}: ${details}`,
				{ hint: `add the key to the agent first, with: ${command} ${locked.path}` },
			);
		}
		const takesTickets = login.gssapi && this.#methods?.includes("gssapi-with-mic");
		const ticket = takesTickets ? ", kinit gets a Kerberos ticket" : "";
		const what = this.#partial
			? "the server asks for more than a key"
			: (reason ?? `no key was accepted for user ${user}`);
		return new ConnectionError("not-authenticated", `cannot reach ${place}: ${what}: ${details}`, {
			hint: `this must log in without a password: ssh ${sshArguments} (ssh-copy-id installs a key${ticket})`,
		});
	}
}

function lockedKeys(identities: readonly Identity[]): LockedKey[] {
	return identities.flatMap((each) => (each.kind === "locked" ? [each.locked] : []));
}

/** Of a key that would have done for all that is known, for people. */
function whyUnused({ isMissed, isGivenUp }: LockedKey): string | undefined {
	if (isMissed) return "has a passphrase, and there is no terminal to ask on";
	return isGivenUp ? "is locked: its passphrase was not given" : undefined;
}

function unique(names: readonly string[]): string {
	return [...new Set(names)].join(", ");
}
