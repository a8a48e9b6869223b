import { resolve } from "node:path";
import { checkWritable } from "../../disk/replacement-file.js";
import type { Exporter } from "../../engine/build-request.js";
import type { Environment } from "../../environment.js";
import { UsageError } from "../../errors.js";
import { checkSavePlace, type SavePlace } from "../../image/deliveries/save-place.js";
import { checkFolder } from "../../image/export/folder-target.js";
import { parseTag } from "../../image/reference.js";
import { localDaemon } from "../../target/choose-target.js";
import { unsupportedValue, useOneOf } from "../../unsupported-value.js";
import { parseBoolean } from "./go-values.js";
import type { BuildOptions, OutputOption, PushVia, SaveOption } from "./options.js";

/** What becomes of a build: an image in the daemon's store and where it is brought, or something else. */
export interface PlannedOutputs {
	/** Of the image, normalised, such as "app:latest"; none where there is no image. */
	readonly tags: readonly string[];
	/** Whether the daemon keeps an image. */
	readonly image: boolean;
	/** What the exporter of that image is told beside its names. */
	readonly imageAttrs: Readonly<Record<string, string>>;
	readonly deliveries: PlannedDeliveries;
	readonly exports: readonly PlannedExport[];
}

export interface PlannedDeliveries {
	/** Who does it. */
	readonly push: PushVia | false;
	/** With "-" as the path for the standard output. */
	readonly saves: readonly SavePlace[];
	readonly load: boolean;
}

/** Something that the daemon makes of the build and sends back. */
export interface PlannedExport {
	/** As the user calls it, such as "local". */
	readonly output: string;
	readonly exporter: Exporter;
	readonly destination: ExportDestination;
}

export type ExportDestination =
	| { readonly kind: "folder" | "file"; readonly path: string }
	| { readonly kind: "stdout" };

/** What of a build's options says where its image, or its files, go. */
type OutputOptions = Pick<BuildOptions, "tags" | "outputs" | "push" | "via" | "save" | "load">;

/**
 * Checks --output, --push, --via, --save and --load, and whether what they name can be written or is there.
 *
 * @throws UsageError, DeliveryError
 */
export async function planOutputs(
	options: OutputOptions,
	environment: Environment,
): Promise<PlannedOutputs> {
	const { workingDirectory } = environment;
	const outputs = (options.outputs ?? []).map(checkOutput);
	const place = (dest: string) => (dest === "-" ? dest : resolve(workingDirectory, dest));
	const named = (those: readonly OutputOption[]) => namesOf(options, those);
	const names = named(outputs.filter(({ type }) => !EXPORTED.has(type)));
	const push = options.push === true || outputs.some(isPush);
	if (push && names.length === 0) {
		throw new UsageError(`${options.push ? "--push" : "a push"} needs an image name`, {
			hint: "give it with -t, such as -t registry.example.com/app:1.0",
		});
	}
	if (!push && options.via !== undefined) {
		throw new UsageError(`--via ${options.via} needs --push`, {
			hint: "add --push, or leave --via out",
		});
	}
	const deliveries = {
		push: push && (options.via ?? "daemon"),
		saves: [...savesOf(options.save), ...outputs.filter(isDocker).flatMap(({ dest }) => dest ?? [])]
			.map(checkSave)
			.map(({ type, dest }) => ({ path: place(dest), format: type })),
		load: options.load === true || outputs.some((output) => isDocker(output) && !output.dest),
	};
	const exports = outputs.flatMap((output) => plannedExport(output, named([output]), place));
	const image = givesImage(options);
	await checkPlaces(deliveries.saves, exports);
	if (deliveries.load) await localDaemon(environment);
	return { tags: image ? names : [], image, imageAttrs: imageAttrs(outputs), deliveries, exports };
}

/**
 * An OCI layout is made from an image that the daemon pushes to this side, and it pushes none without a name.
 *
 * @throws UsageError
 */
