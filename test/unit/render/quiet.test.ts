import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createRenderer } from "../../../src/render/renderer.js";
import { everyEvent, FakeScreen, imageId, report } from "./fake-screen.js";

describe("quiet", () => {
	it("prints the image id on stdout and nothing else", async () => {
		const screen = new FakeScreen();
		const renderer = await createRenderer("quiet", screen);
		for (const event of everyEvent) renderer.handle(event);
		renderer.close();
		assert.deepEqual(screen.out, [`${imageId}\n`]);
		assert.deepEqual(screen.err, []);
	});

	it("prints nothing where there is no image", async () => {
		const screen = new FakeScreen();
		const renderer = await createRenderer("quiet", screen);
		const { imageId: _, ...withoutImage } = report;
		renderer.handle({ type: "done", report: withoutImage });
		assert.deepEqual(screen.out, []);
	});

	it("prints not even the image id for none, but an error", async () => {
		const screen = new FakeScreen();
		const renderer = await createRenderer("none", screen);
		for (const event of everyEvent) renderer.handle(event);
		renderer.fail({ message: "cannot reach x86box" });
		assert.deepEqual([screen.out, screen.lines], [[], ["error: cannot reach x86box"]]);
	});

	it("prints an error on stderr", async () => {
		const screen = new FakeScreen();
		const renderer = await createRenderer("quiet", screen);
		renderer.fail({ message: "cannot reach x86box", hint: "is it up?" });
		assert.deepEqual(screen.lines, ["error: cannot reach x86box", "hint: is it up?"]);
		assert.deepEqual(screen.out, []);
	});
});
