import assert from "node:assert/strict";
import { once } from "node:events";
import { type TestContext, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import {
	buildAlone,
	buildInSession,
	STOP_TIMEOUT,
	withSession,
} from "../../../../src/build/session/session-build.js";
import type { Engine, EngineRequest } from "../../../../src/engine/engine.js";
import {
	BuildFailedError,
	ConnectionError,
	EngineError,
	InterruptedError,
} from "../../../../src/errors.js";
import { interrupted } from "../../../../src/interruption.js";
import { duplexPair } from "../../buildkit/duplex-pair.js";

const run = { emit() {}, signal: new AbortController().signal };

/** @param session what comes of POST /session */
function daemon(session: (request: EngineRequest) => Promise<unknown>) {
	const asked: string[] = [];
	let cancel = () => {};
	const cancelled = new Promise<void>((resolve) => {
		cancel = resolve;
	});
	const engine = {
		hijack: session,
		transport: { target: "the box" },
		async request({ path }: EngineRequest) {
			asked.push(path);
			cancel();
			return { body: { resume() {} } };
		},
	} as unknown as Engine;
	return { engine, asked, cancelled };
}

/** As a request that is not answered: fails when it is aborted, and not before. */
function unanswered({ signal }: { readonly signal: AbortSignal }): Promise<never> {
	return new Promise((_, reject) => {
		signal.addEventListener("abort", () => reject(interrupted(signal)));
	});
}

test("a build whose session is refused is cancelled, and has ended when that is told", async () => {
	const refusal = new EngineError("no sessions here");
	const { engine, asked, cancelled } = daemon(async () => {
		throw refusal;
	});
	let ended = false;
	const build = buildInSession(engine, { services: [] }, run, async () => {
		await cancelled;
		await turn();
		ended = true;
		throw new BuildFailedError("context canceled");
	});
	await assert.rejects(build, refusal);
	assert.ok(ended);
	assert.deepEqual(asked, ["/build/cancel"]);
});

test("an interrupted build is over when that is told", async () => {
	for (const outcome of ["done", "failed"]) {
		const { engine, asked, cancelled } = daemon(unanswered);
		const user = new AbortController();
		const reason = new InterruptedError("Ctrl-C");
		let ended = false;
		const build = buildAlone(engine, { ...run, signal: user.signal }, async (_ids, run) => {
			assert.equal(run.sending, user.signal);
			user.abort(reason);
			await cancelled;
			await turn();
			ended = true;
			if (outcome === "failed") throw new BuildFailedError("context canceled");
		});
		await assert.rejects(build, reason);
		assert.ok(ended);
		assert.deepEqual(asked, ["/build/cancel"]);
	}
});

test("an interrupted build is waited for only while it may come to its end", async (t: TestContext) => {
	t.mock.timers.enable({ apis: ["setTimeout"] });
	const deaf = daemon(unanswered).engine;
	const unable = { request: () => Promise.reject(new EngineError("404")) } as unknown as Engine;
	for (const engine of [deaf, unable]) {
		const user = new AbortController();
		const wait = (_ids: unknown, run: { readonly signal: AbortSignal }) => unanswered(run);
		const build = buildAlone(engine, { ...run, signal: user.signal }, wait);
		const reason = new InterruptedError("Ctrl-C");
		const rejected = assert.rejects(build, reason);
		user.abort(reason);
		if (engine === deaf) t.mock.timers.tick(STOP_TIMEOUT);
		await rejected;
	}
});

test("a session that is still asked for when the work has failed is not waited for", async () => {
	const { engine } = daemon(unanswered);
	const failure = new EngineError("the frontend is too old");
	const work = withSession(engine, { services: [] }, run, async () => {
		throw failure;
	});
	await assert.rejects(work, failure);
});

test("the session ends with the work, whatever comes of that", async () => {
	for (const outcome of ["done", "failed"]) {
		const [ours] = duplexPair();
		const { engine } = daemon(async () => ours);
		const work = withSession(engine, { services: [] }, run, async () => {
			await turn();
			assert.equal(ours.destroyed, false);
			if (outcome === "failed") throw new EngineError(outcome);
			return outcome;
		});
		assert.equal(await work.catch((error: Error) => error.message), outcome);
		assert.equal(ours.destroyed, true);
	}
});

test("a build that fails without its session has lost a connection, and may be done again", async () => {
	for (const isLost of [true, false]) {
		const [ours, theirs] = duplexPair();
		const { engine } = daemon(async () => ours);
		const failure = new BuildFailedError("[internal] load build context failed: EOF");
		const work = withSession(engine, { services: [] }, run, async () => {
			await turn();
			if (isLost) {
				theirs.destroy();
				await once(ours, "close");
				await turn();
			}
			throw failure;
		});
		await assert.rejects(work, (error: unknown) => {
			if (!isLost) return error === failure;
			assert.ok(error instanceof ConnectionError);
			assert.equal(error.failure, "lost");
			assert.equal(error.message, `lost the session with the box: ${failure.message}`);
			return true;
		});
	}
});

test("a run that is interrupted interrupts the session and the work", async () => {
	const user = new AbortController();
	const { engine } = daemon(unanswered);
	const signal = user.signal;
	const work = withSession(engine, { services: [] }, { ...run, signal }, async (_id, run) =>
		unanswered(run),
	);
	const reason = new InterruptedError("Ctrl-C");
	user.abort(reason);
	await assert.rejects(work, reason);
});
