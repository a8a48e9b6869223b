import type { FrontendCall } from "../../build/plan/build-plan.js";
import { parseBoolean } from "../../build/plan/go-values.js";
import type { CacheOption } from "../../build/plan/options.js";
import { UsageError } from "../../errors.js";
import { unsupportedValue } from "../../unsupported-value.js";
import { csvFields } from "./csv-fields.js";

/** Readers for the values of flags that BuildKit brought, in the forms that docker buildx takes. */

/** Images, several of them with commas in between, or "type=…,NAME=VALUE,…". */
export function parseCacheFrom(text: string): readonly (string | CacheOption)[] {
	return text.includes("=") ? [cacheOption(text, "--cache-from")] : text.split(",");
}

/** "type=…,NAME=VALUE,…", or an image for a cache in a registry. */
export function parseCacheTo(text: string): CacheOption {
	return text.includes("=")
		? cacheOption(text, "--cache-to")
		: { type: "registry", attrs: { ref: text } };
}

function cacheOption(text: string, flag: string): CacheOption {
	const { type, ...attrs } = attributes(text, flag);
	if (type) return { type, attrs };
	throw new UsageError(`${flag} has no type`, {
		hint: `write it as ${flag} type=registry,ref=registry.example.com/app:cache`,
	});
}

/** "NAME=VALUE" each. */
export function parsePairs(values: readonly string[], flag: string): Record<string, string> {
	return Object.fromEntries(values.map((text) => pair(text, `${flag} "${text}"`)));
}

interface AttestationFlags {
	/** "type=sbom,…" each. */
	readonly attest: readonly string[];
	readonly provenance: string | undefined;
	readonly sbom: string | undefined;
}

/** The two short forms take parameters, or "true" and "false"; "false" takes an attestation back. */
export function parseAttestations({
	attest,
	provenance,
	sbom,
}: AttestationFlags): Record<string, Record<string, string>> {
	const entries = attest.map((text) => attestation(text));
	if (provenance !== undefined) entries.push(shortForm("provenance", provenance));
	if (sbom !== undefined) entries.push(shortForm("sbom", sbom));
	const wanted = new Map(entries);
	return Object.fromEntries(
		[...wanted].filter((entry): entry is [string, Record<string, string>] => !!entry[1]),
	);
}

type Attestation = [type: string, parameters: Record<string, string> | undefined];

const ATTEST_HINT = "write it as --attest type=sbom or --attest type=provenance,mode=max";

const SHORT_FORMS = {
	provenance: ["true", "false", "mode=min", "mode=max"],
	sbom: ["true", "false", "generator=IMAGE"],
} as const;

function attestation(text: string): Attestation {
	const { type, disabled, ...parameters } = attributes(text, "--attest", ATTEST_HINT);
	const isDisabled = parseBoolean(disabled ?? "false");
	if (isDisabled === undefined) {
		throw new UsageError(`--attest: disabled=${disabled} is neither true nor false`);
	}
	if (type) return [type, isDisabled ? undefined : parameters];
	throw new UsageError(`--attest "${text}" has no type`, { hint: ATTEST_HINT });
}

function shortForm(type: keyof typeof SHORT_FORMS, text: string): Attestation {
	const wanted = parseBoolean(text);
	if (wanted !== undefined) return [type, wanted ? {} : undefined];
	if (!text.includes("=")) throw unsupportedValue(`--${type}`, text, SHORT_FORMS[type]);
	return [type, attributes(text, `--${type}`)];
}

interface CallFlags {
	readonly check?: boolean;
	readonly call?: string;
}

/** What is asked for instead of a build, and how the answer is shown. */
export interface RequestedCall {
	readonly call: FrontendCall;
	readonly format: "text" | "json";
	/** Exit with 0 whatever the answer says of the Dockerfile. */
	readonly ignoreStatus: boolean;
}

export const CALLS: readonly string[] = [
	"build",
	...(["check", "outline", "targets"] satisfies FrontendCall[]),
];

const CALL_FORMATS = ["text", "json"] as const;

/** "check", "outline" or "targets", with ",format=json" or ",ignorestatus=true"; "build" is none of them. */
export function parseCall({ check, call }: CallFlags): RequestedCall | undefined {
	const text = call ?? (check ? "check" : "build");
	const [first = "", ...others] = text.split(",");
	const name = first === "lint" ? "check" : first;
	const {
		format = "text",
		ignorestatus,
		...unknown
	} = others.length === 0 ? {} : attributes(others.join(), "--call");
	const ignoreStatus = parseBoolean(ignorestatus ?? "false");
	const known = CALL_FORMATS.find((one) => one === format);
	if (!CALLS.includes(name)) throw unsupportedValue("--call", name, CALLS);
	if (known === undefined) throw unsupportedValue("--call format=", format, CALL_FORMATS);
	const [attribute] = Object.keys(unknown);
	if (attribute !== undefined) {
		throw new UsageError(`--call does not support "${attribute}"`, {
			hint: "use format=json or ignorestatus=true",
		});
	}
	if (ignoreStatus === undefined) {
		throw new UsageError(`--call ignorestatus=${ignorestatus} is neither true nor false`);
	}
	return name === "build" ? undefined : { call: name as FrontendCall, format: known, ignoreStatus };
}

function attributes(text: string, flag: string, hint?: string): Record<string, string> {
	const fields = csvFields(text);
	if (fields !== undefined)
		return Object.fromEntries(
			fields.map((field, at) => pair(field, `field ${at + 1} of ${flag}`, hint)),
		);
	throw new UsageError(`${flag} has an unclosed or misplaced quote`, {
		hint: 'quote the whole field, as in type=registry,"ref=…"',
	});
}

/** @param what how the field is called: some values are secret */
function pair(
	field: string,
	what: string,
	hint = "see rbuild build --help",
): [name: string, value: string] {
	const equals = field.indexOf("=");
	if (equals < 1) throw new UsageError(`${what} is not of the form NAME=VALUE`, { hint });
	return [field.slice(0, equals).trim(), field.slice(equals + 1)];
}
