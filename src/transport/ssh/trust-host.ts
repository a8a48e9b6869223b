import { ConnectionError, DeliveryError, UsageError } from "../../errors.js";
import type { Emit } from "../../events.js";
import type { SshSettings } from "./config/ssh-settings.js";
import {
	confirmHostKey,
	describe,
	keysWithoutPort,
	keyTypeFor,
} from "./host-keys/host-key-policy.js";
import { findKnownKeys, keyTypeOf } from "./host-keys/known-hosts.js";
import { knownNameOf, rememberHostKey } from "./host-keys/new-known-host.js";
import { fingerprint } from "./identities/identities.js";
import { SshConnection } from "./ssh-connection.js";
import { placeOf } from "./ssh-link.js";

interface TrustedHost {
	/** For messages, such as "x86box (192.168.31.100:22)". */
	readonly place: string;
	/** Such as "ssh-ed25519 SHA256:…". */
	readonly key: string;
	/** Where it stands now. */
	readonly file: string;
	readonly isNew: boolean;
}

/**
 * Asks a server for its host key and writes it to the user's known_hosts, once somebody has vouched for
 * it: with its fingerprint, or by an answer at the terminal.
 *
 * @param expected "SHA256:" and base64, of the key of any type that the server has
 * @throws ConnectionError for a server that shows another key than was expected or than is known;
 * UsageError; DeliveryError where it cannot be written; InterruptedError
 */
export async function trustHost(
	settings: SshSettings,
	expected: string | undefined,
	signal: AbortSignal,
	emit: Emit,
): Promise<TrustedHost> {
	const place = placeOf(settings);
	const shown = await fetchKeys(settings, expected, signal, emit);
	const key = shown.find((each) => fingerprint(each) === expected) ?? shown[0];
	if (key === undefined) throw new UsageError(`${place} has no host key that rbuild can check`);
	if (expected !== undefined && fingerprint(key) !== expected) {
		throw new ConnectionError(
			"host-key-changed",
			`${place} shows ${shown.map(describe).join(", ")}, and not ${expected}`,
			{ hint: "ask the box's administrator; somebody may be listening in" },
		);
	}
	const known = await alreadyKnown(settings, key, place);
	if (known !== undefined) return { place, key: describe(key), file: known, isNew: false };
	if (expected === undefined) await confirm(settings, key, place, signal);
	const { file, problem } = await rememberHostKey(settings, key);
	if (file === undefined) {
		const none = `UserKnownHostsFile is ${settings.userKnownHostsFiles[0] ?? "none"}`;
		throw new DeliveryError(`the host key of ${place} cannot be saved: ${problem ?? none}`, {
			hint: "name a file that you may write to as UserKnownHostsFile in your ssh configuration",
		});
	}
	return { place, key: describe(key), file, isNew: true };
}

/** The key that the server shows by itself, and if it must be a certain one, those of its other types. */
async function fetchKeys(
	settings: SshSettings,
	expected: string | undefined,
	signal: AbortSignal,
	emit: Emit,
): Promise<readonly Buffer[]> {
	const keys: Buffer[] = [];
	let algorithms = settings.algorithms.hostKeyAlgorithms;
	while (algorithms.length > 0) {
		const key = await fetchKey(settings, algorithms, signal, emit).catch((error: unknown) => {
			// It has no key of the types that are left.
			if (keys.length > 0 && error instanceof ConnectionError && error.failure === "protocol") {
				return undefined;
			}
			throw error;
		});
		if (key === undefined) break;
		keys.push(key);
		if (expected === undefined || fingerprint(key) === expected) break;
		algorithms = algorithms.filter((each) => keyTypeFor(each) !== keyTypeOf(key));
	}
	return keys;
}

/** Goes as far as the key exchange; jump hosts are logged in to. */
async function fetchKey(
	settings: SshSettings,
	algorithms: readonly string[],
	signal: AbortSignal,
	emit: Emit,
): Promise<Buffer | undefined> {
	let seen: Buffer | undefined;
	const judge = {
		algorithms,
		async verify(key: Buffer) {
			seen = Buffer.from(key);
			throw new UsageError("the host key is all that was wanted");
		},
	};
	try {
		await using _ = await SshConnection.open(settings, signal, emit, () => {}, judge);
	} catch (error) {
		if (seen === undefined) throw error;
	}
	return seen;
}

/** @throws ConnectionError where the host is known by another key, or this one is revoked. */
async function alreadyKnown(
	settings: SshSettings,
	key: Buffer,
	place: string,
): Promise<string | undefined> {
	const files = [...settings.userKnownHostsFiles, ...settings.globalKnownHostsFiles];
	const name = knownNameOf(settings);
	const { keys } = await findKnownKeys(files, name);
	const refusal = (reason: string, hint: string) =>
		new ConnectionError("host-key-changed", `${place}: ${reason}`, { hint });
	const revoked = [...keys, ...(await keysWithoutPort(settings))].find(
		(each) => each.marker === "revoked" && each.key.equals(key),
	);
	if (revoked !== undefined) {
		throw refusal(
			`its host key ${describe(key)} is revoked in ${revoked.file}:${revoked.line}`,
			"ask the box's administrator for its new key",
		);
	}
	const plain = keys.filter((each) => each.marker === undefined);
	const same = plain.find((each) => each.key.equals(key));
	if (same !== undefined) return `${same.file}:${same.line}`;
	const old = plain.find((each) => each.keyType === keyTypeOf(key));
	if (old === undefined) return undefined;
	throw refusal(
		`host key changed: it shows ${describe(key)}, but ${old.file}:${old.line} knows ${describe(old.key)}`,
		`if the box was reinstalled, run this first: ssh-keygen -R '${name}' -f ${old.file}`,
	);
}

async function confirm(
	{ environment, trustArguments }: SshSettings,
	key: Buffer,
	place: string,
	signal: AbortSignal,
): Promise<void> {
	const { prompt } = environment;
	if (prompt === undefined) {
		throw new UsageError(
			`there is no terminal to ask whether ${describe(key)} is the key of ${place}`,
			{
				hint: `compare the fingerprint, then run: rbuild hosts trust ${trustArguments} --fingerprint ${fingerprint(key)}`,
			},
		);
	}
	if (!(await confirmHostKey(key, place, (question) => prompt.ask(question, { signal })))) {
		throw new ConnectionError("host-key-unknown", `the host key of ${place} was not accepted`, {
			hint: "nothing was written",
		});
	}
}
