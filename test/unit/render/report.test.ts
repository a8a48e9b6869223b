import assert from "node:assert/strict";
import { describe, it } from "node:test";
import picocolors from "picocolors";
import { reportLines } from "../../../src/render/report.js";
import { imageId, report } from "./fake-screen.js";

const colors = picocolors.createColors(false);
const digest = `sha256:${"99ff".repeat(16)}`;

describe("the closing report", () => {
	it("answers what, where, how, and what it took", () => {
		const lines = reportLines(
			{
				...report,
				tags: ["app:latest", "r.example/app:1"],
				deliveries: [
					{ method: "push", destination: "r.example/app:1", bytes: 0, digest, durationMs: 900 },
					{ method: "save", destination: "app.tar", bytes: 168_000_000, durationMs: 2100 },
					{ method: "load", destination: "unix:///d.sock", bytes: 168_000_000, durationMs: 2100 },
				],
			},
			colors,
			80,
		);
		assert.deepEqual(lines, [
			"image    1a2b3c4d5e6f, app:latest, r.example/app:1",
			`id       ${imageId}`,
			"where    on x86box",
			`         pushed to r.example/app:1@${digest}`,
			"         saved to app.tar (168 MB)",
			"         loaded into local docker at unix:///d.sock (168 MB)",
			"built    linux/amd64, docker 28.5.2 (buildkit)",
			"context  1,234 files, 12.3 MB",
			"ignored  4,321 files, 300 MB",
			"wire     3.44 MB sent (28% of the context), 1.2 MB received",
			"time     1m 06s in all, connect 0.4s, context 0.1s, upload 1.2s, build 1m 04s",
		]);
	});

	it("says where the files are, of a build without an image", () => {
		const { imageId: _, ...withoutImage } = report;
		const deliveries = [
			{ method: "export", destination: "/home/me/out", bytes: 10_800, durationMs: 9 },
		] as const;
		assert.deepEqual(
			reportLines({ ...withoutImage, tags: [], deliveries }, colors, 80).slice(0, 3),
			[
				"where    built on x86box",
				"         exported to /home/me/out (10.8 kB)",
				"built    linux/amd64, docker 28.5.2 (buildkit)",
			],
		);
	});

	it("wraps between its parts on a narrow terminal", () => {
		assert.deepEqual(reportLines(report, colors, 40).slice(-4), [
			"         1.2 MB received",
			"time     1m 06s in all, connect 0.4s,",
			"         context 0.1s, upload 1.2s,",
			"         build 1m 04s",
		]);
	});

	it("says when there is more in ignored folders than was counted", () => {
		const ignored = (files: number, complete: boolean) => {
			const context = { files: 1, bytes: 10, ignored: { files, bytes: files * 10, complete } };
			const lines = reportLines({ ...report, context }, colors, 80);
			return lines.find((line) => line.startsWith("ignored"));
		};
		assert.equal(ignored(2, false), "ignored  2 files, 20 B, more in ignored folders");
		assert.equal(ignored(0, false), "ignored  whole folders");
		assert.equal(ignored(0, true), undefined);
	});

	it("has no share of a context that the daemon fetched", () => {
		const { context: _, ...rest } = report;
		const lines = reportLines({ ...rest, contextKind: "remote" }, colors, 80);
		assert.ok(lines.includes("context  fetched by the daemon"));
		assert.ok(lines.includes("wire     3.44 MB sent, 1.2 MB received"));
		const archive = reportLines({ ...rest, contextKind: "archive" }, colors, 80);
		assert.ok(archive.includes("context  passed on as it came"));
	});
});
