import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { after, before, mock, suite, test } from "node:test";
import { isFarBox } from "../../../../src/build/transfer/far-box.js";
import type { Engine } from "../../../../src/engine/engine.js";

const signal = new AbortController().signal;
const LARGE = 100_000_000;

/** Milliseconds, by a clock that stands still but while a box is asked. */
let now = 0;

/** A box that looked so far when it was reached, and answers after so many milliseconds each time. */
function box(roundTripMs: number, answers: readonly number[]) {
	const left = [...answers];
	const engine = {
		roundTripMs,
		async request() {
			now += left.shift() ?? assert.fail("it is asked too often");
			return { status: 200, headers: {}, body: Readable.from(["OK"]) };
		},
	};
	return { engine: engine as unknown as Engine, left };
}

suite("whether a box is far", () => {
	before(() => mock.method(performance, "now", () => now));
	after(() => mock.restoreAll());

	test("is asked again where it was busy at first", async () => {
		const { engine, left } = box(30, [50, 0, 0]);
		assert.equal(await isFarBox(engine, LARGE, signal), false);
		assert.deepEqual(left, [0]);
	});

	test("is believed after three tries", async () => {
		const { engine, left } = box(30, [25, 25, 25]);
		assert.equal(await isFarBox(engine, LARGE, signal), true);
		assert.deepEqual(left, []);
	});

	test("is not asked where it is clear, or does not matter", async () => {
		assert.equal(await isFarBox(box(2, []).engine, LARGE, signal), false);
		assert.equal(await isFarBox(box(60, []).engine, LARGE, signal), true);
		assert.equal(await isFarBox(box(30, []).engine, 1000, signal), true);
		assert.equal(await isFarBox(box(30, []).engine, undefined, signal), true);
	});
});
