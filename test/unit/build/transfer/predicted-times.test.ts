import assert from "node:assert/strict";
import { suite, test } from "node:test";
import {
	isSyncFaster,
	leastSyncTime,
	predictTimes,
	type TransferOutlook,
} from "../../../../src/build/transfer/predicted-times.js";
import type { PartTotals } from "../../../../src/context/entries/part-of-context.js";

const tiny = { files: 3, bytes: 2_400 };
const source = { files: 2_001, bytes: 19_500_000 };
const monorepo = { files: 20_002, bytes: 116_000_000 };

function times(tar: PartTotals, more: Partial<TransferOutlook> = {}) {
	const outlook = { tar, sync: tar, isKnown: false, roundTripMs: 0.5, linkSpeed: undefined };
	return predictTimes({ ...outlook, ...more });
}

function isSync(tar: PartTotals, more: Partial<TransferOutlook> = {}) {
	return isSyncFaster(times(tar, more));
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

	test("know that a first sync begins slowly on a long link, which a small one does not make up for", () => {
		const part = { files: 1_002, bytes: 4_860_000 };
		assert.equal(isSync(part, { roundTripMs: 20 }), true);
		assert.equal(isSync(part, { roundTripMs: 50 }), false);
		assert.equal(isSync(part, { roundTripMs: 50, isKnown: true }), true);
		const { sync, nextSync } = times(part, { roundTripMs: 100 });
		assert.ok(sync - nextSync > 6 * 100);
	});

	test("know that a slow link makes small things large", () => {
		const some = { files: 20, bytes: 400_000 };
		assert.equal(isSync(some, { roundTripMs: 20 }), false);
		assert.equal(isSync(some, { roundTripMs: 20, linkSpeed: 125 }), true);
	});

	test("keep to the copy that is there, whatever a round trip takes this time", () => {
		const small = { files: 24, bytes: 2e6 };
		const near = { linkSpeed: 100_000 };
		assert.equal(isSync(small, { ...near, roundTripMs: 0.5 }), true);
		assert.equal(isSync(small, { ...near, roundTripMs: 6 }), false);
		for (const roundTripMs of [0.5, 3, 9]) {
			assert.equal(isSync(small, { ...near, roundTripMs, isKnown: true }), true);
		}
		assert.equal(isSync(small, { ...near, roundTripMs: 40, isKnown: true }), false);
	});

	test("count a copy that is there, and that parts are less than the whole", () => {
		const far = { roundTripMs: 50 };
		const some = { files: 400, bytes: 2e6 };
		const unknown = times(some, far);
		const known = times(some, { ...far, isKnown: true });
		assert.ok(unknown.sync > unknown.tar);
		assert.equal(isSyncFaster(unknown), false);
		assert.equal(known.sync, known.nextSync);
		assert.equal(isSyncFaster(known), true);
		assert.equal(isSync(source, { ...far, sync: tiny }), true);
	});

	test("and the least of them count the window that opens slowly, which is not the link's fault", () => {
		const [far, near] = [50, 0.5].map((roundTripMs) => leastSyncTime(source, roundTripMs));
		// Three of a sync, and two for each window until 2 MiB are on their way.
		assert.equal(Math.round(((far as number) - (near as number)) / 49.5), 9);
	});
});
