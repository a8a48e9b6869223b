import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { BuildFailedError } from "../../../src/errors.js";
import { createRenderer } from "../../../src/render/renderer.js";
import { everyEvent, FakeScreen } from "./fake-screen.js";

const time = "2026-01-02T03:04:05.000Z";

describe("json progress", () => {
	it("prints every event on a line of stderr, as it is and with its time", async () => {
		const screen = new FakeScreen();
		const renderer = await createRenderer("json", screen);
		for (const event of everyEvent) renderer.handle(event);
		renderer.close();
		assert.deepEqual(
			screen.lines.map((line) => JSON.parse(line)),
			everyEvent.map((event) => ({ ...event, time })),
		);
		assert.deepEqual(screen.out, []);
	});

	it("begins each line with type and time", async () => {
		const screen = new FakeScreen();
		const renderer = await createRenderer("json", screen);
		renderer.handle({ type: "warning", message: "old" });
		assert.deepEqual(screen.lines, [`{"type":"warning","time":"${time}","message":"old"}`]);
	});

	it("ends with the error, and with nothing of it that was not promised", async () => {
		const screen = new FakeScreen();
		const renderer = await createRenderer("json", screen);
		const position = { file: "Dockerfile", line: 4, endLine: 5, text: "RUN make \\" };
		const excerpt = [{ line: 4, text: "RUN make \\" }];
		const logTail = ["no rule"];
		const details = { hint: "look at the log", logTail, position: { ...position, excerpt } };
		renderer.fail(new BuildFailedError("make failed", details));
		assert.deepEqual(JSON.parse(screen.lines[0] ?? ""), {
			type: "error",
			time,
			message: "make failed",
			exitCode: 1,
			hint: "look at the log",
			logTail: ["no rule"],
			position,
		});
	});

	it("escapes what a terminal would obey", async () => {
		const screen = new FakeScreen();
		const renderer = await createRenderer("json", screen);
		const text = "\x1b[2J\x9b2J\x7f\u2028\n";
		renderer.handle({ type: "log", stepId: "a", stream: "stdout", text });
		const [line = ""] = screen.lines;
		assert.doesNotMatch(line, /\p{Control}|\u2028/u);
		assert.equal(JSON.parse(line).text, text);
	});
});
