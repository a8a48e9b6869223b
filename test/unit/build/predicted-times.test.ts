import assert from "node:assert/strict";
import { suite, test } from "node:test";
import {
	isSyncFaster,
	predictTimes,
	type TransferOutlook,
} from "../../../src/build/predicted-times.js";

const tiny = { files: 3, bytes: 2_400 };
const source = { files: 2_001, bytes: 19_500_000 };
const monorepo = { files: 20_002, bytes: 116_000_000 };

function isSync(context: { files: number; bytes: number }, more: Partial<TransferOutlook> = {}) {
	const outlook = { usesAll: true, isKnown: false, roundTripMs: 0.5, linkSpeed: undefined };
	return isSyncFaster(predictTimes({ ...outlook, ...context, ...more }));
}

suite("the predicted times of the transfers", () => {
	test("favour the tar for a few small files, the more the farther the box is", () => {
		assert.equal(isSync(tiny), false);
		assert.equal(isSync(tiny, { roundTripMs: 50 }), false);
		assert.equal(isSync({ files: 200, bytes: 2e6 }, { roundTripMs: 1 }), true);
		assert.equal(isSync({ files: 200, bytes: 2e6 }, { roundTripMs: 50 }), false);
	});

	test("favour the sync for whole projects, near and far", () => {
		for (const context of [source, monorepo, { files: 3, bytes: 1.3e9 }]) {
			for (const roundTripMs of [0.5, 20, 50]) {
				assert.equal(
					isSync(context, { roundTripMs }),
					true,
					JSON.stringify({ context, roundTripMs }),
				);
			}
		}
	});

	test("know that a slow link makes small things large", () => {
		const some = { files: 20, bytes: 400_000 };
		assert.equal(isSync(some, { roundTripMs: 20 }), false);
		assert.equal(isSync(some, { roundTripMs: 20, linkSpeed: 125 }), true);
	});

	test("count a copy that is there, and that parts are less than the whole", () => {
		const far = { roundTripMs: 200 };
		const times = predictTimes({
			...source,
			...far,
			usesAll: true,
			isKnown: false,
			linkSpeed: undefined,
		});
		const known = predictTimes({
			...source,
			...far,
			usesAll: true,
			isKnown: true,
			linkSpeed: undefined,
		});
		assert.ok(times.sync > times.tar);
		assert.equal(isSyncFaster(times), false);
		assert.equal(known.sync, known.nextSync);
		assert.equal(isSyncFaster(known), true);
		assert.equal(isSync(source, { ...far, usesAll: false }), true);
	});
});
