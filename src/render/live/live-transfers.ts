import type { DeliveredLayer } from "../../events.js";
import { isAbout } from "../platform-names.js";
import { layerLines } from "./live-layers.js";
import type { LiveLine } from "./live-region.js";
import { type LiveTransfer, progressBar } from "./progress-bar.js";
import { TransferMeter } from "./transfer-meter.js";

/** The uploads and deliveries that go on, by the keys of their news. */
export class LiveTransfers {
	readonly #transfers = new Map<string, LiveTransfer>();
	/** Of images that are brought here, by transfer and layer. */
	readonly #layers = new Map<string, Map<string, DeliveredLayer>>();

	update(key: string, transfer: Omit<LiveTransfer, "meter">, now: number): void {
		const meter = this.#transfers.get(key)?.meter ?? new TransferMeter(now);
		meter.update(transfer.bytes, now);
		this.#transfers.set(key, { ...transfer, meter });
	}

	/** Those that are on their way have a line of their own. */
	layer(key: string, layer: DeliveredLayer): void {
		const layers = this.#layers.get(key) ?? new Map<string, DeliveredLayer>();
		this.#layers.set(key, layers.set(layer.id, layer));
	}

	/** @returns when it began, if it was heard of */
	end(key: string): number | undefined {
		const startedAt = this.#transfers.get(key)?.meter.startedAt;
		this.#transfers.delete(key);
		this.#layers.delete(key);
		return startedAt;
	}

	/** What begins again, or will not go on. @param platforms absent: all */
	forget(platforms: string | undefined): void {
		for (const key of this.#transfers.keys()) if (isAbout(key, platforms)) this.end(key);
	}

	lines(width: number, now: number, paint: (text: string) => string): readonly LiveLine[] {
		return [...this.#transfers].flatMap(([key, transfer]) => [
			{ text: ` => ${progressBar(transfer, width - 4, now)}`, paint },
			...layerLines([...(this.#layers.get(key)?.values() ?? [])], width, now),
		]);
	}
}
