import type { Options } from "yargs";
import type {
	BuildOptions,
	PushVia,
	SecretsCheck,
	TransferChoice,
} from "../../build/plan/options.js";
import { parseAttestations, parseCacheFrom, parseCacheTo, parsePairs } from "./buildkit-values.js";
import { parseSecret, parseSsh } from "./mount-values.js";
import {
	parseBuildArgs,
	parseByteSize,
	parseLabels,
	parseRetries,
	parseUlimit,
} from "./option-values.js";
import { parseOutput, parseSave } from "./output-values.js";

const text = { type: "string", requiresArg: true } as const;
const texts = { type: "string", array: true, requiresArg: true, nargs: 1 } as const;
const flag = { type: "boolean" } as const;

/** A text that is one of a few; checked by checkFlags(). */
function oneOf<Choice extends string>(...choices: readonly Choice[]) {
	return { ...text, choices };
}

/** The flags of `rbuild build`, named as docker names them. Kept in the order of the help. */
export const BUILD_FLAGS = {
	on: {
		...texts,
		describe:
			"Where to build: docker context, ssh alias, user@host[:port] or URL; of several, or auto, the one that fits",
	},
	tag: { ...texts, alias: "t", describe: "Name of the image, name[:tag]" },
	file: { ...text, alias: "f", describe: 'The Dockerfile; "-" reads it from standard input' },
	target: { ...text, describe: "Stage to build" },
	"build-arg": { ...texts, describe: "Value for an ARG, NAME=VALUE or NAME" },
	label: { ...texts, describe: "Metadata for the image, NAME=VALUE" },
	platform: {
		...texts,
		describe: "Platform to build for, such as linux/amd64; several: on several boxes",
	},
	"allow-emulation": { ...flag, describe: "Build for a platform the box can only emulate" },
	pull: { ...flag, describe: "Always look for newer base images" },
	"no-cache": { ...flag, describe: "Do not use cached layers" },
	"no-cache-filter": { ...texts, describe: "Do not use cached layers of these stages" },
	secret: { ...texts, describe: "For RUN --mount=type=secret: id=NAME[,src=FILE|,env=VARIABLE]" },
	secrets: {
		...oneOf<SecretsCheck>("warn", "deny", "off"),
		describe: "What to do about files of the context that look like credentials",
	},
	ssh: { ...texts, describe: "For RUN --mount=type=ssh: default or ID[=SOCKET|=KEY,KEY]" },
	transfer: {
		...oneOf<TransferChoice>("auto", "sync", "tar"),
		describe: "How the context is sent; sync: what changed, tar: all of it",
	},
	minimal: { ...flag, describe: "Leave out of a tar what the Dockerfile does not use (if safe)" },
	"no-minimal": { ...flag, describe: "Send everything, whatever the Dockerfile uses" },
	retries: { ...text, describe: "How often to reconnect after a lost connection (2)" },
	"context-key": {
		...text,
		describe: "Name under which the box keeps the files of the context",
	},
	"no-context-index": {
		...flag,
		describe: "Compare files by their times, not with what was sent before",
	},
	"build-context": {
		...texts,
		describe: "Additional contexts, NAME=PATH, NAME=docker-image://IMAGE, NAME=URL",
	},
	"cache-from": { ...texts, describe: "Cache sources: images, or type=registry,ref=…" },
	"cache-to": { ...texts, describe: "Cache destinations: type=inline or type=registry,ref=…" },
	network: { ...text, describe: "Network of RUN steps: default, none, host" },
	"add-host": { ...texts, describe: "Line for /etc/hosts, name:address" },
	"shm-size": { ...text, describe: "Size of /dev/shm, such as 64m" },
	ulimit: { ...texts, describe: "Resource limit, NAME=SOFT[:HARD]" },
	"cgroup-parent": { ...text, describe: "Parent cgroup of RUN steps" },
	allow: { ...texts, describe: "Allow an entitlement: network.host, security.insecure, device" },
	annotation: { ...texts, describe: "OCI annotation of the image, KEY=VALUE" },
	attest: { ...texts, describe: "Attestation, type=sbom or type=provenance,mode=max" },
	provenance: { ...text, describe: "Attest how it was built: true, false, mode=min, mode=max" },
	sbom: { ...text, describe: "Attest what is in it: true, false, generator=IMAGE" },
	call: { ...text, describe: "What to ask the builder for: build, check, outline, targets" },
	check: { ...flag, describe: "Check the Dockerfile and build nothing" },
	"dry-run": { ...flag, describe: "Show what would be done and sent, and change nothing" },
	push: { ...flag, describe: "Push every tag" },
	via: {
		...oneOf<PushVia>("daemon", "client"),
		describe: "Who pushes: the daemon on the box, or this machine with its logins",
	},
	save: { ...texts, describe: 'Write the image to a file, "-", or type=oci,dest=FILE|DIR' },
	load: { ...flag, describe: "Load the image into the local daemon" },
	output: {
		...texts,
		alias: "o",
		describe: "A folder for the files, or type=local|tar|oci|…,dest=…",
	},
	tls: { ...flag, describe: "TLS for tcp://; implied by --tlsverify" },
	tlsverify: { ...flag, describe: "TLS, and check the daemon's certificate" },
	tlscacert: { ...text, describe: "Trust only certificates of this CA (~/.docker/ca.pem)" },
	tlscert: { ...text, describe: "The client certificate (~/.docker/cert.pem)" },
	tlskey: { ...text, describe: "The key of the client certificate (~/.docker/key.pem)" },
	insecure: { ...flag, describe: "Allow tcp:// without TLS beyond this machine" },
} as const satisfies Record<string, Options>;

