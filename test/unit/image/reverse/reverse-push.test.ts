import assert from "node:assert/strict";
import { test } from "node:test";
import type { Engine } from "../../../../src/engine/engine.js";
import { BlobCache } from "../../../../src/image/cache/blob-cache.js";
import { PushNames } from "../../../../src/image/reverse/push-names.js";
import { reversePush } from "../../../../src/image/reverse/reverse-push.js";

test("a daemon behind the ssh program is not said to be reached without ssh", async () => {
	const push = reversePush(
		{
			engine: { transport: { target: "ssh://box" } } as Engine,
			image: "app",
			expected: {
				diffIds: [],
				config: undefined,
				size: 0,
				unwanted: new Set(),
				missing: new Set(),
			},
			cache: new BlobCache("/nonexistent"),
			names: new PushNames(),
			onBytes() {},
			onLine() {},
		},
		{ emit() {}, signal: new AbortController().signal },
	);
	await assert.rejects(push, {
		name: "NoReversePush",
		message: "that daemon is on another machine, and not reached by rbuild's own ssh client",
	});
});
