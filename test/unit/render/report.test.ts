import assert from "node:assert/strict";
import { describe, it } from "node:test";
import picocolors from "picocolors";
import type { BuildReport, UploadReport } from "../../../src/events.js";
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
					{
						...{
							method: "push",
							destination: "r.example/app:2",
							bytes: 0,
							digest,
							durationMs: 900,
						},
						sentBytes: 1_200_000,
					},
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
			`         pushed to r.example/app:2@${digest} (1.2 MB sent from here)`,
			"         saved to app.tar (168 MB)",
			"         loaded into local docker at unix:///d.sock (168 MB)",
			"built    linux/amd64, docker 28.5.2 (buildkit)",
			"context  1,234 files, 12.3 MB",
			"ignored  4,321 files, 300 MB",
			"sent     3 files, 12 kB (under 1%), 7.5 kB (60%) saved by compression",
			"reused   104 files, 12 MB (over 99%) already there",
			"wire     3.44 MB sent (28% of the context), 1.2 MB received",
			"time     1m 06s in all, connect 0.4s, context 0.1s, upload 1.2s, build 1m 04s",
		]);
	});

	it("leaves out the phases that took no time", () => {
		const phases = { ...report.phases, connect: 49, deliver: 50 };
		const time = reportLines({ ...report, phases }, colors, 200).find((line) => /^time/.test(line));
		assert.equal(
			time,
			"time     1m 06s in all, context 0.1s, upload 1.2s, build 1m 04s, deliver 0.1s",
		);
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

	it("says of each of several platforms where it was built, and what was sent there", () => {
		const { upload, engine } = report;
		const arm = { ...engine, platform: "linux/arm64" };
		const platforms = [
			{ platform: "linux/amd64", imageId, target: "x86box", engine, upload },
			{ platform: "linux/arm64", imageId, target: "armbox", engine: arm },
		] as NonNullable<BuildReport["platforms"]>;
		const deliveries = [
			{ method: "push", destination: "r.example/app:1", bytes: 9, digest, durationMs: 9 },
		] as const;
		const lines = reportLines({ ...report, platforms, deliveries }, colors, 80);
		assert.deepEqual(lines.slice(2, 5), [
			`where    pushed to r.example/app:1@${digest}`,
			"built    linux/amd64 on x86box, docker 28.5.2 (buildkit), 5 kB sent",
			"         linux/arm64 on armbox, docker 28.5.2 (buildkit)",
		]);
		const { imageId: _, ...nowhere } = { ...report, platforms, tags: ["app:latest"] };
		assert.equal(reportLines(nowhere, colors, 80)[0], "image    app:latest");
	});

	it("wraps between its parts on a narrow terminal", () => {
		assert.deepEqual(reportLines(report, colors, 40).slice(-4), [
			"         1.2 MB received",
			"time     1m 06s in all, connect 0.4s,",
			"         context 0.1s, upload 1.2s,",
			"         build 1m 04s",
		]);
	});

	it("tells what was sent from what was there", () => {
		const rows = (upload: Partial<UploadReport>, columns = 80) => {
			const whole = { ...report, upload: { ...report.upload, ...upload } as UploadReport };
			const lines = reportLines(whole, colors, columns);
			const from = lines.findIndex((line) => line.startsWith("sent"));
			return lines.slice(
				from,
				lines.findIndex((line) => line.startsWith("wire")),
			);
		};
		assert.deepEqual(rows({}, 40), [
			"sent     3 files, 12 kB (under 1%),",
			"         7.5 kB (60%) saved by",
			"           compression",
			"reused   104 files,",
			"         12 MB (over 99%) already there",
		]);
		const all = { files: 107, bytes: 12_000_000 };
		const none = { files: 0, bytes: 0 };
		assert.deepEqual(rows({ ...none, alreadyThere: all }), [
			"sent     nothing",
			"reused   107 files, 12 MB (100%) already there",
		]);
		assert.deepEqual(rows({ ...all, alreadyThere: none, savedBytes: 0 }), [
			"sent     107 files, 12 MB (100%)",
		]);
		for (const little of [
			{ sentBytes: 29, savedBytes: 999 },
			{ sentBytes: 12_000_000, savedBytes: 100_000 },
			// On the list of the files that are there.
			{ sentBytes: 12_000_000, savedBytes: 12_100_000 },
		]) {
			const lines = rows({ ...all, alreadyThere: none, ...little });
			assert.deepEqual(lines, ["sent     107 files, 12 MB (100%)"]);
		}
		assert.deepEqual(rows({ ...none, files: 1, alreadyThere: none, savedBytes: 0 }), [
			"sent     1 file, 0 B",
		]);
	});

	it("says of a tar that all was sent, and of an archive how much", () => {
		const upload: UploadReport = {
			transfer: "tar",
			files: 1234,
			bytes: 12_300_000,
			alreadyThere: { files: 0, bytes: 0 },
			sentBytes: 3_000_000,
			savedBytes: 9_000_000,
		};
		const sent = (lines: readonly string[]) => lines.filter((line) => /^(sent|reused)/.test(line));
		assert.deepEqual(sent(reportLines({ ...report, upload }, colors, 80)), [
			"sent     all of it, as a tar, 9 MB (75%) saved by compression",
		]);
		const { context: _, ...rest } = report;
		const { files: __, ...unlisted } = upload;
		const archive = { ...rest, contextKind: "archive", upload: unlisted } as const;
		assert.deepEqual(sent(reportLines(archive, colors, 80)), [
			"sent     12.3 MB as a tar, 9 MB (75%) saved by compression",
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

	it("has no share of a context that is smaller than what any build sends", () => {
		const wireOf = (bytes: number, sent: number, used = bytes) => {
			const context = { files: 3, bytes, ignored: { files: 0, bytes: 0, complete: true } };
			const none = { files: 0, bytes: 0 };
			const counts = { sentBytes: sent, savedBytes: 0, alreadyThere: none };
			const upload = { transfer: "sync", files: 1, bytes: used, ...counts } as const;
			const wire = { sent, received: 9270 };
			const lines = reportLines({ ...report, context, upload, wire }, colors, 80);
			return lines.find((line) => line.startsWith("wire"));
		};
		assert.equal(wireOf(600, 42_600), "wire     42.6 kB sent, 9.27 kB received");
		assert.equal(
			wireOf(600_000, 9_000),
			"wire     9 kB sent (2% of the context), 9.27 kB received",
		);
		assert.equal(
			wireOf(600_000, 6_000_000),
			"wire     6 MB sent (10x of the context), 9.27 kB received",
		);
		// What named contexts have is not in the size of the context itself.
		assert.equal(
			wireOf(600, 6_000_000, 6_000_000),
			"wire     6 MB sent (100% of the context), 9.27 kB received",
		);
	});

	it("has no share of a context that the daemon fetched", () => {
		const { context: _, upload: __, ...rest } = report;
		const lines = reportLines({ ...rest, contextKind: "remote" }, colors, 80);
		assert.ok(lines.includes("context  fetched by the daemon"));
		assert.ok(!lines.some((line) => /^(sent|reused)/.test(line)));
		assert.ok(lines.includes("wire     3.44 MB sent, 1.2 MB received"));
		const archive = reportLines({ ...rest, contextKind: "archive" }, colors, 80);
		assert.ok(archive.includes("context  passed on as it came"));
	});
});
