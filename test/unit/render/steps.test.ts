import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { liveSteps } from "../../../src/render/live/live-steps.js";
import { Steps } from "../../../src/render/steps.js";

const step = (id: string) => ({ type: "step", id, name: `RUN ${id}` }) as const;
const log = (stepId: string, text: string) =>
	({ type: "log", stepId, stream: "stdout", text }) as const;

describe("Steps", () => {
	it("numbers steps in the order in which they are heard of", () => {
		const steps = new Steps();
		steps.update({ ...step("a"), status: "started" }, 0);
		steps.log(log("b", "x\n"), 0);
		steps.update({ ...step("b"), status: "started" }, 0);
		assert.deepEqual(
			steps.all.map(({ number, name }) => [number, name]),
			[
				[1, "RUN a"],
				[2, "RUN b"],
			],
		);
	});

	it("counts from the first start of an interval, and anew when a step runs again", () => {
		const steps = new Steps();
		steps.update({ ...step("a"), status: "started" }, 100);
		assert.equal(steps.update({ ...step("a"), status: "started" }, 200).startedAt, 100);
		steps.update({ ...step("a"), status: "done", durationMs: 200 }, 300);
		assert.equal(steps.update({ ...step("a"), status: "started" }, 400).startedAt, 400);
	});

	it("forgets a layer that is complete", () => {
		const steps = new Steps();
		const pull = { ...step("a"), status: "progress", total: 10 } as const;
		steps.update({ ...pull, item: "one", current: 5 }, 0);
		const { items } = steps.update({ ...pull, item: "two", current: 5 }, 0);
		steps.update({ ...pull, item: "one", current: 10 }, 0);
		assert.deepEqual([...items], [["two", { current: 5, total: 10 }]]);
	});
});

describe("live steps", () => {
	it("give the room to the step that spoke last", () => {
		const steps = new Steps();
		for (const id of ["a", "b"]) steps.update({ ...step(id), status: "started" }, 0);
		steps.log(log("b", "b1\nb2\n"), 1);
		steps.log(log("a", "a1\na2\n"), 2);
		const lines = (room: number) =>
			liveSteps(steps.running, { width: 20, room, now: 500 }, String).map(({ text }) => text);
		assert.deepEqual(lines(5), [
			" => RUN a       0.5s",
			" => => # a1",
			" => => # a2",
			" => RUN b       0.5s",
			" => => # b2",
		]);
		assert.deepEqual(lines(2), [" => RUN a       0.5s", " => RUN b       0.5s"]);
		assert.deepEqual(lines(1), [" => and 2 more"]);
	});

	it("show layers that are pulled, by their short digests", () => {
		const steps = new Steps();
		const item = `sha256:${"ab12".repeat(16)}`;
		steps.update({ ...step("a"), status: "started" }, 0);
		steps.update({ ...step("a"), status: "progress", item, current: 5, total: 10 }, 0);
		assert.equal(
			liveSteps(steps.running, { width: 80, room: 9, now: 0 }, String)[1]?.text,
			" => => sha256:ab12ab12ab12 5 B of 10 B",
		);
	});
});
