import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { suite, test } from "node:test";
import type { Client } from "ssh2";
import { InterruptedError } from "../../../../src/errors.js";
import { forwardFromServer } from "../../../../src/transport/ssh/reverse-forward.js";
import { ListenRefusal } from "../../../../src/transport/transport.js";

type Answer = (error: Error | undefined, port: number) => void;

/** A server that answers when it is told to. */
function server() {
	const asked: Answer[] = [];
	const closed: number[] = [];
	const client = Object.assign(new EventEmitter(), {
		forwardIn: (_host: string, _port: number, answer: Answer) => void asked.push(answer),
		unforwardIn: (_host: string, port: number, done: () => void) => {
			closed.push(port);
			done();
		},
	});
	const listen = (signal: AbortSignal) =>
		forwardFromServer(client as unknown as Client, "box", () => {}, signal);
	return { client, asked, closed, listen };
}

const never = new AbortController().signal;

suite("a port of the server's", () => {
	test("is open until it is disposed of", async () => {
		const { client, asked, closed, listen } = server();
		const listening = listen(never);
		asked[0]?.(undefined, 4711);
		const port = await listening;
		assert.equal(port.port, 4711);
		assert.equal(client.listenerCount("tcp connection"), 1);
		await port[Symbol.asyncDispose]();
		assert.deepEqual(closed, [4711]);
		assert.equal(client.listenerCount("tcp connection"), 0);
	});

	test("is closed at once when it comes too late", async (t) => {
		t.mock.timers.enable({ apis: ["setTimeout"] });
		const { client, asked, closed, listen } = server();
		const listening = listen(never);
		t.mock.timers.tick(15_000);
		await assert.rejects(listening, ListenRefusal);
		const run = new AbortController();
		const interrupted = listen(run.signal);
		run.abort();
		await assert.rejects(interrupted, InterruptedError);
		for (const [index, answer] of asked.entries()) answer(undefined, index + 1);
		assert.deepEqual(closed, [1, 2]);
		assert.equal(client.listenerCount("tcp connection"), 0);
	});

	test("is not asked for in a run that was interrupted", async () => {
		const { asked, listen } = server();
		await assert.rejects(listen(AbortSignal.abort()), InterruptedError);
		assert.deepEqual(asked, []);
	});
});
