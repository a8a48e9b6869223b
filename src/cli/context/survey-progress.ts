import { formatCount } from "../../render/format.js";
import { LiveRegion } from "../../render/live/live-region.js";
import { processScreen } from "../process/screen.js";

/** What takes less is not worth a line, in milliseconds. */
const SHORT_MS = 1000;

interface SurveyProgress {
	show(paths: number): void;
	/** Takes the line away. */
	close(): void;
}

/** A line on the terminal, where there is one and the survey takes longer than a second. */
export function surveyProgress(): SurveyProgress {
	const screen = processScreen(undefined);
	if (!screen.isTTY || process.env.TERM === "dumb") return { show() {}, close() {} };
	const region = new LiveRegion(screen);
	const start = screen.now();
	return {
		show(paths) {
			if (screen.now() - start < SHORT_MS) return;
			region.draw([{ text: `looking into the context: ${formatCount(paths)} paths` }]);
		},
		close: () => region.draw([]),
	};
}
