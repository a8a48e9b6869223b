import { Writable } from "node:stream";
import type { BuildEvent, BuildReport, EngineFacts } from "../../../src/events.js";
import type { Screen } from "../../../src/render/screen.js";

/** A screen whose size and clock are set by the test, and which keeps what is written to it. */
export class FakeScreen implements Screen {
	readonly out: string[] = [];
	readonly err: string[] = [];
	readonly stdout = collector(this.out);
	readonly stderr = collector(this.err);
	isTTY = true;
	color = false;
	size = { columns: 80, rows: 24 };
	time = Date.UTC(2026, 0, 2, 3, 4, 5);

	columns(): number {
		return this.size.columns;
	}

	rows(): number {
		return this.size.rows;
	}

	now(): number {
		return this.time;
	}

	/** What went to stderr, as lines. */
	get lines(): string[] {
		return this.err.join("").split("\n").slice(0, -1);
	}
}

function collector(chunks: string[]): Writable {
	return new Writable({
		decodeStrings: false,
		write(chunk: string, _encoding, done) {
			chunks.push(chunk);
			done();
		},
	});
}

export const engine: EngineFacts = {
	product: "docker",
	version: "28.5.2",
	apiVersion: "1.47",
	platform: "linux/amd64",
	builder: "buildkit",
};

export const imageId = `sha256:${"1a2b3c4d5e6f7788".repeat(4)}`;

export const report: BuildReport = {
	imageId,
	tags: ["app:latest"],
	platform: "linux/amd64",
	target: "x86box",
	engine,
	deliveries: [],
	contextKind: "directory",
	context: {
		files: 1234,
		bytes: 12_300_000,
		ignored: { files: 4321, bytes: 300_000_000, complete: true },
	},
	upload: {
		transfer: "sync",
		files: 3,
		bytes: 12_000,
		alreadyThere: { files: 104, bytes: 11_988_000 },
		sentBytes: 5000,
		savedBytes: 7500,
	},
	wire: { sent: 3_440_000, received: 1_200_000 },
	retries: 0,
	phases: { connect: 400, context: 120, upload: 1200, build: 64_000, deliver: 0, total: 65_800 },
};

/** One event of each variant. */
export const everyEvent: readonly BuildEvent[] = [
	{
		type: "retry",
		target: "x86box",
		reason: "lost the connection to x86box: no answer for 30 s",
		attempt: 1,
		retries: 2,
		delayMs: 1000,
	},
	{ type: "connect", status: "started", target: "x86box", chosenBy: "--on" },
	{
		type: "connect",
		status: "done",
		target: "x86box",
		engine,
		route: "ssh, streamlocal",
		durationMs: 400,
	},
	{ type: "context", status: "started", source: "." },
	{
		type: "context",
		status: "done",
		source: ".",
		kind: "directory",
		totals: { files: 1, bytes: 20, ignored: { files: 0, bytes: 0, complete: true } },
		durationMs: 120,
	},
	{
		type: "upload",
		status: "progress",
		files: 1,
		totalFiles: 2,
		bytes: 10,
		totalBytes: 20,
		sentBytes: 5,
		durationMs: 100,
	},
	{ type: "sent-file", path: "src/a.c", bytes: 10 },
	{ type: "upload", status: "done", files: 2, bytes: 20, sentBytes: 8, durationMs: 200 },
	{ type: "step", id: "a", name: "[1/1] RUN make", status: "started" },
	{
		type: "step",
		id: "a",
		name: "[1/1] RUN make",
		status: "progress",
		item: "layer",
		current: 1,
		total: 2,
	},
	{ type: "step", id: "a", name: "[1/1] RUN make", status: "done", durationMs: 300 },
	{ type: "step", id: "b", name: "[2/2] COPY . .", status: "cached" },
	{ type: "step", id: "c", name: "RUN false", status: "failed", error: "exit 1", durationMs: 1 },
	{ type: "step", id: "d", name: "RUN true", status: "canceled" },
	{ type: "log", stepId: "a", stream: "stderr", text: "cc\n" },
	{ type: "deliver", method: "push", destination: "app", status: "started", bytes: 0 },
	{
		type: "deliver",
		method: "save",
		destination: "app.tar",
		status: "progress",
		bytes: 1,
		totalBytes: 2,
	},
	{ type: "deliver", method: "load", destination: "unix:///d.sock", status: "done", bytes: 2 },
	{ type: "warning", message: "old base image", hint: "use --pull" },
	{ type: "done", report },
];
