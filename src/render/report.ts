import type { Colors } from "picocolors/types.js";
import type { BuildReport, ContextTotals, DeliveryReport, UploadReport } from "../events.js";
import { formatBytes, formatDuration, formatFiles, formatShare, shortImageId } from "./format.js";
import { printableName } from "./printable.js";
import { LABEL_WIDTH, labelled, wrap } from "./rows.js";
import { arrivalParts, deliveryName, passedOn } from "./wording.js";

/** The closing report: one aligned row for each question, wrapped between its parts where it is narrow. */
export function reportLines(report: BuildReport, colors: Colors, columns: number): string[] {
	const { engine, context } = report;
	const width = columns - LABEL_WIDTH;
	const row = (label: string, lines: readonly string[]) => labelled(label, lines, colors);
	const builtBy = `${engine.product} ${engine.version} (${engine.builder})`;
	return [
		...row("image", imageLines(report, width).map(colors.green)),
		...row("id", report.imageId === undefined ? [] : [report.imageId]),
		...row("where", whereLines(report)),
		...row("built", wrap([report.platform, builtBy].map(printableName), width)),
		...row("context", wrap(context ? sizeParts(context) : [passedOn(report.contextKind)], width)),
		...row("ignored", context ? wrap(ignoredParts(context.ignored), width) : []),
		...row("sent", report.upload ? wrap(sentParts(report.upload, context), width) : []),
		...row("reused", report.upload ? wrap(reusedParts(report.upload), width) : []),
		...row("wire", wrap(wireParts(report), width)),
		...row("time", wrap(timeParts(report.phases), width)),
	];
}

function imageLines({ imageId, tags }: BuildReport, width: number): string[] {
	return imageId === undefined
		? []
		: wrap([shortImageId(imageId), ...tags.map(printableName)], width);
}

/** A build without an image leaves nothing but its cache on that machine. */
function whereLines({ imageId, target, deliveries }: BuildReport): string[] {
	const box = `${imageId === undefined ? "built on" : "on"} ${printableName(target)}`;
	return [box, ...deliveries.map(deliveryPart)];
}

function deliveryPart(delivery: DeliveryReport): string {
	const place = deliveryName(delivery.method, delivery.destination, true);
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

function savedParts({ sentBytes, savedBytes }: UploadReport): string[] {
	if (savedBytes <= 0) return [];
	return [`${withShare(savedBytes, sentBytes + savedBytes)} saved by compression`];
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

function wireParts({ wire, context, retries }: BuildReport): string[] {
	const share = context?.bytes ? ` (${formatShare(wire.sent, context.bytes)} of the context)` : "";
	return [
		`${formatBytes(wire.sent)} sent${share}`,
		`${formatBytes(wire.received)} received`,
		...(retries > 0 ? [`connection lost ${retries === 1 ? "once" : `${retries} times`}`] : []),
	];
}

function timeParts(phases: BuildReport["phases"]): string[] {
	const names = ["connect", "context", "upload", "build", "deliver"] as const;
	const spent = names.filter((name) => phases[name] > 0);
	return [
		`${formatDuration(phases.total)} in all`,
		...spent.map((name) => `${name} ${formatDuration(phases[name])}`),
	];
}
