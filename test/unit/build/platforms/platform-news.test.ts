import assert from "node:assert/strict";
import { test } from "node:test";
import { failureOf, runFor } from "../../../../src/build/platforms/platform-news.js";
import { BuildFailedError, ConnectionError, InterruptedError } from "../../../../src/errors.js";
import type { BuildEvent } from "../../../../src/events.js";

test("all news of a platform name it, and steps are not those of another one", () => {
	const news: BuildEvent[] = [];
	const all = {
		emit: (event: BuildEvent) => news.push(event),
		signal: new AbortController().signal,
	};
	const run = runFor("linux/arm64", all);
	run.emit({ type: "step", status: "started", id: "sha256:a", name: "[1/1] RUN make" });
	run.emit({ type: "log", stepId: "sha256:a", stream: "stdout", text: "x" });
	run.emit({ type: "warning", message: "old" });
	const platform = "linux/arm64";
	const id = "linux/arm64 sha256:a";
	assert.deepEqual(news, [
		{ type: "step", status: "started", id, name: "[1/1] RUN make", platform },
		{ type: "log", stepId: id, stream: "stdout", text: "x", platform },
		{ type: "warning", message: "old", platform },
	]);
});

test("a run of a platform ends with the run that it is a part of", () => {
	const stop = new AbortController();
	const run = runFor("linux/arm64", { emit: () => {}, signal: stop.signal });
	stop.abort();
	assert.ok(run.signal.aborted);
});

test("a failure says of which platform it is, unless it is of none", () => {
	const failed = failureOf("linux/arm64", new BuildFailedError("RUN make failed"));
	assert.equal((failed as Error).message, "linux/arm64: RUN make failed");
	const interrupted = failureOf("linux/arm64", new InterruptedError("interrupted"));
	assert.equal((interrupted as Error).message, "interrupted");
	// All builds on a box may be told by the same error.
	const lost = failureOf("linux/arm64", new ConnectionError("lost", "lost the connection"));
	assert.equal((lost as Error).message, "lost the connection");
});
