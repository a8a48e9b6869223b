// biome-ignore-all lint/suspicious/noTemplateCurlyInString: that is what a Dockerfile has.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { expandWord, UnresolvableError } from "../../../../src/survey/dockerfile/shell-words.js";

const variables: Readonly<Record<string, string>> = {
	DIR: "src/lib",
	EMPTY: "",
	FILE: "a.test.ts",
	PATHS: "/one/two/three",
	GRÖSSE: "xl",
};

function expand(word: string, escapeMark = "\\"): string {
	return expandWord(word, escapeMark, (name) => variables[name]);
}

describe("a word of a Dockerfile", () => {
	it("loses its quotes and escapes as in a shell", () => {
		const cases = [
			["plain", "plain"],
			["'a b'\"c\"d", "a bcd"],
			["'$DIR'\"$DIR\"", "$DIRsrc/lib"],
			["\\$DIR \\'a", "$DIR 'a"],
			['"\\$DIR\\a\\"\\\\"', '$DIR\\a"\\'],
			["end\\", "end"],
		] as const;
		for (const [word, value] of cases) assert.equal(expand(word), value, word);
		assert.equal(expand("a`$b\\c", "`"), "a$b\\c");
	});

	it("has its variables filled in", () => {
		const cases = [
			["$DIR/x", "src/lib/x"],
			["${DIR}x$EMPTY$NONE.", "src/libx."],
			["$GRÖSSE", "xl"],
			["$1a$$ $ ${1}", "a $ "],
			["${NONE-a}${EMPTY-a}${EMPTY:-b}${DIR:-c}", "absrc/lib"],
			["${NONE+a}${EMPTY+b}${EMPTY:+c}${DIR:+$FILE}", "ba.test.ts"],
			["${NONE:-${EMPTY:-${DIR}}/'}'}", "src/lib/}"],
			["${DIR?}${DIR:?none}", "src/libsrc/lib"],
		] as const;
		for (const [word, value] of cases) assert.equal(expand(word), value, word);
	});

	it("has what fits a pattern taken away or replaced", () => {
		const cases = [
			["${PATHS#*/}", "one/two/three"],
			["${PATHS##*/}", "three"],
			["${PATHS%/*}", "/one/two"],
			["${PATHS%%/*}", ""],
			["${FILE%.test.??}", "a"],
			["${FILE/.test}", "error"],
			["${FILE/.test/}", "a.ts"],
			["${PATHS/o/0}", "/0ne/two/three"],
			["${PATHS//o/0}", "/0ne/tw0/three"],
			["${PATHS//\\//-}", "-one-two-three"],
			["${NONE#x}", ""],
			["${FILE#.}", "a.test.ts"],
		] as const;
		for (const [word, value] of cases) {
			if (value === "error") assert.throws(() => expand(word), SyntaxError, word);
			else assert.equal(expand(word), value, word);
		}
	});

	it("is refused where BuildKit refuses it", () => {
		const words = ["'a", '"a', "${", "${}", "${DIR", "${:-a}", "${DIR:a}", "${DIR:=a}", "${.}"];
		for (const word of [...words, "${NONE?}", "${EMPTY:?is empty}", "${DIR:#a}", "${DIR#\\a}"]) {
			assert.throws(() => expand(word), SyntaxError, word);
		}
	});

	it("is not known where a variable is not, unless nobody looks", () => {
		const unknown = (name: string): string | undefined => {
			if (name === "BASE") throw new UnresolvableError("who knows");
			return variables[name];
		};
		assert.throws(() => expandWord("a$BASE", "\\", unknown), UnresolvableError);
		assert.throws(() => expandWord("${DIR:-$BASE}", "\\", unknown), UnresolvableError);
		assert.equal(expandWord("'$BASE'", "\\", unknown), "$BASE");
	});
});
