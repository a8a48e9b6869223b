import { Socket } from "node:net";
import type { Client } from "ssh2";
import { ConnectionError } from "../../../errors.js";
import type { Emit } from "../../../events.js";
import { addressOf } from "../../connect-socket.js";
import { OutgoingCompression } from "../compression/outgoing-compression.js";
import type { SshSettings } from "../config/ssh-settings.js";
import { type HostKeyJudge, HostKeyPolicy } from "../host-keys/host-key-policy.js";
import { collectIdentities } from "../identities/identities.js";
import { type Hop, openLink, placeOf, type SshLink, wayOf } from "../ssh-link.js";
import { NeedsSystemSsh } from "../system-ssh/needs-system-ssh.js";
import { userQuestions } from "../user-questions.js";
import { Authentication } from "./authentication.js";
import { Login } from "./login.js";

/** A client of ssh2's that the server has let in. */
export interface AuthenticatedClient {
	readonly client: Client;
	/** What the connection runs over. */
	readonly link: SshLink;
	readonly compression: OutgoingCompression;
}

interface Opening {
	readonly settings: SshSettings;
	readonly signal: AbortSignal;
	readonly emit: Emit;
	/** Called while the server is being waited for, to do what needs no answer of it. */
	readonly whileWaiting: () => void;
	/** Of the host key; that of the known_hosts files where undefined. */
	readonly judge: HostKeyJudge | undefined;
	/** The connection to a jump host. */
	readonly openHop: (settings: SshSettings) => Promise<Hop>;
}

/** @throws ConnectionError, NeedsSystemSsh, UsageError, InterruptedError */
export async function authenticatedClient(opening: Opening): Promise<AuthenticatedClient> {
	const { settings, signal, emit, whileWaiting, judge, openHop } = opening;
	const place = placeOf(settings);
	const { onlySsh } = settings;
	if (onlySsh !== undefined) throw new NeedsSystemSsh(`"${onlySsh}"`, place, "protocol");
	const linking = openLink(settings, signal, openHop);
	linking.then(
		({ stream }) => {
			const detail = stream instanceof Socket ? addressOf(stream) : wayOf(settings);
			emit({ type: "reach", place, step: "tcp", detail });
		},
		() => {},
	);
	const loading = import("ssh2");
	// A question to the user ends with the login that it is for.
	const over = new AbortController();
	const questions = AbortSignal.any([signal, over.signal]);
	const prompt = settings.batchMode ? undefined : userQuestions(settings.environment);
	const identities = loading.then(({ default: ssh2 }) =>
		collectIdentities({ settings, ssh2, prompt, emit, signal: questions }),
	);
	identities.catch(() => {});
	const [link, policy, { default: ssh2 }] = await settledTogether([
		linking,
		judge ?? HostKeyPolicy.load(settings, place, emit),
		loading,
	]);
	const client = new ssh2.Client();
	// There is always one more error than listeners: ssh2 may report several for one cause.
	client.on("error", () => {});
	const authentication = new Authentication({ settings, identities, prompt, signal: questions });
	const socket = link.stream;
	const login = new Login({ client, socket, settings, place, policy, authentication, emit });
	const loggingIn = login.run(signal);
	const compression = new OutgoingCompression(client);
	whileWaiting();
	try {
		await loggingIn;
	} catch (error) {
		const { exhausted } = authentication;
		over.abort();
		await link.close();
		const reason = exhausted && (await authentication.whySystemSsh());
		if (reason) throw new NeedsSystemSsh(reason, place, "not-authenticated", error);
		throw withComplaint(error, link);
	}
	return { client, link, compression };
}

/** What the way to the server has to say is nearer to the cause. */
function withComplaint(error: unknown, link: SshLink): unknown {
	const complaint = link.complaint();
	if (!(error instanceof ConnectionError) || complaint === "") return error;
	const { failure, message, hint, cause } = error;
	return new ConnectionError(failure, `${message}; ${complaint}`, { hint, cause });
}

/** Promise.all that closes the link when another part fails. */
async function settledTogether<T>(
	parts: readonly [Promise<SshLink>, HostKeyJudge | Promise<HostKeyJudge>, Promise<T>],
): Promise<[SshLink, HostKeyJudge, T]> {
	try {
		return await Promise.all(parts);
	} catch (error) {
		parts[0].then(
			(link) => {
				link.stream.destroy();
				return link.close();
			},
			() => {},
		);
		throw error;
	}
}
