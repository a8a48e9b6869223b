import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { StatusResponseSchema } from "../../../src/buildkit/proto/gen/trace_pb.js";
import { BuildTrace } from "../../../src/buildkit/trace.js";
import { EngineError } from "../../../src/errors.js";
import type { BuildEvent } from "../../../src/events.js";

type Report = MessageInitShape<typeof StatusResponseSchema>;

/** A moment of the daemon's clock: seconds, with up to nine decimals. */
function at(seconds: number) {
	const whole = Math.floor(seconds);
	return { seconds: BigInt(whole), nanos: Math.round((seconds - whole) * 1e9) };
}

const FROM = { digest: "sha256:from", name: "[1/2] FROM app" };
const RUN = { digest: "sha256:run", name: "[2/2] RUN make", inputs: [FROM.digest] };

function traceOf(...reports: readonly Report[]) {
	const events: BuildEvent[] = [];
	const trace = new BuildTrace((event) => events.push(event));
	const read = (report: Report) => {
		const bytes = toBinary(StatusResponseSchema, create(StatusResponseSchema, report));
		trace.read(Buffer.from(bytes).toString("base64"));
	};
	for (const report of reports) read(report);
	return { trace, events, read };
}

/** What happened, without the id and name that all events of one step share. */
function told(events: readonly BuildEvent[]): string[] {
	return events.map((event) => {
		if (event.type === "log") return `${event.stream}: ${event.text}`;
		if (event.type !== "step") return event.type;
		const duration = "durationMs" in event ? ` ${event.durationMs} ms` : "";
		return `${event.status}${duration}`;
	});
}

