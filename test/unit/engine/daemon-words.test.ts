import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { wordsOnOneLine } from "../../../src/engine/daemon-words.js";

const PAGE = `<!DOCTYPE html>\n<html><body>${"<p>not here</p>\n".repeat(200)}</body></html>`;

suite("what a daemon says, on one line", () => {
	test("is without the page of a web server that it quotes", () => {
		for (const words of [`status 404 Not Found: ${PAGE}`, `status 404 Not Found: "${PAGE}"\n`]) {
			assert.equal(wordsOnOneLine(words), "status 404 Not Found");
		}
	});

	test("is what stands in such a page where there is nothing else", () => {
		assert.equal(wordsOnOneLine("<html><h1>502 Bad\nGateway</h1></html>"), "502 Bad Gateway");
	});

	test("keeps its beginning and its last reason where it is too long", () => {
		const line = wordsOnOneLine(`cannot get ${"x".repeat(2000)}:\n timed out`);
		assert.match(line, /^cannot get x+…x+: timed out$/);
		assert.equal(line.length, 501);
		assert.equal(wordsOnOneLine("pull <none>: is\n  gone"), "pull <none>: is gone");
	});
});
