import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createRenderer } from "../../../src/render/renderer.js";
import { engine, everyEvent, FakeScreen } from "./fake-screen.js";

async function plain(options = {}) {
	const screen = new FakeScreen();
	return { screen, renderer: await createRenderer("plain", screen, options) };
}

describe("plain progress", () => {
	it("has one line for an event, in the words of BuildKit's plain progress", async () => {
		const { screen, renderer } = await plain();
		const make = { type: "step", id: "m", name: "[2/3] RUN make" } as const;
		renderer.handle({ type: "connect", status: "started", target: "x86box", chosenBy: "--on" });
		renderer.handle({
			...{ type: "connect", status: "done", target: "x86box" },
			...{ engine, route: "ssh, streamlocal", durationMs: 400 },
		});
		renderer.handle({ type: "step", id: "w", name: "[1/3] WORKDIR /src", status: "cached" });
		renderer.handle({ ...make, status: "started" });
		screen.time += 312;
		renderer.handle({ type: "log", stepId: "m", stream: "stdout", text: "cc a.c\ncc" });
		screen.time += 12_000;
		renderer.handle({ type: "log", stepId: "m", stream: "stdout", text: " b.c\n" });
		renderer.handle({ ...make, status: "done", durationMs: 12_400 });
		renderer.handle({ ...make, id: "x", name: "[3/3] RUN\n  false", status: "started" });
		renderer.handle({
			...{ ...make, id: "x", name: "[3/3] RUN\n  false" },
			...{ status: "failed", error: "exit code: 1", durationMs: 20 },
		});
		assert.deepEqual(screen.lines, [
			"connecting to x86box (--on)",
			"connected to x86box: docker 28.5.2 on linux/amd64 (ssh, streamlocal) 0.4s",
			"#1 [1/3] WORKDIR /src",
			"#1 CACHED",
			"#2 [2/3] RUN make",
			"#2 0.312 cc a.c",
			"#2 12.31 cc b.c",
			"#2 DONE 12.4s",
			"#3 [3/3] RUN false",
			"#3 ERROR: exit code: 1",
		]);
	});

	it("tells the end of a step again only if that took longer, and all that it says", async () => {
		const { screen, renderer } = await plain();
		const from = { type: "step", id: "f", name: "[1/2] FROM app" } as const;
		for (const durationMs of [10, 20, 5000]) {
			renderer.handle({ ...from, status: "started" });
			renderer.handle({ ...from, status: "waiting" });
			renderer.handle({ type: "log", stepId: "f", stream: "stdout", text: `${durationMs}` });
			renderer.handle({ ...from, status: "done", durationMs });
		}
		assert.deepEqual(screen.lines, [
			...["#1 [1/2] FROM app", "#1 0.000 10", "#1 DONE 0.0s"],
			...["#1 0.000 20", "#1 0.000 5000", "#1 DONE 5.0s"],
		]);
	});

	it("prints the last line of a step that did not end it, before the step's end", async () => {
		const { screen, renderer } = await plain();
		const step = { type: "step", id: "m", name: "RUN make" } as const;
		renderer.handle({ ...step, status: "started" });
		renderer.handle({ type: "log", stepId: "m", stream: "stderr", text: "no newline" });
		assert.deepEqual(screen.lines, ["#1 RUN make"]);
		renderer.handle({ ...step, status: "canceled" });
		assert.deepEqual(screen.lines.slice(1), ["#1 0.000 no newline", "#1 CANCELED"]);
	});

	it("speaks of an upload after two seconds, then every five", async () => {
		const { screen, renderer } = await plain();
		const upload = { type: "upload", files: 3, totalFiles: 9, totalBytes: 9000 } as const;
		const seen: number[] = [];
		for (let ms = 0; ms <= 13_000; ms += 500) {
			const before = screen.lines.length;
			renderer.handle({
				...{ ...upload, status: "progress" },
				...{ bytes: 3000, sentBytes: 1000, durationMs: ms },
			});
			if (screen.lines.length > before) seen.push(ms);
			screen.time += 500;
		}
		assert.deepEqual(seen, [2000, 7000, 12_000]);
		assert.equal(screen.lines[0], "uploading 3 of 9 files, 3 kB of 9 kB, 1 kB sent");
		renderer.handle({
			...{ ...upload, status: "done" },
			...{ files: 9, bytes: 9000, sentBytes: 4000, durationMs: 13_100 },
		});
		assert.equal(screen.lines.at(-1), "uploaded 9 files, 9 kB as 4 kB 13.1s");
		const done = { ...upload, status: "done", files: 0, bytes: 0, durationMs: 100 } as const;
		renderer.handle({ ...done, sentBytes: 577 });
		assert.equal(screen.lines.at(-1), "uploaded nothing, 577 B sent 0.1s");
		renderer.handle({ ...done, files: 1, bytes: 9001, sentBytes: 9004 });
		assert.equal(screen.lines.at(-1), "uploaded 1 file, 9 kB 0.1s");
		renderer.handle({ ...done, files: 500, bytes: 4890, sentBytes: 17_000 });
		assert.equal(screen.lines.at(-1), "uploaded 500 files, 4.89 kB, 17 kB sent 0.1s");
		renderer.handle({ ...done, bytes: 9001, sentBytes: 5000 });
		assert.equal(screen.lines.at(-1), "uploaded 9 kB as 5 kB 0.1s");
	});

	it("is as rare about layers, unless it is told to be verbose", async () => {
		const pull = { type: "step", id: "f", name: "FROM a", status: "progress" } as const;
		const lines = async (verbose: boolean) => {
			const { screen, renderer } = await plain({ verbose });
			renderer.handle({ ...pull, item: "layer", current: 5, total: 10 });
			renderer.handle({ ...pull, item: "layer", current: 10, total: 10 });
			return screen.lines;
		};
		assert.deepEqual(await lines(false), ["#1 FROM a"]);
		assert.deepEqual(await lines(true), ["#1 FROM a", "#1 layer 10 B of 10 B"]);
	});

	it("tells of the layers of a push, once they are there, if it is verbose", async () => {
		const lines = async (verbose: boolean) => {
			const { screen, renderer } = await plain({ verbose });
			const push = { type: "deliver", method: "push", destination: "r/app" } as const;
			const layer = { id: "1a2b", bytes: 5, totalBytes: 10 } as const;
			renderer.handle({ ...push, status: "started", bytes: 0 });
			for (const state of ["moving", "done", "there"] as const) {
				renderer.handle({ ...push, status: "progress", bytes: 5, layer: { ...layer, state } });
			}
			const mounted = { ...layer, state: "there", id: "3c4d" } as const;
			const detail = "mounted from team/base";
			renderer.handle({ ...push, status: "progress", bytes: 5, layer: mounted, detail });
			return screen.lines;
		};
		assert.deepEqual(await lines(false), ["pushing to r/app"]);
		assert.deepEqual(await lines(true), [
			"pushing to r/app",
			"pushing to r/app: layer 1a2b: done",
			"pushing to r/app: layer 1a2b: already there",
			"pushing to r/app: layer 3c4d: mounted from team/base",
		]);
	});

	it("names the files that are sent, if it is verbose", async () => {
		const lines = async (verbose: boolean) => {
			const { screen, renderer } = await plain({ verbose });
			renderer.handle({ type: "sent-file", path: "src/a.c", bytes: 1200 });
			renderer.handle({ type: "sent-file", path: "b\n\x1b[2J", bytes: 0, context: "lib" });
			return screen.lines;
		};
		assert.deepEqual(await lines(false), []);
		const [first, second = ""] = await lines(true);
		assert.equal(first, "sent src/a.c (1.2 kB)");
		assert.match(second, /^sent b\P{Control}* of lib \(0 B\)$/u);
	});

	it("prints no control character, whatever is in names, logs and errors", async () => {
		const { screen, renderer } = await plain();
		screen.color = true;
		const evil = "\x1b]0;pwned\x07\x1b[31mx\x9b2J\ry";
		for (const event of everyEvent) renderer.handle(event);
		renderer.handle({ type: "step", id: evil, name: evil, status: "started" });
		renderer.handle({ type: "log", stepId: evil, stream: "stdout", text: `${evil}\n` });
		renderer.handle({ type: "context", status: "started", source: evil });
		renderer.handle({ type: "warning", message: evil, hint: evil });
		const excerpt = [{ line: 1, text: evil }];
		const position = { file: evil, line: 1, endLine: 1, text: evil, excerpt };
		renderer.fail({ message: evil, hint: evil, logTail: [evil], position });
		for (const line of screen.lines) assert.doesNotMatch(line, /\p{Control}/u);
		assert.ok(screen.lines.includes("#5 0.000 y"));
	});

	it("ends with the log tail, what failed of the Dockerfile, the error and the hint", async () => {
		const { screen, renderer } = await plain();
		renderer.fail({
			message: "RUN make failed on x86box: exit code 2",
			hint: "see the output above",
			logTail: ["make: *** No targets.", "Stop."],
			position: {
				file: "Dockerfile",
				line: 9,
				endLine: 12,
				text: "RUN make \\",
				excerpt: [
					{ line: 8, text: "" },
					{ line: 9, text: "RUN make \\" },
					{ line: 10, text: "\t-j 2 \\" },
				],
			},
		});
		renderer.close();
		assert.deepEqual(screen.lines, [
			"------ last 2 lines of output",
			" > make: *** No targets.",
			" > Stop.",
			"------ Dockerfile:9",
			"   8 |",
			"   9 | >>> RUN make \\",
			"  10 | >>>         -j 2 \\",
			"     | >>> ... 2 more",
			"------",
			"error: RUN make failed on x86box: exit code 2",
			"hint: see the output above",
		]);
	});
});
