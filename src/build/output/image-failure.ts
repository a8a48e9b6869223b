import { DOCKER_HUB, parseReference } from "../../image/reference.js";
import { isLoopback } from "../../image/web/registry-address.js";
import { onOneLine } from "../../printable.js";
import { type DockerfileText, isFrontend, toolOf } from "./dockerfile-position.js";
import { type FailureReason, NOT_FOR_PLATFORM } from "./failure-reason.js";

/** Why the box could not get an image that the Dockerfile names. */
export interface ImageFailure extends FailureReason {
	/** What it is, and its name as docker shows it: "image busybox:1", "frontend docker/dockerfile:1". */
	readonly image: string;
}

interface Source {
	/** "docker.io". */
	readonly registry: string;
	/** The host that was asked, with its port: "registry-1.docker.io". */
	readonly host: string;
}

/** The image of a step: BuildKit's names, then the classic builder's and Podman's. */
const IMAGE_STEPS = [
	/^\[[^\]]*\] load metadata for (?<image>\S+)$/,
	/^\[[^\]]*\] (?:FROM |docker-image:\/\/)(?<image>\S+)$/,
	/^(?:\[\d+\/\d+\] )?step \d+\/\d+ ?: FROM (?:--platform=\S+ )?(?<image>\S+)/i,
];

/** What BuildKit's errors say where no step is known; "busybox:1: " may stand before it. */
const SOURCE_ERROR = /failed to resolve source metadata for (?<image>\S+): /;

/** The last reason of a chain of Go's errors is the system's own: "network is unreachable". */
const LAST = /[^:]*$/;

type Explain = (found: RegExpExecArray, source: Source) => FailureReason;

/**
 * By what containerd's resolver, which BuildKit has, Docker's own, and Podman's say; the first that fits counts, so
 * what happened on the way comes before what the registry answered. "the box" as this machine asks no registry for
 * images.
 */
