import assert from "node:assert/strict";
import { test } from "node:test";
import { identifyImage } from "../../../../src/image/deliveries/image-identity.js";
import { fakeEngine } from "../fake-engine.js";

test("an image is asked for by its name as a path has it", async () => {
	const asked: string[] = [];
	const engine = fakeEngine(({ path }) => {
		asked.push(path);
		return { Id: "a".repeat(64) };
	});
	const { signal } = new AbortController();
	const { id } = await identifyImage(engine, "localhost:5000/team/app:1", signal);
	await identifyImage(engine, "a?b#c d", signal);
	assert.equal(id, `sha256:${"a".repeat(64)}`);
	assert.deepEqual(asked, ["/images/localhost:5000/team/app:1/json", "/images/a%3Fb%23c%20d/json"]);
});
