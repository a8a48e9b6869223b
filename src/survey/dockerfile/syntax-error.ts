/** Where a Dockerfile is not one, as far as this reader can tell. */
export class DockerfileSyntaxError extends Error {
	/** Both counted from 1. */
	readonly line: number;
	readonly column: number;

	constructor(line: number, column: number, message: string) {
		super(message);
		this.line = line;
		this.column = column;
	}
}
