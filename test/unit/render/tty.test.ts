import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it, mock } from "node:test";
import type { BuildEvent } from "../../../src/events.js";
import { displayWidth } from "../../../src/render/display-width.js";
import { createRenderer } from "../../../src/render/renderer.js";
import { engine, everyEvent, FakeScreen, report } from "./fake-screen.js";
import { terminalRows } from "./fake-terminal.js";

const make = { type: "step", id: "m", name: "[2/3] RUN make" } as const;

async function tty(options = {}) {
	const screen = new FakeScreen();
	const renderer = await createRenderer("tty", screen, options);
	return {
		screen,
		renderer,
		handle: (...events: BuildEvent[]) => {
			for (const event of events) renderer.handle(event);
		},
		wait(ms: number) {
			screen.time += ms;
			mock.timers.tick(ms);
		},
		rows: () => terminalRows(screen.err.join("")),
	};
}

function log(text: string): BuildEvent {
	return { type: "log", stepId: "m", stream: "stdout", text };
}

describe("terminal progress", () => {
	beforeEach(() => mock.timers.enable({ apis: ["setInterval"] }));
	afterEach(() => mock.timers.reset());

	it("leaves the terminal to a question, and goes on below it", async () => {
		const { screen, renderer, handle, wait, rows } = await tty();
		handle({ ...make, status: "started" });
		wait(100);
		assert.equal(rows().length, 2);
		const pause = renderer.pause?.();
		screen.err.push("Sure? yes\n");
		handle({ type: "warning", message: "old base image" });
		wait(300);
		assert.deepEqual(rows(), ["Sure? yes"]);
		pause?.[Symbol.dispose]();
		assert.deepEqual(
			rows().map((row) => row.replace(/ {2,}.*/, "")),
			["Sure? yes", "warning: old base image", "[+] Building 0.4s (0/1)", " => [2/3] RUN make"],
		);
	});

	it("shows what goes on with running times, below what is over", async () => {
		const { handle, wait, rows } = await tty();
		handle(
			{ type: "connect", status: "started", target: "x86box", chosenBy: "--on" },
			{
				...{ type: "connect", status: "done", target: "x86box" },
				...{ engine, route: "ssh, streamlocal", durationMs: 400 },
			},
			{ type: "step", id: "w", name: "[1/3] WORKDIR /src", status: "cached" },
			{ ...make, status: "started" },
			log("cc a.c\n\x1b[32mcc\x1b[0m b"),
		);
		wait(1200);
		assert.deepEqual(rows(), [
			" => connected to x86box: docker 28.5.2 on linux/amd64 (ssh, streamlocal)   0.4s",
			" => CACHED [1/3] WORKDIR /src",
			"[+] Building on x86box 1.2s (1/2)",
			" => [2/3] RUN make                                                         1.2s",
			" => => # cc a.c",
			" => => # cc b",
		]);
		handle({ ...make, status: "done", durationMs: 1500 });
		wait(100);
		assert.deepEqual(rows().slice(2), [
			" => [2/3] RUN make                                                         1.5s",
			"[+] Building on x86box 1.3s (2/2)",
		]);
	});

	it("shows a base image that was looked up when it is pulled, and once that it is there", async () => {
		const { handle, wait, rows } = await tty();
		const from = { type: "step", id: "f", name: "[1/2] FROM app" } as const;
		handle({ ...from, status: "started" }, { ...from, status: "waiting" });
		wait(5000);
		assert.deepEqual(rows(), ["[+] Building 5.0s (0/1)"]);
		handle({ ...from, status: "started" });
		wait(1000);
		const line = (time: string) => ` => [1/2] FROM app${" ".repeat(57)}${time}`;
		assert.deepEqual(rows(), ["[+] Building 6.0s (0/1)", line("1.0s")]);
		handle({ ...from, status: "done", durationMs: 1500 });
		handle({ ...from, status: "started" }, { ...from, status: "done", durationMs: 1510 });
		wait(100);
		assert.deepEqual(rows(), [line("1.5s"), "[+] Building 6.1s (1/1)"]);
	});

	it("draws a bar for an upload, with rate and time to go", async () => {
		const { screen, handle, wait, rows } = await tty();
		const upload = { type: "upload", status: "progress", files: 1, sentBytes: 1 } as const;
		handle({ ...upload, bytes: 0, totalBytes: 4_000_000, durationMs: 0 });
		screen.time += 1000;
		handle({ ...upload, bytes: 1_000_000, totalBytes: 4_000_000, durationMs: 1000 });
		mock.timers.tick(100);
		assert.deepEqual(rows(), [
			"[+] Building 1.0s",
			" => uploading  [======>                 ]  25%  1 MB of 4 MB  1 MB/s  3.0s left",
		]);
		handle({ ...upload, bytes: 2_000_000, durationMs: 1000 });
		wait(100);
		assert.match(rows()[1] ?? "", /^ => uploading {2}2 MB {2}1\.\d+ MB\/s$/);
	});

	it("keeps several platforms apart, also when the connection to one of them is lost", async () => {
		const { handle, wait, rows } = await tty();
		const on = (platform: string, target: string): BuildEvent[] => [
			{ type: "connect", status: "started", target, chosenBy: "--on", platform },
			{
				...{ type: "upload", status: "progress", files: 1, sentBytes: 1, durationMs: 0 },
				...{ bytes: 1000, platform },
			},
			{ ...make, id: `${platform} m`, status: "started", platform },
		];
		handle(...on("linux/amd64", "x86box"), ...on("linux/arm64", "armbox"));
		wait(100);
		const shown = () => rows().map((row) => row.replace(/ {2,}[\d.]+s$/, ""));
		assert.deepEqual(shown(), [
			"[+] Building on x86box, armbox 0.1s (0/2)",
			" => linux/amd64: connecting to x86box (--on)",
			" => linux/arm64: connecting to armbox (--on)",
			" => linux/amd64: uploading  1 kB",
			" => linux/arm64: uploading  1 kB",
			" => [linux/amd64 2/3] RUN make",
			" => [linux/arm64 2/3] RUN make",
		]);
		handle({
			...{ type: "retry", target: "armbox", reason: "lost it", attempt: 1, retries: 2 },
			...{ delayMs: 1000, platform: "linux/arm64" },
		});
		wait(100);
		assert.deepEqual(shown().slice(0, 4), [
			"linux/arm64: lost it; reconnecting in 1.0s (1 of 2)",
			"[+] Building on x86box, armbox 0.2s (0/2)",
			" => linux/amd64: connecting to x86box (--on)",
			" => linux/amd64: uploading  1 kB",
		]);
	});

	it("writes once a frame, ten frames a second at most, and not when nothing changed", async () => {
		const { screen, handle, wait } = await tty();
		handle({ ...make, status: "started" });
		for (let line = 0; line < 1000; line++) handle(log(`line ${line}\n`));
		assert.equal(screen.err.length, 0);
		wait(100);
		assert.equal(screen.err.length, 1);
		mock.timers.tick(1000);
		assert.equal(screen.err.length, 1);
	});

	it("shows the last six lines of a step", async () => {
		const { handle, wait, rows } = await tty();
		handle({ ...make, status: "started" }, log("1\n2\n3\n4\n5\n6\n7\n8\n"));
		wait(100);
		assert.deepEqual(
			rows().slice(2).join(""),
			[3, 4, 5, 6, 7, 8].map((n) => ` => => # ${n}`).join(""),
		);
	});

	it("stays within a small terminal, and counts what has no room", async () => {
		const { screen, handle, wait, rows } = await tty();
		screen.size = { columns: 40, rows: 5 };
		for (let n = 1; n <= 6; n++) {
			const name = `[${n}/6] RUN 日本語 ${"long ".repeat(20)}`;
			handle({ type: "step", id: `${n}`, name, status: "started" });
		}
		wait(100);
		assert.deepEqual(rows(), [
			"[+] Building 0.1s (0/6)",
			" => [1/6] RUN 日本語 long long ... 0.1s",
			" => [2/6] RUN 日本語 long long ... 0.1s",
			" => and 4 more",
		]);
		for (const row of rows()) assert.ok(displayWidth(row) < 40);
	});

	it("tells the whole of what is over between steps, on more lines where it has to", async () => {
		const { screen, handle, wait, rows } = await tty();
		screen.size = { columns: 40, rows: 24 };
		handle(
			{
				...{ type: "connect", status: "done", target: "x86box" },
				...{ engine, route: "ssh, streamlocal", durationMs: 400 },
			},
			{ type: "transfer", transfer: "tar", reason: "in 0.2 s, a sync in 0.5 s" },
		);
		wait(100);
		assert.deepEqual(rows(), [
			" => connected to x86box: docker",
			"    28.5.2 on linux/amd64 (ssh,",
			"    streamlocal)                   0.4s",
			" => sending the context as a tar (in",
			"    0.2 s, a sync in 0.5 s)",
			"[+] Building on x86box 0.1s",
		]);
		for (const row of rows()) assert.ok(displayWidth(row) < 40);
	});

	it("goes back over the rows that a narrower terminal has wrapped", async () => {
		const { screen, handle, wait } = await tty();
		handle({ ...make, status: "started" });
		wait(100);
		screen.size = { columns: 40, rows: 24 };
		wait(100);
		assert.equal(screen.err.length, 1);
		wait(300);
		// The headline still takes one row; the step's line of 79 cells takes two.
		assert.ok(screen.err[1]?.includes("\r\x1b[3A"));
	});

	it("leaves the cursor shown after every frame", async () => {
		const { screen, renderer, wait } = await tty();
		for (const event of everyEvent.slice(0, -1)) {
			renderer.handle(event);
			wait(100);
		}
		renderer.close();
		assert.ok(screen.err.length > 5);
		for (const frame of screen.err) {
			assert.ok(frame.startsWith("\x1b[?25l") && frame.endsWith("\x1b[?25h"), frame);
		}
	});

	it("ends with the report and nothing below it, and draws no more", async () => {
		const { screen, renderer, handle, wait, rows } = await tty();
		handle({ ...make, status: "started" });
		wait(100);
		handle({ ...make, status: "done", durationMs: 100 }, { type: "done", report });
		renderer.close();
		const shown = rows();
		assert.equal(
			shown[0],
			" => [2/3] RUN make                                                         0.1s",
		);
		assert.equal(shown[1], "");
		assert.equal(shown[2], "image    1a2b3c4d5e6f, app:latest");
		assert.equal(shown.at(-1)?.slice(0, 21), "time     1m 06s in al");
		const writes = screen.err.length;
		wait(1000);
		renderer.close();
		assert.equal(screen.err.length, writes);
		assert.deepEqual(screen.out, []);
	});

	it("replaces what goes on with the failure", async () => {
		const { renderer, handle, wait, rows } = await tty();
		handle({ ...make, status: "started" }, log("no rule\n"));
		wait(100);
		handle({ ...make, status: "failed", error: "exit code: 2", durationMs: 100 });
		renderer.fail({ message: "RUN make failed", hint: "mend it", logTail: ["no rule"] });
		renderer.close();
		assert.deepEqual(rows(), [
			" => ERROR [2/3] RUN make                                                   0.1s",
			"------ last line of output",
			" > no rule",
			"------",
			"error: RUN make failed",
			"hint: mend it",
		]);
	});

	it("names the files that are sent when it is verbose", async () => {
		for (const verbose of [false, true]) {
			const { handle, wait, rows } = await tty({ verbose });
			handle({ type: "sent-file", path: "src/a.c", bytes: 1200 });
			wait(100);
			assert.equal(rows().includes("sent src/a.c (1.2 kB)"), verbose);
		}
	});

	it("keeps the output of steps when it is verbose", async () => {
		const { renderer, handle, rows } = await tty({ verbose: true });
		handle({ ...make, status: "started" }, log("one\ntwo"));
		handle({ ...make, status: "done", durationMs: 100 });
		renderer.close();
		assert.deepEqual(rows().slice(0, 2), ["[2/3] one", "[2/3] two"]);
	});

	it("obeys no escape sequence from the build", async () => {
		const { screen, renderer, handle, wait } = await tty({ verbose: true });
		const evil = "\x1b[2J\x1b]0;pwned\x07\x9b3A";
		handle(
			{ type: "step", id: "m", name: `RUN ${evil}`, status: "started" },
			log(`${evil}a\n${evil}b`),
		);
		wait(100);
		renderer.fail({ message: evil, logTail: [evil] });
		for (const part of ["[2J", "pwned", "\x07", "\x9b"]) {
			assert.ok(!screen.err.join("").includes(part), part);
		}
	});
});
