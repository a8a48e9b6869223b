import cliProgress from "cli-progress";
import { cutToWidth, displayWidth } from "../display-width.js";
import { formatBytes, formatDuration, formatRate } from "../format.js";
import type { TransferMeter } from "./transfer-meter.js";

const WIDEST_BAR = 40;
const NARROWEST_BAR = 8;
/** A long label is cut rather than leave the bar less than this. */
const USEFUL_BAR = 20;
/** Cells of the blanks, brackets and arrow around label, bar and facts. */
const FRAME = "  [>] ".length;

export interface LiveTransfer {
	readonly label: string;
	readonly bytes: number;
	/** Undefined or 0 where it is not known: then there is no bar. */
	readonly totalBytes: number | undefined;
	/** What the far side says it is doing; shown where there is no bar. */
	readonly detail?: string | undefined;
	readonly meter: TransferMeter;
}

/**
 * A line of that many cells with a bar and what it is about. What matters least is left out where it is
 * narrow: the time to go, the rate, then the bar. Made of ASCII, as block characters are two cells wide
 * on some terminals.
 */
export function progressBar(transfer: LiveTransfer, width: number, now: number): string {
	const { label, bytes, totalBytes, detail, meter } = transfer;
	const rate = meter.rate(now);
	const speed = rate ? `  ${formatRate(rate)}` : "";
	if (!totalBytes) {
		const size = bytes > 0 ? `  ${formatBytes(bytes)}` : "";
		return cutToWidth(`${label}${size}${speed}${detail ? `  ${detail}` : ""}`, width);
	}

	const progress = Math.min(1, bytes / totalBytes);
	const percent = `${Math.floor(progress * 100)}%`.padStart(4);
	const sizes = `${percent}  ${formatBytes(bytes)} of ${formatBytes(totalBytes)}`;
	const left = rate ? `  ${formatDuration(((totalBytes - bytes) / rate) * 1000)} left` : "";

	const shortestLabel = Math.min(displayWidth(label), Math.floor(width / 4));
	const room = (facts: string) => width - FRAME - facts.length - shortestLabel;
	const facts = [sizes + speed + left, sizes + speed].find((some) => room(some) >= NARROWEST_BAR);
	if (facts === undefined && room(sizes) < NARROWEST_BAR) {
		return `${cutToWidth(label, width - sizes.length - 1)} ${sizes}`;
	}
	const space = width - FRAME - (facts ?? sizes).length;
	const name = cutToWidth(label, Math.max(shortestLabel, space - USEFUL_BAR));
	const size = Math.min(WIDEST_BAR, space - displayWidth(name));
	const bar = cliProgress.Format.BarFormat(progress, {
		barsize: size,
		barCompleteString: "=".repeat(size),
		barIncompleteString: " ".repeat(size),
		barGlue: ">",
	});
	return `${name}  [${bar}] ${facts ?? sizes}`;
}
