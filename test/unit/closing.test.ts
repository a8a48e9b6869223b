import assert from "node:assert/strict";
import { test } from "node:test";
import { Closing, closeAll } from "../../src/closing.js";

/** Things that note that they were closed, some of which fail at it. */
function things(...failing: string[]) {
	const closed: string[] = [];
	const thing = (name: string): AsyncDisposable => ({
		async [Symbol.asyncDispose]() {
			closed.push(name);
			if (failing.includes(name)) throw new Error(`${name} is stuck`);
		},
	});
	return { closed, thing };
}

test("what was opened is closed at the end of a run, the last first", async () => {
	const { closed, thing } = things();
	{
		await using closing = new Closing();
		for (const name of ["context", "box"]) closing.use(thing(name));
		assert.deepEqual(closed, []);
	}
	assert.deepEqual(closed, ["box", "context"]);
});

test("what cannot be closed leaves nothing else open, and is told when all else is closed", async () => {
	const { closed, thing } = things("box", "cache");
	const closing = new Closing();
	for (const name of ["context", "cache", "box"]) closing.use(thing(name));
	await assert.rejects(closing[Symbol.asyncDispose](), { message: "box is stuck" });
	assert.deepEqual(closed, ["box", "cache", "context"]);
});

test("what was not opened need not be closed", async () => {
	const { closed, thing } = things();
	await closeAll([thing("engine"), undefined, thing("transport")]);
	assert.deepEqual(closed, ["engine", "transport"]);
});