const REASONS: readonly (readonly [RegExp, Explain])[] = [
	[
		// Ours, from image/credentials/token-server.ts.
		/no token for \S+ from .*$/,
		([reason], { registry }) =>
			/401|login/.test(reason)
				? { reason, hint: `renew the login on this machine: ${login(registry)}` }
				: { reason },
	],
	[
		NOT_FOR_PLATFORM,
		() => ({
			reason: "it is not available for this platform",
			hint: "look at FROM and --platform",
		}),
	],
	[
		/proxyconnect tcp: .*$/,
		([text]) => ({
			reason: `the box cannot reach its proxy (${last(text)})`,
			hint: "look at the proxy that the daemon on the box is set up with",
		}),
	],
	[
		/\blookup (\S+?)(?: on \S+)?: (.*)$/,
		([, name = "", text = ""], { registry }) => {
			if (/no such host/.test(text) && registry !== DOCKER_HUB) {
				return {
					reason: `the box cannot resolve ${name}`,
					hint: "check the spelling of the registry's name; it is looked up on the box, not here",
				};
			}
			return {
				reason: `the box cannot resolve ${name} now (${last(text)})`,
				hint: `if the box should have that image already, check its name and tag; if not, the box needs DNS and a way to ${name}`,
			};
		},
	],
	[
		/connection refused/,
		(_, { host }) => ({
			reason: `${host} refuses connections from the box`,
			hint: isLoopback(host)
				? "that is the box itself, not this machine: is a registry running there, on that port?"
				: "is that registry running, and is its port right?",
		}),
	],
	[
		/x509: ([^:"]*)/,
		([, text = ""], { host }) => ({
			reason: `the box does not accept the certificate of ${host} (${text.trim()})`,
			hint: text.includes("unknown authority")
				? `put the CA's certificate on the box, into /etc/docker/certs.d/${host}/ca.crt`
				: "look at that certificate, and at the clock of the box",
		}),
	],
	[
		/server gave HTTP response to HTTPS client/,
		(_, { host }) => ({
			reason: `${host} speaks plain HTTP, which the box does not accept`,
			hint: `put TLS in front of it, or name it on the box: insecure-registries in Docker's daemon.json, insecure in Podman's registries.conf`,
		}),
	],
	[
		/\bdial (?:tcp|udp) .*$|i\/o timeout|TLS handshake timeout|deadline exceeded|Client\.Timeout exceeded/,
		([text], { host }) => ({
			reason: `the box cannot reach ${host} (${last(text)})`,
			hint: "look at the network and firewall of the box, and at its daemon's proxy",
		}),
	],
	[
		/toomanyrequests|429 Too Many Requests/i,
		(_, { registry }) => ({
			reason: `the pull rate limit of ${registry} is reached (429 Too Many Requests)`,
			hint: `wait, or log in on this machine for a higher limit: ${login(registry)}`,
		}),
	],
	[
		/\b5\d\d (?:Internal|Bad|Service|Gateway)[A-Za-z ]*/,
		([status], { registry }) => ({
			reason: `${registry} answers ${status.trim()}`,
			hint: "the problem is the registry's: try again later",
		}),
	],
	[
		/pull access denied|insufficient_scope|authorization failed|no basic auth credentials|unauthorized|authentication required|403 Forbidden|access to the resource is denied/i,
		(_, { registry }) => ({
			reason: `${registry} denies access: the image does not exist, or needs another login`,
			hint: `check the spelling; if it is private, log in on this machine, from which the box has its credentials: ${login(registry)}`,
		}),
	],
	[
		/\bnot found\b|(?:manifest|name) unknown/i,
		(_, { registry }) => ({
			reason: `${registry} has no such image`,
			hint: "check the spelling of its name and tag",
		}),
	],
];

/**
 * Why a step that gets an image failed. `undefined` for any other step, and for a reason that is not known.
 *
 * @param stepName absent where only the builder's last word is known
 * @param dockerfile absent where it is not on this side
 */
export function explainImageFailure(
	stepName: string | undefined,
	error: string,
	dockerfile: DockerfileText | undefined,
): ImageFailure | undefined {
	const tool = stepName === undefined ? undefined : toolOf(stepName);
	const reference = tool ?? imageOf(stepName, error);
	if (reference === undefined) return undefined;
	const { familiar, registry } = named(reference);
	const text = onOneLine(error);
	const host = /"https?:\/\/([^/"]+)/.exec(text)?.[1] ?? registry;
	for (const [pattern, explain] of REASONS) {
		const found = pattern.exec(text);
		if (found === null) continue;
		return {
			image: `${tool === undefined ? "image" : kindOfTool(tool, dockerfile)} ${familiar}`,
			...explain(found, { registry, host }),
		};
	}
	return undefined;
}

/** BuildKit runs two for a build, and asks for them in the same words: only the Dockerfile tells which it is. */
function kindOfTool(tool: string, dockerfile: DockerfileText | undefined): string {
	if (dockerfile === undefined) return "image";
	return isFrontend(tool, dockerfile) ? "frontend" : "SBOM generator";
}

function imageOf(stepName: string | undefined, error: string): string | undefined {
	if (stepName === undefined) return SOURCE_ERROR.exec(error)?.groups?.image;
	const step = IMAGE_STEPS.find((pattern) => pattern.test(stepName));
	return step?.exec(stepName)?.groups?.image;
}

/** Builders may name what is no reference, such as a stage that Podman looks for as an image. */
function named(reference: string): { readonly familiar: string; readonly registry: string } {
	try {
		const { familiar, domain } = parseReference(reference);
		return { familiar, registry: domain };
	} catch {
		return { familiar: reference, registry: "the registry" };
	}
}

function login(registry: string): string {
	return registry === DOCKER_HUB || registry === "the registry"
		? "docker login"
		: `docker login ${registry}`;
}

function last(text: string): string {
	return LAST.exec(text)?.[0].trim() ?? text;
}
