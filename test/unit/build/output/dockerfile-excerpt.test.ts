import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { dockerfileExcerpt } from "../../../../src/build/output/dockerfile-excerpt.js";

const numbers = (excerpt: ReturnType<typeof dockerfileExcerpt>) => excerpt.map(({ line }) => line);

describe("the excerpt of a Dockerfile", () => {
	it("has two lines before and after the instruction, where there are any", () => {
		const lines = ["FROM a", "ENV b=1", "RUN c", "RUN d \\", "  e", "RUN f", "RUN g", "RUN h"];
		assert.deepEqual(numbers(dockerfileExcerpt(lines, 4, 5)), [2, 3, 4, 5, 6, 7]);
		assert.deepEqual(dockerfileExcerpt(lines, 1, 1), [
			{ line: 1, text: "FROM a" },
			{ line: 2, text: "ENV b=1" },
			{ line: 3, text: "RUN c" },
		]);
		assert.deepEqual(numbers(dockerfileExcerpt(lines, 8, 8)), [6, 7, 8]);
	});

	it("neither begins nor ends with a blank line, but for one of the instruction", () => {
		const lines = ["FROM a", "", "RUN <<EOF", "", "EOF", " ", ""];
		assert.deepEqual(numbers(dockerfileExcerpt(lines, 3, 5)), [1, 2, 3, 4, 5]);
		assert.deepEqual(numbers(dockerfileExcerpt(["FROM a", "", "", "RUN b"], 4, 4)), [4]);
	});

	it("has the beginning of a long instruction", () => {
		const script = Array.from({ length: 200 }, (_, at) => `echo ${at}`);
		const lines = ["FROM a", "RUN <<EOF", ...script, "EOF", "RUN b"];
		assert.deepEqual(
			numbers(dockerfileExcerpt(lines, 2, 203)),
			Array.from({ length: 13 }, (_, at) => at + 1),
		);
	});
});
