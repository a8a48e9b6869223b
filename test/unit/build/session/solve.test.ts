import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { create } from "@bufbuild/protobuf";
import { STOP_TIMEOUT } from "../../../../src/build/session/session-build.js";
import { solve } from "../../../../src/build/session/solve.js";
import type { Control, SolveRequest } from "../../../../src/buildkit/control.js";
import { StatusResponseSchema } from "../../../../src/buildkit/proto/gen/trace_pb.js";
import { InterruptedError } from "../../../../src/errors.js";
import type { BuildEvent } from "../../../../src/events.js";
import { interrupted } from "../../../../src/interruption.js";

const reason = new InterruptedError("Ctrl-C");
const request = { ref: "r" } as SolveRequest;

/** A build that tells of a step for each call of `tell`, and goes on until the call of `end`. */
function daemon() {
	const events: (string | undefined)[] = [];
	let wake = () => {};
	const add = (step: string | undefined) => {
		events.push(step);
		wake();
	};
	const control = {
		solve: (_request: SolveRequest, signal: AbortSignal) =>
			new Promise((_, reject) => {
				signal.addEventListener("abort", () => reject(interrupted(signal)));
			}),
		async *status(_ref: string, signal: AbortSignal) {
			for (;;) {
				while (events.length > 0) {
					const name = events.shift();
					if (name === undefined) return;
					const started = { seconds: 1n, nanos: 0 };
					yield create(StatusResponseSchema, { vertexes: [{ digest: name, name, started }] });
				}
				await new Promise<void>((resolve, reject) => {
					wake = resolve;
					if (signal.aborted) reject(interrupted(signal));
					signal.addEventListener("abort", () => reject(interrupted(signal)));
				});
			}
		},
	} as unknown as Control;
	return { control, tell: (step: string) => add(step), end: () => add(undefined) };
}

/** @param told how many steps the daemon has told of when the build is interrupted */
async function interruptedSolve(told: number) {
	const box = daemon();
	const user = new AbortController();
	const news: BuildEvent[] = [];
	const emit = (event: BuildEvent) => void news.push(event);
	let over = false;
	const build = solve(box.control, request, undefined, { emit, signal: user.signal }).finally(
		() => {
			over = true;
		},
	);
	build.catch(() => {});
	for (let step = 0; step < told; step++) box.tell(`step ${step}`);
	await turn();
	user.abort(reason);
	await turn();
	const toldSteps = () => [
		...new Set(news.flatMap((event) => (event.type === "step" ? [event.name] : []))),
	];
	return { ...box, build, toldSteps, isOver: () => over };
}

test("an interrupted build has ended on the daemon when that is told", async () => {
	const { build, tell, end, toldSteps, isOver } = await interruptedSolve(1);
	tell("exporting to image");
	await turn();
	assert.equal(isOver(), false);
	end();
	await assert.rejects(build, reason);
	assert.deepEqual(toldSteps(), ["step 0", "exporting to image"]);
});

test("an interrupted build that has not begun is not waited for", async () => {
	const { build } = await interruptedSolve(0);
	await assert.rejects(build, reason);
});

test("an interrupted build that does not end is waited for no longer than that", async (t: TestContext) => {
	t.mock.timers.enable({ apis: ["setTimeout"] });
	const { build, tell, isOver } = await interruptedSolve(1);
	t.mock.timers.tick(STOP_TIMEOUT - 1);
	tell("exporting to image");
	await turn();
	assert.equal(isOver(), false);
	t.mock.timers.tick(1);
	await assert.rejects(build, reason);
});
