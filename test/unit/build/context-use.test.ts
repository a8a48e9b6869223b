import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { usesWholeContext } from "../../../src/build/context-use.js";

const cases: readonly (readonly [whole: boolean, dockerfile: string, target?: string])[] = [
	[true, "FROM a\nCOPY . ."],
	[true, "from a\ncopy --chown=1:1 ./ /app/"],
	[true, 'FROM a\nADD ["." , "/app"]'],
	[true, "FROM a\nCOPY a \\\n  # why\n  . /app"],
	[true, "FROM a\nRUN --mount=type=bind,target=/src make"],
	[false, "FROM a\nRUN --mount=type=bind,source=src,target=/src make"],
	[false, "FROM a\nRUN --mount=type=cache,target=/src make"],
	[false, "FROM a\nCOPY src /app\nCOPY a b ."],
	[false, "FROM a AS b\nCOPY . .\nFROM c\nCOPY x ."],
	[true, "FROM a AS b\nCOPY . .\nFROM c\nCOPY x .\nCOPY --from=b /out ."],
	[true, "FROM a AS B\nCOPY . .\nFROM b"],
	[true, "FROM a\nCOPY . .\nFROM c\nRUN --mount=from=0,target=/x true"],
	[false, "FROM a AS b\nCOPY --from=b . .\nFROM b"],
	[true, "FROM a AS b\nCOPY . .\nFROM c", "B"],
	[false, "FROM a AS b\nCOPY x .\nFROM b\nCOPY . .", "b"],
	[true, "FROM a\nCOPY . .\nFROM b", "0"],
	[false, "FROM a\nCOPY x .", "gone"],
	[false, ""],
];

describe("a Dockerfile", () => {
	for (const [whole, dockerfile, target] of cases) {
		const what = `${JSON.stringify(dockerfile)}${target === undefined ? "" : ` for ${target}`}`;
		it(`asks for ${whole ? "all" : "parts"} of the context: ${what}`, async () => {
			assert.equal(await usesWholeContext(dockerfile, target), whole);
		});
	}
});
