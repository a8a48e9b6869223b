import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { imageCache } from "../../../src/build/image-cache.js";

const user = { homeDirectory: "/home/me", userName: "me", workingDirectory: "/home/me" };

function limitFor(size?: string): number {
	return imageCache({ ...user, platform: "linux", variables: { RBUILD_CACHE_SIZE: size } }).limit;
}

describe("the cache of images", () => {
	it("grows to what RBUILD_CACHE_SIZE says, in powers of 1024", () => {
		assert.deepEqual([undefined, "", "5g", "512MiB"].map(limitFor), [
			20 * 2 ** 30,
			20 * 2 ** 30,
			5 * 2 ** 30,
			512 << 20,
		]);
		assert.throws(() => limitFor("much"), {
			name: "UsageError",
			message: 'RBUILD_CACHE_SIZE "much" is not a size',
		});
	});
});
