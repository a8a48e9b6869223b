import type { DockerfilePosition } from "../errors.js";
import type { BuildEvent } from "../events.js";
import type { RenderMode } from "./progress-mode.js";
import type { Screen } from "./screen.js";

/** What ended a run. Every RbuildError is one. */
export interface Failure {
	readonly message: string;
	readonly hint?: string | undefined;
	readonly exitCode?: number | undefined;
	/** Last lines of output of the step that failed. */
	readonly logTail?: readonly string[] | undefined;
	/** What failed of the Dockerfile. */
	readonly position?: DockerfilePosition | undefined;
}

/** Events in, screen out. A run ends with the event "done" or with fail(), then close(). */
export interface Renderer {
	handle(event: BuildEvent): void;
	fail(failure: Failure): void;
	/** Leaves the terminal to a question until what is returned is disposed of. Absent where nothing is drawn. */
	pause?(): Disposable;
	/** Leaves the terminal as it was found. May be called at any time, and twice. */
	close(): void;
}

export interface RenderOptions {
	/**
	 * tty: the output of steps stays in the scrollback. plain: every finished layer and every word of
	 * the far side of a delivery gets a line. Both: and so does every file that is sent, as far as it is told.
	 */
	readonly verbose?: boolean | undefined;
	/** tty: what is being done, for the headline; absent: "Building". */
	readonly activity?: string | undefined;
}

/** Loads the one renderer that is needed. */
export async function createRenderer(
	mode: RenderMode,
	screen: Screen,
	options: RenderOptions = {},
): Promise<Renderer> {
	switch (mode) {
		case "tty": {
			const { TtyRenderer } = await import("./tty.js");
			return new TtyRenderer(screen, options);
		}
		case "plain": {
			const { PlainRenderer } = await import("./plain.js");
			return new PlainRenderer(screen, options);
		}
		case "json": {
			const { JsonRenderer } = await import("./json.js");
			return new JsonRenderer(screen);
		}
		case "quiet": {
			const { QuietRenderer } = await import("./quiet.js");
			return new QuietRenderer(screen);
		}
		case "none": {
			const { QuietRenderer } = await import("./quiet.js");
			return new QuietRenderer(screen, { tellsId: false });
		}
	}
}
