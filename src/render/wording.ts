/** The news that is no step of the build, in one line each; the same words on a terminal and in a log. */
import type {
	ConnectEvent,
	ContextEvent,
	ContextKind,
	ContextTotals,
	DeliverEvent,
	DeliveredLayer,
	DeliveryMethod,
	PlatformNews,
	RetryEvent,
	SentFileEvent,
	TransferEvent,
	UploadEvent,
} from "../events.js";
import { printableName } from "../printable.js";
import { formatBytes, formatCount, formatDuration, formatFiles } from "./format.js";
import { ofPlatform } from "./platform-names.js";

export function connectLine(event: ConnectEvent & PlatformNews): string {
	return ofPlatform(event, connection(event));
}

function connection(event: ConnectEvent): string {
	const target = printableName(event.target);
	if (event.status === "started") return `connecting to ${target} (${event.chosenBy})`;
	const { product, version, platform, builder } = event.engine;
	const engine = printableName(`${product} ${version} on ${platform}`);
	const old = builder === "classic" ? ", classic builder" : "";
	return `connected to ${target}: ${engine}${old} (${event.route})`;
}

export function retryLine(event: RetryEvent & PlatformNews): string {
	const { reason, attempt, retries, delayMs } = event;
	const again = `reconnecting in ${formatDuration(delayMs)} (${attempt} of ${retries})`;
	return ofPlatform(event, `${printableName(reason)}; ${again}`);
}

export function contextLine(event: ContextEvent): string {
	const isStdin = event.status === "started" && event.source === "-";
	const source = isStdin ? "from standard input" : printableName(event.source);
	if (event.status === "started") return `reading context ${source}`;
	if (event.totals === undefined) return `context ${source} ${passedOn(event.kind)}`;
	return `context ${source}: ${contextSize(event.totals).join(", ")}`;
}

/** Of a context that is not looked into on this side. */
export function passedOn(kind: ContextKind): string {
	return kind === "remote" ? "fetched by the daemon" : "passed on as it came";
}

/** What is sent, then what is not. */
export function contextSize({ files, bytes, ignored }: ContextTotals): string[] {
	const sent = `${formatFiles(files)}, ${formatBytes(bytes)}`;
	if (ignored.files === 0) return [sent];
	const atLeast = ignored.complete ? "" : "at least ";
	return [sent, `${atLeast}${formatFiles(ignored.files)}, ${formatBytes(ignored.bytes)} ignored`];
}

export function transferLine(event: TransferEvent & PlatformNews): string {
	const { transfer, reason, needed, doubt } = event;
	const of = needed && `the ${formatFiles(needed.files)} of the context that the Dockerfile needs`;
	const how =
		transfer === "tar"
			? `sending ${of ?? "the context"} as a tar`
			: "sending what the box asks for";
	const whole = doubt === undefined ? "" : `; all of it, as ${printableName(doubt)}`;
	return ofPlatform(event, `${how} (${printableName(reason)}${whole})`);
}

export function uploadLine(event: UploadEvent & PlatformNews): string {
	return ofPlatform(event, uploaded(event));
}

function uploaded(event: UploadEvent): string {
	const sent = formatBytes(event.sentBytes);
	if (event.status === "done") {
		const bytes = formatBytes(event.bytes);
		// What was asked and answered to find that out.
		if (event.bytes === 0 && event.files === 0) return `uploaded nothing, ${sent} sent`;
		// Of an archive, nobody counts them.
		const files = event.files === 0 ? "" : `${formatFiles(event.files)}, `;
		const content = `uploaded ${files}${bytes}`;
		if (sent === bytes) return content;
		// The list of files counts, too, and may be longer than they are.
		return event.sentBytes > event.bytes ? `${content}, ${sent} sent` : `${content} as ${sent}`;
	}
	const files =
		event.totalFiles === undefined
			? formatFiles(event.files)
			: `${formatCount(event.files)} of ${formatFiles(event.totalFiles)}`;
	return `uploading ${files}, ${amount(event.bytes, event.totalBytes)}, ${sent} sent`;
}

export function sentFileLine(event: SentFileEvent & PlatformNews): string {
	const { path, bytes, context } = event;
	const of = context === undefined ? "" : ` of ${printableName(context)}`;
	return ofPlatform(event, `sent ${printableName(path)}${of} (${formatBytes(bytes)})`);
}

const deliveryWords: Record<DeliveryMethod, Readonly<Record<"doing" | "done", string>>> = {
	push: { doing: "pushing to", done: "pushed to" },
	save: { doing: "saving to", done: "saved to" },
	export: { doing: "exporting to", done: "exported to" },
	bring: { doing: "fetching from", done: "fetched from" },
	load: { doing: "loading into local docker at", done: "loaded into local docker at" },
};

export function deliverLine(event: DeliverEvent & PlatformNews): string {
	return ofPlatform(event, delivery(event));
}

function delivery(event: DeliverEvent): string {
	const isDone = event.status === "done";
	const line = deliveryName(event.method, event.destination, isDone ? "done" : "doing");
	if (isDone) return line + inBrackets(arrivalParts(event, event.detail));
	if (event.layer !== undefined) return `${line}: ${layerNews(event.layer, event.detail)}`;
	const size = event.bytes > 0 ? [amount(event.bytes, event.totalBytes)] : [];
	const detail = event.detail === undefined ? [] : [printableName(event.detail)];
	const so = [...size, ...detail].join(", ");
	return so === "" ? line : `${line}: ${so}`;
}

/** What came, what was here, and why all of it came: "1 MB", "31 MB already here". */
export function arrivalParts(
	{ bytes, reusedBytes }: { readonly bytes: number; readonly reusedBytes?: number },
	reason: string | undefined,
): string[] {
	return [
		...(bytes > 0 || reusedBytes !== undefined ? [formatBytes(bytes)] : []),
		...(reusedBytes ? [`${formatBytes(reusedBytes)} already here`] : []),
		...(reason === undefined ? [] : [printableName(reason)]),
	];
}

function inBrackets(parts: readonly string[]): string {
	return parts.length === 0 ? "" : ` (${parts.join(", ")})`;
}

/** "layer 1a2b3c4d5e6f: 3.4 MB of 12 MB", or what the event says of it. */
function layerNews(
	{ id, state, bytes, totalBytes }: DeliveredLayer,
	detail: string | undefined,
): string {
	const name = `layer ${printableName(id)}`;
	if (detail !== undefined) return `${name}: ${printableName(detail)}`;
	if (state === "here" || state === "there") return `${name}: already ${state}`;
	if (state === "waiting") return `${name}: waiting`;
	return `${name}: ${state === "done" ? "done" : amount(bytes, totalBytes)}`;
}

/** Such as "pushed to registry.example/app:1". */
export function deliveryName(
	method: DeliveryMethod,
	destination: string,
	stage: "doing" | "done",
): string {
	return `${deliveryWords[method][stage]} ${printableName(destination)}`;
}

/** "3.4 MB of 12 MB", or the first alone where the second is not known. */
export function amount(bytes: number, total: number | undefined): string {
	return total ? `${formatBytes(bytes)} of ${formatBytes(total)}` : formatBytes(bytes);
}
