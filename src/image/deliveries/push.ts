import type { Engine } from "../../engine/engine.js";
import { pushImage } from "../../engine/images.js";
import type { RegistryAuth } from "../../engine/registry-auth.js";
import { DeliveryError, EngineError } from "../../errors.js";
import type { Run } from "../../events.js";
import { onOneLine } from "../../printable.js";
import type { CredentialSource } from "../credentials/registry-credentials.js";
import { readDaemonLine } from "../daemon-line.js";
import type { Delivery } from "../delivery.js";
import { parseTag } from "../reference.js";
import { loginHint, statusHint } from "../registry/registry-failure.js";
import { checkPushed, checkTag } from "./tag-check.js";

/**
 * One tag, pushed by the daemon that built it. Only the credentials of that tag's registry are looked
 * up and sent.
 *
 * @param tag as the user wrote it
 * @throws UsageError when it is no tag
 */
export function pushDelivery(tag: string, credentials: CredentialSource): Delivery {
	const { domain: registry, familiar: destination } = parseTag(tag);
	return {
		async deliver(engine, image, run) {
			const startedAt = performance.now();
			const event = { type: "deliver", method: "push", destination } as const;
			run.emit({ ...event, status: "started", bytes: 0 });
			await checkTag(engine, image, destination, run.signal);
			const auth = await credentials.credentialsFor(registry);
			const pushed = await push(engine, destination, auth, run).catch((error: Error) => {
				throw pushFailure(error, destination, registry, auth !== undefined);
			});
			await checkPushed(engine, image, destination, pushed.digest, run.signal);
			run.emit({ ...event, status: "done", bytes: pushed.bytes });
			const durationMs = performance.now() - startedAt;
			return { method: "push", destination, bytes: 0, digest: pushed.digest, durationMs };
		},
	};
}

interface Pushed {
	/** What the daemon sent to the registry. */
	readonly bytes: number;
	readonly digest: string;
}

async function push(
	engine: Engine,
	destination: string,
	auth: RegistryAuth | undefined,
	run: Run,
): Promise<Pushed> {
	const layers = new Map<string, { readonly current: number; readonly total: number }>();
	const sum = (field: "current" | "total") =>
		[...layers.values()].reduce((bytes, layer) => bytes + layer[field], 0);
	let digest: string | undefined;
	for await (const line of pushImage(engine, destination, auth, run.signal)) {
		const { error, id, status, current, total, ...rest } = readDaemonLine(line);
		if (error !== undefined) throw new Refusal(error);
		digest = rest.digest ?? digest;
		if (id === undefined || status === undefined) continue;
		if (current > 0) layers.set(id, { current, total: Math.max(current, total) });
		run.emit({
			...{ type: "deliver", method: "push", destination, status: "progress" },
			...{ bytes: sum("current"), totalBytes: sum("total"), detail: `${id}: ${status}` },
		});
	}
	if (digest === undefined) throw new Refusal("the daemon stopped before it told the digest");
	return { bytes: sum("current"), digest };
}

/** The words of the registry, or of the daemon, that come in an answer with status 200. */
class Refusal extends Error {}

function pushFailure(
	error: Error,
	destination: string,
	registry: string,
	loggedIn: boolean,
): Error {
	if (!(error instanceof Refusal || error instanceof EngineError)) return error;
	const reason = onOneLine(error.message);
	return new DeliveryError(`cannot push ${destination} to ${registry}: ${reason}`, {
		hint: pushHint(reason, registry, loggedIn),
		cause: error,
	});
}

function pushHint(reason: string, registry: string, loggedIn: boolean): string | undefined {
	if (/unauthori[sz]ed|authentication|credentials|denied|forbidden/i.test(reason)) {
		return loginHint(registry, loggedIn);
	}
	if (/HTTP response to HTTPS client/.test(reason)) {
		return `${registry} speaks plain HTTP: list it under "insecure-registries" in the daemon.json of the daemon's machine`;
	}
	if (/x509|certificate/i.test(reason)) {
		return `the daemon does not trust that certificate: put its CA into /etc/docker/certs.d/${registry}/ca.crt on the daemon's machine`;
	}
	const status = statusIn(reason);
	if (status !== undefined) return statusHint(status);
	if (!UNREACHABLE.test(reason)) return undefined;
	return `the push is made by the daemon, so ${registry} must be reachable from its machine; from this one it is made with --via client`;
}

/** What daemons say when they get no answer: Go's words, and the system's. */
const UNREACHABLE =
	/\bdial (?:tcp|udp)\b|\blookup\b|no such host|timeout|timed out|deadline exceeded|request canceled while waiting/i;

/** The status of a registry's answer, where the daemon tells it. */
function statusIn(reason: string): number | undefined {
	if (/toomanyrequests|too many requests/i.test(reason)) return 429;
	const status = /\b(?:unexpected (?:HTTP )?status|status code|HTTP)\b[^"]*? ([45]\d\d)\b/i.exec(
		reason,
	)?.[1];
	return status === undefined ? undefined : Number(status);
}
