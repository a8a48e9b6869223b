import assert from "node:assert/strict";
import { test } from "node:test";
import picocolors from "picocolors";
import type { DryRunReport } from "../../../src/events.js";
import { dryRunLines } from "../../../src/render/dry-run-report.js";

const colors = picocolors.createColors(false);

const report: DryRunReport = {
	target: "x86box",
	chosenBy: "--on",
	tags: ["app:latest"],
	platform: "linux/amd64",
	source: ".",
	contextKind: "directory",
	dockerfile: "Dockerfile",
	context: { files: 412, bytes: 12e6, ignored: { files: 38_000, bytes: 412e6, complete: true } },
	advice: [
		{ text: "ignore dist", files: 31, bytes: 4e6 },
		{ text: "write a .dockerignore", files: 0, bytes: 0 },
	],
	deliveries: [{ method: "save", destination: "/tmp/app.tar" }],
	box: {
		engine: {
			...{ product: "docker", version: "28.5.2", apiVersion: "1.51" },
			...{ platform: "linux/amd64", builder: "buildkit" as const },
		},
		route: "ssh, streamlocal",
	},
	transfer: {
		transfer: "sync",
		reason: "it has most of it",
		upload: { files: 3, bytes: 4100, atMost: false },
	},
};

test("answers one question in each line", () => {
	assert.deepEqual(dryRunLines(report, colors, 100), [
		"where    x86box (--on), ssh, streamlocal",
		"engine   docker 28.5.2 (buildkit) on linux/amd64",
		"image    app:latest",
		"context  . (Dockerfile), 412 files, 12 MB, 38,000 files, 412 MB ignored",
		"transfer sync: it has most of it",
		"send     3 files, 4.1 kB that the box was not sent before",
		"then     saving to /tmp/app.tar",
		"advice   ignore dist (4 MB)",
		"         write a .dockerignore",
		"nothing was sent, built or kept",
	]);
});

test("leaves out what the box would have to say where it could not be asked", () => {
	const { box: _box, transfer: _transfer, platform: _platform, ...here } = report;
	const lines = dryRunLines(here, colors, 100);
	assert.equal(lines[0], "where    x86box (--on)");
	assert.equal(lines[1], "engine   unknown: the box was not reached");
	assert.ok(!lines.some((line) => /^(transfer|send)/.test(line)));
});

test("says how sure it is of what would be sent", () => {
	const { transfer } = report;
	if (transfer === undefined) assert.fail();
	const { upload: _upload, ...unknown } = transfer;
	const send = (part: DryRunReport) =>
		dryRunLines(part, colors, 100)
			.find((line) => line.startsWith("send"))
			?.slice(9);
	const upload = (files: number, atMost: boolean) => ({ files, bytes: files * 10, atMost });
	assert.equal(
		send({ ...report, transfer: { ...transfer, upload: upload(1, true) } }),
		"at most 1 file, 10 B that the box was not sent before",
	);
	assert.equal(
		send({ ...report, transfer: { ...transfer, upload: upload(0, false) } }),
		"nothing: the box was sent all of it before",
	);
	assert.equal(
		send({ ...report, transfer: { ...transfer, transfer: "tar", upload: upload(2, false) } }),
		"what the Dockerfile takes: 2 files, 20 B",
	);
	assert.equal(
		send({ ...report, transfer: { ...transfer, transfer: "tar", upload: upload(412, false) } }),
		"all of it: 412 files, 4.12 kB",
	);
	assert.equal(
		send({ ...report, transfer: unknown }),
		"what the builder does not have, which it alone knows",
	);
	assert.equal(send({ ...report, contextKind: "remote", transfer: unknown }), "nothing");
});

test("shows no control characters of names", () => {
	const lines = dryRunLines({ ...report, source: "\u001b[2Jcontext\n" }, colors, 100);
	assert.match(lines[3] ?? "", /^context {2}context \(Dockerfile\)/);
});

test("wraps advice, and other long parts, between words where it is narrow", () => {
	const text = "node_modules: packages that npm, yarn or pnpm installs";
	const advice = [{ text, files: 1, bytes: 3e6 }];
	const lines = dryRunLines({ ...report, advice }, colors, 40);
	assert.deepEqual(lines.slice(-4, -1), [
		"advice   node_modules: packages that",
		"           npm, yarn or pnpm installs (3",
		"           MB)",
	]);
	assert.ok(lines.every((line) => line.length <= 40));
});