export function requireNameToSave({ tags, deliveries }: PlannedOutputs): void {
	if (tags.length > 0 || deliveries.saves.every(({ format }) => format !== "oci")) return;
	throw new UsageError("--save type=oci needs a name for the image", {
		hint: "give it with -t, or have the layout without one: --output type=oci,dest=…",
	});
}

/** --save, which may be given several times or not at all. */
export function savesOf(save: OutputOptions["save"] | undefined): readonly (string | SaveOption)[] {
	return [save ?? []].flat();
}

function checkSave(save: string | SaveOption): SaveOption {
	const { type, dest } = typeof save === "string" ? { type: "docker" as const, dest: save } : save;
	if (dest === "" || (type !== "docker" && type !== "oci")) {
		throw new UsageError(`an image cannot be saved as type=${type},dest=${dest}`, {
			hint: "write it as --save FILE.tar, or --save type=oci,dest=FILE.tar for an OCI layout",
		});
	}
	return { type, dest };
}

/** Whether there will be an image in the daemon's store, and so an image id. */
export function givesImage({ outputs = [], push, save, load }: OutputOptions): boolean {
	if (push || load || savesOf(save).length > 0 || outputs.length === 0) return true;
	return outputs.some(({ type }) => !EXPORTED.has(type) && type !== CACHE_ONLY);
}

/** Whether an image leaves the box. */
export function isDelivered({ outputs = [], push, save, load }: OutputOptions): boolean {
	const isAsked = push || load || savesOf(save).length > 0;
	return isAsked || outputs.some((one) => isPush(one) || isDocker(one));
}

/** What sends something other than words to the standard output, if anything does. */
export function flagOnStdout({
	outputs = [],
	save,
}: OutputOptions): "--save" | "--output" | undefined {
	const isStdout = (one: string | SaveOption) => (typeof one === "string" ? one : one.dest) === "-";
	if (savesOf(save).some(isStdout)) return "--save";
	return outputs.some((output) => destinationOf(output) === "-") ? "--output" : undefined;
}

/** What BuildKit sends back without keeping an image. */
const EXPORTED = new Set(["local", "tar", "oci"]);

/** What fills the build cache and gives nothing. */
const CACHE_ONLY = "cacheonly";

/**
 * What an image of the daemon's can be told here, and what only the daemon has to know of it. Times cannot
 * be rewritten: it always unpacks the image (moby builder-next/exporter/wrapper.go).
 */
const NAMING = ["name", "push", "store", "unpack"];
const IMAGE_FORMAT = ["compression", "compression-level", "force-compression", "oci-mediatypes"];

/** By type: the attrs that mean something here; undefined: whatever the daemon's exporter takes. */
const ATTRIBUTES: ReadonlyMap<string, readonly string[] | undefined> = new Map([
	["local", undefined],
	["tar", undefined],
	["oci", undefined],
	["docker", ["name", "tar"]],
	["image", [...NAMING, ...IMAGE_FORMAT]],
	["registry", [...NAMING, ...IMAGE_FORMAT]],
	[CACHE_ONLY, []],
]);

function checkOutput(output: OutputOption): OutputOption {
	const { type, attrs = {} } = output;
	if (!ATTRIBUTES.has(type)) {
		throw unsupportedValue("--output type=", type, [...ATTRIBUTES.keys()]);
	}
	const known = ATTRIBUTES.get(type);
	const unknown = Object.keys(attrs).find((name) => known && !known.includes(name));
	if (unknown !== undefined) {
		throw new UsageError(`--output type=${type} does not support "${unknown}"`, {
			hint: attributeHint(unknown, known),
		});
	}
	if (type === "local") checkLocal(output);
	if (attrs.tar !== undefined && !isTrue(attrs, "tar")) {
		throw new UsageError(`--output type=${type},tar=false is not supported`, {
			hint:
				type === "oci"
					? "leave it out, or have the layout in a folder: --save type=oci,dest=FOLDER"
					: "leave it out, and unpack the tar",
		});
	}
	return output;
}

function attributeHint(unknown: string, known: readonly string[] = []): string {
	if (unknown.startsWith("annotation")) return "use --annotation KEY=VALUE";
	return known.length > 0 ? useOneOf(known, unknown) : "leave it out";
}