describe("BuildKit's trace", () => {
	it("tells a step's start, output and end with its id and name", () => {
		const { events } = traceOf(
			{ vertexes: [RUN] },
			{ vertexes: [{ ...RUN, started: at(1) }] },
			{ logs: [{ vertex: RUN.digest, stream: 1n, msg: Buffer.from("hi\n") }] },
			{ logs: [{ vertex: RUN.digest, stream: 2n, msg: Buffer.from("oh\n") }] },
			{ vertexes: [{ ...RUN, started: at(1), completed: at(3.25) }] },
		);
		const step = { type: "step", id: "sha256:run", name: "[2/2] RUN make" };
		assert.deepEqual(events, [
			{ ...step, status: "started" },
			{ type: "log", stepId: "sha256:run", stream: "stdout", text: "hi\n" },
			{ type: "log", stepId: "sha256:run", stream: "stderr", text: "oh\n" },
			{ ...step, status: "done", durationMs: 2250 },
		]);
	});

	it("says nothing of steps that never start", () => {
		const { trace, events } = traceOf({ vertexes: [RUN, { digest: "other", name: "other" }] });
		trace.close(true);
		assert.deepEqual(events, []);
	});

	it("tells what came in one report with the end before the end", () => {
		const { events } = traceOf({
			vertexes: [{ ...RUN, started: at(1), completed: at(2) }],
			logs: [{ vertex: RUN.digest, stream: 1n, msg: Buffer.from("last words") }],
		});
		assert.deepEqual(told(events), ["started", "stdout: last words", "done 1000 ms"]);
	});

	it("tells a cached step once", () => {
		const cached = { ...RUN, started: at(1), completed: at(1), cached: true };
		const again = { ...cached, started: at(2), completed: at(2) };
		const { events } = traceOf({ vertexes: [cached] }, { vertexes: [cached, again] });
		assert.deepEqual(told(events), ["cached"]);
	});

	it("tells a repeated report once", () => {
		const done = { ...RUN, started: at(1), completed: at(2) };
		const { events } = traceOf(
			{ vertexes: [{ ...RUN, started: at(1) }] },
			{ vertexes: [{ ...RUN, started: at(1) }, RUN] },
			{ vertexes: [done] },
			{ vertexes: [RUN, done] },
		);
		assert.deepEqual(told(events), ["started", "done 1000 ms"]);
	});

	it("opens a step again that runs again, and counts overlapping intervals once", () => {
		const { events } = traceOf(
			{ vertexes: [{ ...RUN, started: at(1), completed: at(2) }] },
			{ vertexes: [{ ...RUN, started: at(1.5) }] },
			{ vertexes: [{ ...RUN, started: at(4) }] },
			{ vertexes: [{ ...RUN, started: at(4), completed: at(5) }] },
			{ vertexes: [{ ...RUN, started: at(1.5), completed: at(3) }] },
		);
		assert.deepEqual(told(events), ["started", "done 1000 ms", "started", "done 3000 ms"]);
	});

	it("tells once that a base image is there, looked up twice and then pulled", () => {
		const { events, read } = traceOf(
			{ vertexes: [RUN, FROM, { ...FROM, started: at(1) }] },
			{ vertexes: [{ ...FROM, started: at(1), completed: at(2) }] },
			{ vertexes: [{ ...FROM, started: at(2), completed: at(3) }] },
		);
		assert.deepEqual(told(events), ["started", "waiting"]);
		read({ vertexes: [{ ...FROM, started: at(10) }] });
		read({ vertexes: [{ ...FROM, started: at(10), completed: at(15) }] });
		read({ vertexes: [{ ...RUN, started: at(15) }] });
		assert.deepEqual(told(events).slice(2), ["started", "waiting", "done 7000 ms", "started"]);
		assert.equal(events[4]?.type === "step" && events[4].name, FROM.name);
	});

	it("tells that a base image is there before the first step that was cached, or at the end", () => {
		const looks: Report[] = [
			{ vertexes: [FROM, RUN] },
			{ vertexes: [{ ...FROM, started: at(1), completed: at(2) }] },
		];
		const cached = { ...RUN, started: at(3), completed: at(3), cached: true };
		const used = traceOf(...looks, { vertexes: [cached] });
		assert.deepEqual(told(used.events), ["started", "waiting", "done 1000 ms", "cached"]);
		const unused = traceOf(...looks);
		unused.trace.close(false);
		assert.deepEqual(told(unused.events), ["started", "waiting", "done 1000 ms"]);
	});

	it("tells so once, too, of a base image that another build has looked up already", () => {
		const { events, read } = traceOf({
			vertexes: [{ ...FROM, started: at(1), completed: at(2) }, RUN],
		});
		read({ vertexes: [{ ...FROM, started: at(3) }] });
		const pulled = { ...FROM, started: at(3), completed: at(5) };
		read({ vertexes: [pulled, { ...RUN, started: at(5) }] });
		assert.deepEqual(told(events), [
			...["started", "waiting", "started", "done 3000 ms", "started"],
		]);
	});

	it("tells that a Dockerfile is there once it was read, when the build goes on", () => {
		const load = { digest: "sha256:load", name: "[internal] load build definition" };
		const metadata = { digest: "sha256:metadata", name: "[internal] load metadata" };
		const { events, read } = traceOf(
			{ vertexes: [load, { ...load, started: at(1), completed: at(1.5) }] },
			{ vertexes: [{ ...load, started: at(2) }] },
			{ vertexes: [{ ...load, started: at(2), completed: at(4) }] },
		);
		assert.deepEqual(told(events), ["started", "waiting", "started", "waiting"]);
		read({ vertexes: [{ ...metadata, started: at(4), completed: at(5) }] });
		assert.deepEqual(told(events).slice(4), ["done 2500 ms", "started", "done 1000 ms"]);
	});

	it("tells each step of real builds once that it is over", () => {
		for (const stream of ["20.10/buildkit-private-pull", "28.5/buildkit-private-pull"]) {
			const { trace, events } = traceOf();
			for (const line of readFileSync(`fixtures/streams/docker-${stream}.jsonl`, "utf8").split(
				"\n",
			)) {
				if (line.includes("moby.buildkit.trace")) trace.read(JSON.parse(line).aux);
			}
			trace.close(true);
			const over = events.flatMap((event) => {
				return event.type === "step" && event.status === "done" ? [event.name.slice(0, 22)] : [];
			});
			assert.deepEqual(over, [
				...["[internal] load remote", "copy /context /", "[internal] load metada"],
				...["[1/2] FROM localhost:5", "[2/2] RUN true", "exporting to image"],
			]);
		}
	});

	it("waits for a run that goes on although the result was found in the cache elsewhere", () => {
		// Seen from 28.5, where two parts of a build wait for the same RUN.
		const { events } = traceOf(
			{ vertexes: [{ ...RUN, started: at(1) }] },
			{ vertexes: [{ ...RUN, started: at(1.1), completed: at(1.1), cached: true }] },
			{ vertexes: [{ ...RUN, started: at(1), completed: at(2) }] },
		);
		assert.deepEqual(told(events), ["started", "done 1000 ms"]);
	});

	it("tells a failure with its error, once and for good", () => {
		const { events } = traceOf(
			{ vertexes: [{ ...RUN, started: at(1) }] },
			{ vertexes: [{ ...RUN, started: at(1), completed: at(2), error: "exit code: 2" }] },
			{ vertexes: [{ ...RUN, started: at(1), completed: at(2), error: "exit code: 2" }] },
			{ vertexes: [{ ...RUN, started: at(3) }] },
		);
		assert.deepEqual(told(events), ["started", "failed 1000 ms"]);
		assert.equal(
			events[1]?.type === "step" && "error" in events[1] && events[1].error,
			"exit code: 2",
		);
	});

	it("tells a step that was stopped because another had failed as canceled", () => {
		const error = 'process "sleep" did not complete successfully: exit code: 137: context canceled';
		const { events } = traceOf({
			vertexes: [{ ...RUN, started: at(1), completed: at(2), error }],
		});
		assert.deepEqual(told(events), ["started", "canceled"]);
	});

	it("closes what is open at the end, as canceled after a failure", () => {
		const open = { vertexes: [{ ...RUN, started: at(1) }] };
		const good = traceOf(open);
		good.trace.close(true);
		assert.deepEqual(told(good.events), ["started", "done 0 ms"]);
		const bad = traceOf(open);
		bad.trace.close(false);
		bad.trace.close(false);
		assert.deepEqual(told(bad.events), ["started", "canceled"]);
	});

	it("puts characters together that were split between reports, for each stream", () => {
		const [first, second] = [Buffer.from("é").subarray(0, 1), Buffer.from("é").subarray(1)];
		const log = (stream: bigint, msg: Uint8Array) => ({
			logs: [{ vertex: RUN.digest, stream, msg }],
		});
		const { events } = traceOf(
			{ vertexes: [{ ...RUN, started: at(1) }] },
			log(1n, first),
			log(2n, first),
			log(2n, second),
			log(1n, second),
			log(1n, first),
			{ vertexes: [{ ...RUN, started: at(1), completed: at(2) }] },
		);
		assert.deepEqual(told(events), [
			"started",
			"stderr: é",
			"stdout: é",
			"stdout: \ufffd",
			"done 1000 ms",
		]);
	});

	it("tells how far a part of a step is, and that it is complete", () => {
		const part = { vertex: RUN.digest, id: "sha256:layer", total: 10n };
		const { events } = traceOf(
			{ vertexes: [{ ...RUN, started: at(1) }] },
			{ statuses: [{ ...part, current: 4n }] },
			{ statuses: [{ ...part, current: 4n }] },
			{ statuses: [{ ...part, current: 9n, completed: at(2) }] },
			{ statuses: [{ vertex: RUN.digest, id: "context", current: 62n }] },
			{ statuses: [{ vertex: RUN.digest, id: "context", current: 62n, completed: at(2) }] },
		);
		assert.deepEqual(
			events.flatMap((event) =>
				event.type === "step" && event.status === "progress"
					? [`${event.item} ${event.current}/${event.total}`]
					: [],
			),
			["sha256:layer 4/10", "sha256:layer 10/10", "context 62/0", "context 62/62"],
		);
	});

	it("tells warnings, with the advice as a hint", () => {
		const { events } = traceOf({
			warnings: [
				{
					short: Buffer.from("Old: MAINTAINER (line 2)"),
					detail: [Buffer.from("use LABEL")],
					url: "https://x",
				},
				{ short: Buffer.from("Odd"), detail: [Buffer.from("why,"), Buffer.from("and what to do")] },
				{ short: Buffer.from("Bare") },
			],
		});
		assert.deepEqual(events, [
			{ type: "warning", message: "Old: MAINTAINER (line 2)", hint: "see https://x" },
			{ type: "warning", message: "Odd", hint: "why, and what to do" },
			{ type: "warning", message: "Bare" },
		]);
	});

	it("names the step that the build failed with, not one that failed in vain", () => {
		const { trace } = traceOf({
			vertexes: [
				{
					digest: "cache",
					name: "importing cache",
					started: at(1),
					completed: at(1),
					error: "no cache",
				},
				{ ...RUN, started: at(1), completed: at(2), error: "exit code: 2" },
			],
			logs: [{ vertex: RUN.digest, stream: 2n, msg: Buffer.from("make: ***\n") }],
		});
		assert.deepEqual(trace.failedStep("failed to solve: exit code: 2"), {
			name: "[2/2] RUN make",
			error: "exit code: 2",
			logTail: ["make: ***"],
		});
		assert.equal(trace.failedStep("dockerfile parse error on line 1"), undefined);
	});

	for (const [what, aux] of [
		["not base64 of a report", "//////8="],
		["not text", { ID: "x" }],
		["absent", undefined],
	] as const) {
		it(`is refused where it is ${what}`, () => {
			assert.throws(() => traceOf().trace.read(aux), EngineError);
		});
	}
});
