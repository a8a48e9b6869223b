import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type ClassicMessage, ClassicOutput } from "../../../../src/build/output/classic-output.js";
import type { BuildEvent } from "../../../../src/events.js";

/** Reads messages 100 ms apart; texts stand for `{"stream": text}`. */
function outputOf(...messages: readonly (string | ClassicMessage)[]) {
	const events: BuildEvent[] = [];
	let time = 0;
	const output = new ClassicOutput(
		(event) => events.push(event),
		() => time,
	);
	for (const message of messages) {
		output.read(typeof message === "string" ? { stream: message } : message);
		time += 100;
	}
	return { output, events };
}

function told(events: readonly BuildEvent[]): string[] {
	return events.map((event) => {
		if (event.type === "log") return `${event.stepId} ${event.stream}: ${event.text}`;
		if (event.type === "warning") return `warning: ${event.message}`;
		if (event.type !== "step") return event.type;
		const { id, status } = event;
		if (status === "progress") return `${id} ${event.item} ${event.current}/${event.total}`;
		return "durationMs" in event ? `${id} ${status} ${event.durationMs} ms` : `${id} ${status}`;
	});
}

describe("the classic builder's output", () => {
	it("is steps with names, times, output and cache marks", () => {
		const { output, events } = outputOf(
			"Step 1/2 : FROM busybox",
			"\n",
			" ---> 478d2219e779\n",
			"Step 2/2 : RUN make",
			"\n",
			" ---> Using cache\n",
			" ---> da639e64a7ea\n",
			"Successfully built da639e64a7ea\n",
		);
		output.close(true);
		assert.deepEqual(events, [
			{ type: "step", id: "step-1", name: "Step 1/2 : FROM busybox", status: "started" },
			{
				type: "step",
				id: "step-1",
				name: "Step 1/2 : FROM busybox",
				status: "done",
				durationMs: 300,
			},
			{ type: "step", id: "step-2", name: "Step 2/2 : RUN make", status: "started" },
			{ type: "step", id: "step-2", name: "Step 2/2 : RUN make", status: "cached" },
		]);
	});

	it("tells a command's output apart from the builder's words, and stderr by its colour", () => {
		const { events } = outputOf(
			"Step 1/1 : RUN make",
			"\n",
			" ---> Running in 5e77c4171ecf\n",
			"one",
			"\n",
			"\u001b[91mtwo\nthree\n\u001b[0m",
			" ---> Removed intermediate container 5e77c4171ecf\n",
			"Removing intermediate container 5e77c4171ecf\n",
		);
		assert.deepEqual(told(events), [
			"step-1 started",
			"step-1 stdout: one",
			"step-1 stdout: \n",
			"step-1 stderr: two\nthree\n",
		]);
	});

	it("does not take a command's output for a step that is not due", () => {
		const { events } = outputOf(
			"Step 1/2 : RUN docker build .",
			"\n",
			"Step 1/9 : FROM x\n",
			"Step 4/9 : RUN y\n",
		);
		assert.deepEqual(told(events), [
			"step-1 started",
			"step-1 stdout: Step 1/9 : FROM x\n",
			"step-1 stdout: Step 4/9 : RUN y\n",
		]);
	});

	it("has Podman's stages, each counted from 1, and its COMMIT", () => {
		const { output, events } = outputOf(
			"[1/2] STEP 1/2: FROM a AS b\n",
			"[1/2] STEP 2/2: RUN x\n",
			`--> Using cache ${"a".repeat(64)}\n`,
			"--> aaaaaaaaaaaa\n",
			"[2/2] STEP 1/1: FROM b\n",
			"[2/2] COMMIT app\n",
			"--> bbbbbbbbbbbb\n",
			`${"b".repeat(64)}\n`,
		);
		output.close(true);
		assert.deepEqual(told(events), [
			"step-1 started",
			"step-1 done 100 ms",
			"step-2 started",
			"step-2 cached",
			"step-3 started",
			"step-3 done 100 ms",
			"step-4 started",
			"step-4 done 300 ms",
		]);
		assert.deepEqual(
			events.flatMap((event) =>
				event.type === "step" && event.status === "started" ? [event.name] : [],
			),
			[
				"[1/2] STEP 1/2: FROM a AS b",
				"[1/2] STEP 2/2: RUN x",
				"[2/2] STEP 1/1: FROM b",
				"[2/2] COMMIT app",
			],
		);
	});

	it("has the layers of a base image, each phase until it is complete", () => {
		const layer = (status: string, current?: number) => ({
			status,
			id: "f527e3cdc9b5",
			progressDetail: current === undefined ? {} : { current, total: 100 },
		});
		const { events } = outputOf(
			"Step 1/1 : FROM a\n",
			{ status: "Pulling from a", id: "1" },
			layer("Pulling fs layer"),
			layer("Downloading", 10),
			layer("Verifying Checksum"),
			layer("Download complete"),
			layer("Extracting", 40),
			layer("Pull complete"),
			{ status: "Status: Downloaded newer image for a" },
		);
		assert.deepEqual(told(events), [
			"step-1 started",
			"step-1 downloading f527e3cdc9b5 10/100",
			"step-1 downloading f527e3cdc9b5 100/100",
			"step-1 extracting f527e3cdc9b5 40/100",
			"step-1 extracting f527e3cdc9b5 100/100",
		]);
	});

	it("has warnings", () => {
		const { events } = outputOf(
			"[Warning] One or more build-args [X] were not consumed\n",
			" ---> [Warning] IPv4 forwarding is disabled. Networking will not work.\n",
		);
		assert.deepEqual(told(events), [
			"warning: One or more build-args [X] were not consumed",
			"warning: IPv4 forwarding is disabled. Networking will not work.",
		]);
	});

	it("has no output without a step", () => {
		const { events } = outputOf('time="…" level=warning msg="cgroups-v1"\n');
		assert.deepEqual(told(events), [
			"step-1 started",
			'step-1 stdout: time="…" level=warning msg="cgroups-v1"\n',
		]);
	});

	it("ends the running step with the error, and gives its last lines", () => {
		const { output, events } = outputOf("Step 1/1 : RUN make\n", "\u001b[91mmake: ***\n\u001b[0m");
		assert.deepEqual(output.fail("code 2"), {
			name: "Step 1/1 : RUN make",
			error: "code 2",
			logTail: ["make: ***"],
		});
		output.close(false);
		assert.equal(told(events).at(-1), "step-1 failed 200 ms");
		assert.equal(outputOf().output.fail("no step yet"), undefined);
	});

	it("cancels the step that is open when the connection breaks", () => {
		const { output, events } = outputOf("Step 1/1 : RUN make\n");
		output.close(false);
		assert.deepEqual(told(events), ["step-1 started", "step-1 canceled"]);
	});

	it("knows the image only after the last stage", () => {
		const stage = { aux: { ID: "sha256:stage" } };
		const first = ["Step 1/2 : FROM a AS b\n", stage];
		assert.equal(outputOf(...first).output.imageId, "sha256:stage");
		const next = outputOf(...first, "Step 2/2 : FROM c\n").output;
		assert.equal(next.imageId, undefined);
		next.read({ aux: { ID: "sha256:image" } });
		assert.equal(next.imageId, "sha256:image");
	});
});