export type BuildFlagValues = {
	readonly [Flag in keyof typeof BUILD_FLAGS]?: FlagValue<(typeof BUILD_FLAGS)[Flag]>;
};

type FlagValue<Flag> = Flag extends typeof texts
	? readonly string[]
	: Flag extends typeof flag
		? boolean
		: Flag extends { readonly choices: readonly (infer Choice)[] }
			? Choice
			: string;

/** The options of build() that parsed flags stand for. @throws UsageError */
export function buildOptions(context: string, values: BuildFlagValues): BuildOptions {
	return {
		context,
		...given("file", values.file),
		...given("on", values.on),
		...given("target", values.target),
		...given("platform", values.platform),
		...given("network", values.network),
		...given("cgroupParent", values["cgroup-parent"]),
		...given("save", values.save?.map(parseSave)),
		...given("transfer", values.transfer),
		...given("secretsCheck", values.secrets),
		...given("minimal", values["no-minimal"] ? false : values.minimal),
		...given("retries", read(values.retries, parseRetries)),
		...given("contextKey", values["context-key"]),
		...given("contextIndex", values["no-context-index"] ? false : undefined),
		...given("allowEmulation", values["allow-emulation"]),
		...given("noCache", values["no-cache"]),
		...given("pull", values.pull),
		...given("push", values.push),
		...given("via", values.via),
		...given("load", values.load),
		...given(
			"shmSize",
			read(values["shm-size"], (size) => parseByteSize(size, "--shm-size")),
		),
		...given("tls", values.tls),
		...given("tlsVerify", values.tlsverify),
		...given("tlsCaCert", values.tlscacert),
		...given("tlsCert", values.tlscert),
		...given("tlsKey", values.tlskey),
		...given("insecure", values.insecure),
		...given("outputs", values.output?.map(parseOutput)),
		tags: values.tag ?? [],
		buildArgs: parseBuildArgs(values["build-arg"] ?? []),
		labels: parseLabels(values.label ?? []),
		cacheFrom: (values["cache-from"] ?? []).flatMap(parseCacheFrom),
		cacheTo: (values["cache-to"] ?? []).map(parseCacheTo),
		noCacheFilter: (values["no-cache-filter"] ?? []).flatMap((stages) => stages.split(",")),
		buildContexts: parsePairs(values["build-context"] ?? [], "--build-context"),
		annotations: parsePairs(values.annotation ?? [], "--annotation"),
		attestations: parseAttestations({
			attest: values.attest ?? [],
			provenance: values.provenance,
			sbom: values.sbom,
		}),
		allow: values.allow ?? [],
		secrets: (values.secret ?? []).map(parseSecret),
		ssh: (values.ssh ?? []).map(parseSsh),
		addHosts: (values["add-host"] ?? []).flatMap((hosts) => hosts.split(",")),
		ulimits: (values.ulimit ?? []).map(parseUlimit),
	};
}

function read<Value>(text: string | undefined, reader: (text: string) => Value): Value | undefined {
	return text === undefined ? undefined : reader(text);
}

/** A property, if there is a value for it: an option that is not given stays absent. */
function given<Name extends string, Value>(
	name: Name,
	value: Value | undefined,
): { [N in Name]?: Value } {
	return value === undefined ? {} : ({ [name]: value } as { [N in Name]: Value });
}
