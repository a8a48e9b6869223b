import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { watchSilence } from "../../../../src/transport/ssh/silence-watch.js";

suite("watchSilence", () => {
	test("speaks up once, within 30 s of the last byte", (t) => {
		t.mock.timers.enable({ apis: ["setInterval"] });
		let received = 0;
		let silences = 0;
		watchSilence(
			() => received,
			() => silences++,
		);
		t.mock.timers.tick(20_000);
		received++;
		t.mock.timers.tick(20_000);
		assert.equal(silences, 0, "a byte starts the count again");
		t.mock.timers.tick(10_000);
		assert.equal(silences, 1);
		t.mock.timers.tick(60_000);
		assert.equal(silences, 1);
	});

	test("is quiet once ended", (t) => {
		t.mock.timers.enable({ apis: ["setInterval"] });
		const end = watchSilence(
			() => 0,
			() => assert.fail("it was ended"),
		);
		end();
		t.mock.timers.tick(60_000);
	});
});