/** What BuildKit's exporter "tar" does not do of what "local" does. */
function checkLocal({ dest, attrs = {} }: OutputOption): void {
	if (dest === undefined || dest === "" || dest === "-") {
		throw new UsageError("--output type=local needs a folder", {
			hint: "write it as type=local,dest=DIR, or -o - for a tar on the standard output",
		});
	}
	const { mode = "copy" } = attrs;
	if (mode !== "copy" || isTrue(attrs, "platform-split")) {
		const what = mode === "copy" ? "platform-split=true" : `mode=${mode}`;
		throw new UsageError(`--output type=local,${what} is not supported`, {
			hint: "leave it out: files are put over what is in the folder, and all else in it stays",
		});
	}
}

/** As in buildx, -t wins over the names in outputs, each of which is for its own. */
function namesOf(
	{ tags = [] }: OutputOptions,
	outputs: readonly OutputOption[],
): readonly string[] {
	const given = outputs.flatMap(({ attrs }) => attrs?.name?.split(",") ?? []);
	const names = tags.length > 0 ? tags : given.filter((name) => name !== "");
	return [...new Set(names.map((name) => parseTag(name).familiar))];
}

function isPush({ type, attrs = {} }: OutputOption): boolean {
	return type === "registry" || (type === "image" && isTrue(attrs, "push"));
}

function isDocker({ type }: OutputOption): boolean {
	return type === "docker";
}

function imageAttrs(outputs: readonly OutputOption[]): Record<string, string> {
	const attrs = outputs
		.filter(({ type }) => type === "image" || type === "registry")
		.flatMap(({ attrs = {} }) => Object.entries(attrs));
	return Object.fromEntries(attrs.filter(([name]) => IMAGE_FORMAT.includes(name)));
}

function destinationOf({ type, dest }: OutputOption): string | undefined {
	if (dest !== undefined && dest !== "") return dest;
	return type === "tar" || type === "oci" ? "-" : undefined;
}

function plannedExport(
	output: OutputOption,
	names: readonly string[],
	place: (dest: string) => string,
): PlannedExport[] {
	const { type, attrs = {} } = output;
	if (!EXPORTED.has(type)) return [];
	const path = place(destinationOf(output) ?? "-");
	const kind = type === "local" ? "folder" : "file";
	const destination: ExportDestination = path === "-" ? { kind: "stdout" } : { kind, path };
	if (type !== "oci") return [{ output: type, exporter: { type: "tar", attrs }, destination }];
	const named = names.length === 0 ? attrs : { ...attrs, name: names.join(",") };
	return [{ output: type, exporter: { type, attrs: named }, destination }];
}

async function checkPlaces(
	saves: readonly SavePlace[],
	exports: readonly PlannedExport[],
): Promise<void> {
	const streams = saves.filter(({ path }) => path === "-").length;
	const places = exports.map(({ destination }) => destination);
	if (streams + places.filter(({ kind }) => kind === "stdout").length > 1) {
		throw new UsageError("two outputs cannot share the standard output", {
			hint: "give all but one of them a file name",
		});
	}
	const paths = [...saves, ...places].flatMap((place) => ("path" in place ? place.path : []));
	const twice = paths.find((path, at) => path !== "-" && paths.indexOf(path) !== at);
	if (twice !== undefined) {
		throw new UsageError(`two outputs cannot both go to ${twice}`, {
			hint: "give each of them its own path",
		});
	}
	for (const place of saves) if (place.path !== "-") await checkSavePlace(place);
	for (const place of places) {
		if (place.kind === "folder") await checkFolder(place.path);
		else if (place.kind === "file") await checkWritable(place.path);
	}
}

/** @throws UsageError */
function isTrue(attrs: Readonly<Record<string, string>>, name: string): boolean {
	const text = attrs[name];
	if (text === undefined) return false;
	const isOn = parseBoolean(text);
	if (isOn !== undefined) return isOn;
	throw new UsageError(`--output …,${name}=${text} is neither true nor false`, {
		hint: `write ${name}=true or ${name}=false`,
	});
}
