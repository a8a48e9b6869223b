/** How a text is to look. */
export interface TextStyle {
	readonly color: boolean;
	/** Cells of a terminal's line; Infinity where lines may be of any length. */
	readonly width: number;
	/** Levels of directories that are shown. */
	readonly depth: number;
	/** Lines that a list or tree may have; Infinity for all of them. */
	readonly top: number;
}
