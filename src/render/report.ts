import type { Colors } from "picocolors/types.js";
import type {
	BuildReport,
	ContextTotals,
	DeliveryReport,
	EngineFacts,
	PlatformReport,
	UploadReport,
} from "../events.js";
import { printableName } from "../printable.js";
import { formatBytes, formatDuration, formatFiles, formatShare, shortImageId } from "./format.js";
import { LABEL_WIDTH, labelled, wrap } from "./rows.js";
import { arrivalParts, deliveryName, passedOn } from "./wording.js";

/** A build may send this much beside its context: logins, requests, the list of files, the index of contents. */
const OWN_BYTES = 64 * 1024;

/** What compression saves is told where it is both; "32 B (9%) saved" would only raise questions. */
const LEAST_SAVED_BYTES = 1000;
const LEAST_SAVED_SHARE = 0.01;

/** The closing report: one aligned row for each question, wrapped between its parts where it is narrow. */
export function reportLines(report: BuildReport, colors: Colors, columns: number): string[] {
	const { engine, context } = report;
	const width = columns - LABEL_WIDTH;
	const row = (label: string, lines: readonly string[]) => labelled(label, lines, colors);
	const built = [report.platform, builtBy(engine)].map(printableName);
	return [
		...row("image", imageLines(report, width).map(colors.green)),
		...row("id", report.imageId === undefined ? [] : [report.imageId]),
		...row("where", whereLines(report)),
		...row("built", report.platforms?.map(platformLine) ?? wrap(built, width)),
		...row("context", wrap(context ? sizeParts(context) : [passedOn(report.contextKind)], width)),
		...row("ignored", context ? wrap(ignoredParts(context.ignored), width) : []),
		...row("sent", report.upload ? wrap(sentParts(report.upload, context), width) : []),
		...row("reused", report.upload ? wrap(reusedParts(report.upload), width) : []),
		...row("wire", wrap(wireParts(report), width)),
		...row("time", wrap(timeParts(report.phases), width)),
	];
}

/** Images of several platforms may have names, each on its box, and no id together. */
function imageLines({ imageId, tags }: BuildReport, width: number): string[] {
	const id = imageId === undefined ? [] : [shortImageId(imageId)];
	return wrap([...id, ...tags.map(printableName)], width);
}

function builtBy({ product, version, builder }: EngineFacts): string {
	return `${product} ${version} (${builder})`;
}

function platformLine({ platform, target, engine, upload }: PlatformReport): string {
	const sent = upload === undefined ? [] : [`${formatBytes(upload.sentBytes)} sent`];
	return [`${platform} on ${target}`, builtBy(engine), ...sent].map(printableName).join(", ");
}

/** A build without an image leaves nothing but its cache on that machine. */
function whereLines({ imageId, target, platforms, deliveries }: BuildReport): string[] {
	if (platforms !== undefined) return deliveries.map(deliveryPart);
	const box = `${imageId === undefined ? "built on" : "on"} ${printableName(target)}`;
	return [box, ...deliveries.map(deliveryPart)];
}

function deliveryPart(delivery: DeliveryReport): string {
	const place = deliveryName(delivery.method, delivery.destination, "done");
	if (delivery.method === "push") {
		const { digest, sentBytes } = delivery;
		const sent = sentBytes === undefined ? "" : ` (${formatBytes(sentBytes)} sent from here)`;
		return `${place}${digest ? `@${digest}` : ""}${sent}`;
	}
	const { bytes, reusedBytes, whole } = delivery;
	const came = reusedBytes === undefined ? { bytes } : { bytes, reusedBytes };
	const parts = arrivalParts(came, whole && `the whole image: ${whole}`);
	return `${place} (${parts.join(", ") || formatBytes(0)})`;
}

function sizeParts({ files, bytes }: { readonly files: number; readonly bytes: number }): string[] {
	return [formatFiles(files), formatBytes(bytes)];
}

/** A tar has all of the context; of an archive that was passed on, only its size is known. */
function sentParts(upload: UploadReport, context: ContextTotals | undefined): string[] {
	const { transfer, files, bytes } = upload;
	if (transfer === "tar") {
		const all = files !== undefined && files === context?.files;
		return [all ? "all of it, as a tar" : `${formatBytes(bytes)} as a tar`, ...savedParts(upload)];
	}
	if (files === 0 && bytes === 0) return ["nothing"];
	const { alreadyThere } = upload;
	const size = withShare(bytes, bytes + alreadyThere.bytes);
	return [...(files ? [formatFiles(files)] : []), size, ...savedParts(upload)];
}

function savedParts({ bytes, sentBytes, savedBytes }: UploadReport): string[] {
	// Saved on the list of files: beside what was sent of them, that could not be understood.
	if (savedBytes > bytes) return [];
	const unpacked = sentBytes + savedBytes;
	if (savedBytes < LEAST_SAVED_BYTES || savedBytes < LEAST_SAVED_SHARE * unpacked) return [];
	return [`${withShare(savedBytes, unpacked)} saved by compression`];
}

function reusedParts({ bytes, alreadyThere }: UploadReport): string[] {
	if (alreadyThere.files === 0) return [];
	const size = withShare(alreadyThere.bytes, bytes + alreadyThere.bytes);
	return [formatFiles(alreadyThere.files), `${size} already there`];
}

/** "3 MB (28%)". */
function withShare(part: number, whole: number): string {
	return part === 0 ? formatBytes(part) : `${formatBytes(part)} (${formatShare(part, whole)})`;
}

function ignoredParts({ files, bytes, complete }: ContextTotals["ignored"]): string[] {
	const seen = files === 0 ? [] : [formatFiles(files), formatBytes(bytes)];
	return complete ? seen : [...seen, files === 0 ? "whole folders" : "more in ignored folders"];
}

function wireParts({ wire, context, upload, retries }: BuildReport): string[] {
	// Named contexts may have more than the context itself, but only what is used of them is known.
	const used = upload === undefined ? 0 : upload.bytes + upload.alreadyThere.bytes;
	const whole = Math.max(context?.bytes ?? 0, used);
	return [
		`${formatBytes(wire.sent)} sent${wireShare(wire.sent, whole)}`,
		`${formatBytes(wire.received)} received`,
		...(retries > 0 ? [`connection lost ${retries === 1 ? "once" : `${retries} times`}`] : []),
	];
}

/** Of a small context, what went out is the connection's own for the most part: "71x" of it says nothing. */
function wireShare(sent: number, contextBytes: number): string {
	const more = sent - contextBytes;
	if (contextBytes === 0 || (more > 0 && more < OWN_BYTES)) return "";
	return ` (${formatShare(sent, contextBytes)} of the context)`;
}

function timeParts(phases: BuildReport["phases"]): string[] {
	const names = ["connect", "context", "upload", "build", "deliver"] as const;
	// What would be "0.0s" tells nobody anything.
	const spent = names.filter((name) => phases[name] >= 50);
	return [
		`${formatDuration(phases.total)} in all`,
		...spent.map((name) => `${name} ${formatDuration(phases[name])}`),
	];
}
