import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { InterruptedError } from "../../../../src/errors.js";
import { SessionGate } from "../../../../src/transport/ssh/session-gate.js";

const never = new AbortController().signal;

suite("SessionGate", () => {
	test("lets the next one in when one leaves, in order", async () => {
		const gate = new SessionGate(2);
		const order: number[] = [];
		const entries = [1, 2, 3, 4].map(async (each) => {
			const place = await gate.enter(never);
			order.push(each);
			return place;
		});
		await turn();
		assert.deepEqual(order, [1, 2]);
		const place = await entries[0];
		place?.leave();
		place?.leave();
		await turn();
		assert.deepEqual(order, [1, 2, 3], "leaving twice frees one place");
		(await entries[1])?.leave();
		await turn();
		assert.deepEqual(order, [1, 2, 3, 4]);
	});

	test("gives up waiting when interrupted, without taking a place", async () => {
		const gate = new SessionGate(1);
		const place = await gate.enter(never);
		const interruption = new AbortController();
		const waiting = gate.enter(interruption.signal);
		interruption.abort();
		await assert.rejects(waiting, InterruptedError);
		place.leave();
		await gate.enter(never);
		await assert.rejects(gate.enter(AbortSignal.abort()), InterruptedError);
	});

	test("learns from a refusal that there are only as many places as are taken", async () => {
		const gate = new SessionGate(8);
		const first = await gate.enter(never);
		const second = await gate.enter(never);
		assert.equal(second.refused(), 1);
		assert.ok(gate.isFull);
		const waiting = gate.enter(never);
		first.leave();
		const next = await waiting;
		assert.ok(gate.isFull);
		assert.equal(next.refused(), 0, "one place there must be");
		assert.ok(!gate.isFull);
	});
});
