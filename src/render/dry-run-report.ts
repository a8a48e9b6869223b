import type { Colors } from "picocolors/types.js";
import type { ContextAdvice, DryRunBox, DryRunReport, DryRunTransfer } from "../events.js";
import { printableName } from "../printable.js";
import { formatBytes, formatFiles } from "./format.js";
import { LABEL_WIDTH, labelled, wrap } from "./rows.js";
import { contextSize, deliveryName, passedOn } from "./wording.js";

/** What a build would do: one row for each question, as in the closing report of a build. */
export function dryRunLines(report: DryRunReport, colors: Colors, columns: number): string[] {
	const { advice = [], box, context, tags, transfer } = report;
	const width = columns - LABEL_WIDTH;
	const row = (label: string, parts: readonly string[]) =>
		labelled(label, wrap(parts, width), colors);
	const source = `${printableName(report.source)} (${printableName(report.dockerfile)})`;
	const size = context === undefined ? [passedOn(report.contextKind)] : contextSize(context);
	const deliveries = report.deliveries.map(({ method, destination }) =>
		deliveryName(method, destination, "doing"),
	);
	return [
		...row("where", [`${printableName(report.target)} (${report.chosenBy})`, ...routeOf(box)]),
		...row("engine", engineParts(report)),
		...row("image", tags.map(printableName)),
		...row("context", [source, ...size]),
		...row("transfer", transfer ? [`${transfer.transfer}: ${printableName(transfer.reason)}`] : []),
		...row("send", transfer ? [uploadPart(report, transfer)] : []),
		...row("then", deliveries),
		...labelled(
			"advice",
			advice.flatMap((one) => wrap([adviceText(one)], width)),
			colors,
		),
		colors.dim("nothing was sent, built or kept"),
	];
}

function adviceText({ text, bytes }: ContextAdvice): string {
	return bytes === 0 ? printableName(text) : `${printableName(text)} (${formatBytes(bytes)})`;
}

function routeOf(box: DryRunBox | undefined): string[] {
	return box === undefined ? [] : [box.route];
}

function engineParts({ box, platform }: DryRunReport): string[] {
	if (box === undefined)
		return [
			"unknown: the box was not reached",
			...(platform === undefined ? [] : [`for ${platform}`]),
		];
	const { product, version, builder } = box.engine;
	const native = box.engine.platform;
	const other = platform === native || platform === undefined ? [] : [`for ${platform}`];
	return [printableName(`${product} ${version} (${builder}) on ${native}`), ...other];
}

function uploadPart(
	{ context, contextKind }: DryRunReport,
	{ transfer, upload }: DryRunTransfer,
): string {
	if (contextKind === "remote") return "nothing";
	if (contextKind === "archive") return "all of it";
	if (upload === undefined) return "what the builder does not have, which it alone knows";
	const size = `${formatFiles(upload.files)}, ${formatBytes(upload.bytes)}`;
	if (transfer === "tar") {
		const isAll = upload.files === context?.files;
		return isAll ? `all of it: ${size}` : `what the Dockerfile takes: ${size}`;
	}
	if (upload.files === 0) return "nothing: the box was sent all of it before";
	return `${upload.atMost ? "at most " : ""}${size} that the box was not sent before`;
}
