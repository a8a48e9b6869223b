import assert from "node:assert/strict";
import { mock, suite, type TestContext, test } from "node:test";
import { BoxConnection } from "../../../../src/build/box/box-connection.js";
import type { Engine } from "../../../../src/engine/engine.js";
import { ConnectionError, EngineError } from "../../../../src/errors.js";
import type { BuildEvent } from "../../../../src/events.js";
import { answers, GREETING, hangsUp, startFakeDaemon } from "../../../support/fake-daemon.js";

/**
 * A connection to a daemon that hangs up on the first requests for /info, or on the first greetings, on a box that
 * turns the first connections away.
 */
async function connected(
	context: TestContext,
	{
		hangUps = 0,
		lostGreetings = 0,
		turnedAway = 0,
		retries = 2,
		abort = false,
		elsewhere = false,
	} = {},
) {
	const controller = new AbortController();
	const events: BuildEvent[] = [];
	let asked = 0;
	let greeted = 0;
	let attempts = 0;
	const daemon = await startFakeDaemon({
		routes: {
			"GET /version": (request, response) => {
				greeted += 1;
				(greeted <= lostGreetings ? hangsUp : GREETING["GET /version"])(request, response);
			},
			"GET /info": (request, response) => {
				asked += 1;
				(asked <= hangUps ? hangsUp : answers({ asked }))(request, response);
			},
		},
	});
	const whileGreeting = mock.fn();
	const place = ({ socketPath }: { socketPath: string }) => ({
		chosen: { target: { kind: "unix" as const, socketPath }, chosenBy: "--on" },
		settings: Promise.resolve(undefined),
	});
	const another = mock.fn(async () => {
		const other = await startFakeDaemon();
		context.after(() => other.stop());
		return place(other);
	});
	const box = new BoxConnection(
		{
			...place(daemon),
			another: elsewhere ? another : undefined,
			retries,
			whileWaiting: () => {
				attempts += 1;
				if (attempts <= turnedAway) throw new ConnectionError("busy", "not at this time");
			},
			whileGreeting,
			delaysMs: [1],
		},
		{
			signal: controller.signal,
			emit: (event) => {
				events.push(event);
				if (abort && event.type === "retry") controller.abort();
			},
		},
	);
	context.after(async () => {
		await box[Symbol.asyncDispose]();
		await daemon.stop();
	});
	const { signal } = controller;
	const info = (engine: Engine) => engine.json({ method: "GET", path: "/info", signal });
	const retried = () => events.flatMap((event) => (event.type === "retry" ? [event.attempt] : []));
	return { box, info, retried, whileGreeting, daemon, another };
}

suite("a connection to the box", () => {
	test("that is lost is made anew, and what was under way is done again", async (context) => {
		const { box, info, retried, whileGreeting } = await connected(context, { hangUps: 2 });
		await box.open();
		assert.deepEqual(await box.keep(info), { asked: 3 });
		assert.deepEqual(retried(), [1, 2]);
		assert.equal(box.retries, 2);
		assert.equal(whileGreeting.mock.callCount(), 3);
	});

	test("counts the bytes of all its connections", async (context) => {
		const { box, info } = await connected(context, { hangUps: 1 });
		await box.open();
		const { sent } = box.wire;
		await box.keep(info);
		assert.ok(box.wire.sent > 2 * sent, `${box.wire.sent} and ${sent} bytes`);
	});

	test("is made anew as often as it may be, through all of a run", async (context) => {
		const { box, info, retried } = await connected(context, { hangUps: 3, retries: 2 });
		await box.open();
		await assert.rejects(box.keep(info), { name: "ConnectionError", failure: "lost" });
		assert.deepEqual(retried(), [1, 2]);
	});

	test("that is lost before the daemon has answered is made anew, too", async (context) => {
		const { box, info, retried, whileGreeting } = await connected(context, { lostGreetings: 2 });
		await box.open();
		assert.deepEqual(retried(), [1, 2]);
		assert.equal(whileGreeting.mock.callCount(), 3);
		assert.deepEqual(await box.keep(info), { asked: 1 });
	});

	test("that a server with too many others turns away is tried again", async (context) => {
		const { box, info, retried } = await connected(context, { turnedAway: 2 });
		await box.open();
		assert.deepEqual(retried(), [1, 2]);
		assert.deepEqual(await box.keep(info), { asked: 1 });
		const never = await connected(context, { turnedAway: 9 });
		await assert.rejects(never.box.open(), { name: "ConnectionError", failure: "busy" });
		assert.deepEqual(never.retried(), [1, 2]);
	});

	test("is made anew as often as it may be, also before the daemon has answered", async (context) => {
		const { box, info, retried } = await connected(context, { lostGreetings: 1, hangUps: 2 });
		await box.open();
		await assert.rejects(box.keep(info), { name: "ConnectionError", failure: "lost" });
		assert.deepEqual(retried(), [1, 2]);
		const never = await connected(context, { lostGreetings: 9, retries: 0 });
		await assert.rejects(never.box.open(), { name: "ConnectionError", failure: "lost" });
		assert.deepEqual(never.retried(), []);
	});

	test("that never came to be is not tried again, nor is what cannot be repeated", async (context) => {
		const { box, info, retried, daemon } = await connected(context, { hangUps: 1 });
		await box.open();
		await assert.rejects(box.keep(info, true), ConnectionError);
		await daemon.stop();
		await assert.rejects(box.open(), ConnectionError);
		assert.deepEqual(retried(), []);
	});

	test("is not made anew for another failure, nor for nobody", async (context) => {
		const { box, info, retried } = await connected(context, { hangUps: 1, abort: true });
		await box.open();
		const refused = new EngineError("no");
		await assert.rejects(
			box.keep(() => Promise.reject(refused)),
			refused,
		);
		assert.deepEqual(retried(), []);
		await assert.rejects(box.keep(info), { name: "InterruptedError" });
	});

	suite("that was only remembered to fit", () => {
		test("leads somewhere else when it is not there, once", async (context) => {
			const { box, daemon, another } = await connected(context, { elsewhere: true });
			await daemon.stop();
			const engine = await box.open();
			assert.equal(another.mock.callCount(), 1);
			assert.notEqual(engine.transport.target, daemon.url);
		});

		test("leads nowhere else when it is there", async (context) => {
			const { box, info, another } = await connected(context, { elsewhere: true, hangUps: 1 });
			await box.open();
			await box.keep(info);
			assert.equal(another.mock.callCount(), 0);
		});
	});
});
