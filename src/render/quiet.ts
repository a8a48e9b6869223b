import picocolors from "picocolors";
import type { BuildEvent } from "../events.js";
import { failureLines } from "./failure.js";
import type { Failure, Renderer } from "./renderer.js";
import { type Screen, stderrWidth } from "./screen.js";

/**
 * -q: the full image id on stdout, where there is an image, and on stderr nothing but an error. Without
 * `tellsId`, for --progress none, stdout stays empty.
 */
export class QuietRenderer implements Renderer {
	readonly #screen: Screen;
	readonly #tellsId: boolean;

	constructor(screen: Screen, { tellsId = true } = {}) {
		this.#screen = screen;
		this.#tellsId = tellsId;
	}

	handle(event: BuildEvent): void {
		if (!this.#tellsId) return;
		const imageId = event.type === "done" ? event.report.imageId : undefined;
		if (imageId !== undefined) this.#screen.stdout.write(`${imageId}\n`);
	}

	fail(failure: Failure): void {
		const colors = picocolors.createColors(this.#screen.color);
		const lines = failureLines(failure, colors, stderrWidth(this.#screen));
		this.#screen.stderr.write(`${lines.join("\n")}\n`);
	}

	close(): void {}
}
