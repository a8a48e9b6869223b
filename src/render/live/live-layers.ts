import type { DeliveredLayer } from "../../events.js";
import { printableName } from "../../printable.js";
import { cutToWidth } from "../display-width.js";
import type { LiveLine } from "./live-region.js";
import { progressBar } from "./progress-bar.js";
import { TransferMeter } from "./transfer-meter.js";

/** Layers that are on their way at once: daemons push five. */
const MOST = 5;

/** A bar for each layer that moves, and how many are done with. */
export function layerLines(
	layers: readonly DeliveredLayer[],
	width: number,
	now: number,
): readonly LiveLine[] {
	const moving = layers.filter(({ state }) => state === "moving").slice(0, MOST);
	const count = (state: DeliveredLayer["state"]) =>
		layers.filter((layer) => layer.state === state).length;
	const counts = [
		...(count("here") > 0 ? [`${count("here")} already here`] : []),
		...(count("there") > 0 ? [`${count("there")} already there`] : []),
		...(count("done") > 0 ? [`${count("done")} done`] : []),
		...(count("waiting") > 0 ? [`${count("waiting")} waiting`] : []),
	];
	return [
		...moving.map(({ id, bytes, totalBytes }) => {
			const label = `layer ${printableName(id)}`;
			// The rate of the whole stands above: a layer's own is that of its uncompressed content.
			const bar = { label, bytes, totalBytes, meter: new TransferMeter(now) };
			return { text: ` => => ${progressBar(bar, width - 7, now)}` };
		}),
		...(counts.length > 0
			? [{ text: cutToWidth(` => => layers: ${counts.join(", ")}`, width) }]
			: []),
	];
}
