import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { displayWidth } from "../../../../src/render/display-width.js";
import { progressBar } from "../../../../src/render/live/progress-bar.js";
import { TransferMeter } from "../../../../src/render/live/transfer-meter.js";

function meter(bytes: number): TransferMeter {
	const moved = new TransferMeter(0);
	moved.update(bytes, 1000);
	return moved;
}

describe("progress bar", () => {
	const push = {
		label: "pushing to registry.example:5000/team/app:1.0",
		bytes: 6_000_000,
		totalBytes: 12_000_000,
		meter: meter(6_000_000),
	};

	it("leaves out what matters least where it is narrow", () => {
		const bars = [150, 100, 70, 56, 36].map((width) => progressBar(push, width, 1000));
		assert.deepEqual(bars, [
			"pushing to registry.example:5000/team/app:1.0  [====================>                    ]  50%  6 MB of 12 MB  6 MB/s  1.0s left",
			"pushing to registry.example:5000/...  [==========>          ]  50%  6 MB of 12 MB  6 MB/s  1.0s left",
			"pushing to reg...  [=====>    ]  50%  6 MB of 12 MB  6 MB/s  1.0s left",
			"pushing to ...  [=====>    ]  50%  6 MB of 12 MB  6 MB/s",
			"pushing to re...  50%  6 MB of 12 MB",
		]);
	});

	it("never is wider than it may be", () => {
		for (let width = 1; width < 200; width++) {
			const line = progressBar({ ...push, label: "日本語 ".repeat(9) }, width, 1000);
			assert.ok(width < 26 || displayWidth(line) <= width, `${width}: ${line}`);
		}
	});

	it("stays full when more came than was announced", () => {
		const line = progressBar({ ...push, label: "up", bytes: 13_000_000 }, 50, 1000);
		assert.match(line, /^up {2}\[=+>\] 100%/);
	});

	it("is no bar without a total, but says what is going on", () => {
		const transfer = { label: "pushing to app", bytes: 0, totalBytes: undefined, meter: meter(0) };
		assert.equal(
			progressBar({ ...transfer, detail: "waiting" }, 80, 1000),
			"pushing to app  waiting",
		);
		assert.equal(
			progressBar({ ...transfer, bytes: 3_000_000, meter: meter(3_000_000) }, 80, 1000),
			"pushing to app  3 MB  3 MB/s",
		);
	});
});

describe("TransferMeter", () => {
	it("tells no rate before half a second has passed", () => {
		const young = new TransferMeter(0);
		young.update(100, 400);
		assert.equal(young.rate(400), undefined);
	});

	it("measures the last seconds, not the whole", () => {
		const steady = new TransferMeter(0);
		for (let second = 1; second <= 10; second++) steady.update(second * 1000, second * 1000);
		for (let second = 11; second <= 20; second++) {
			steady.update(10_000 + (second - 10) * 50, second * 1000);
		}
		assert.equal(steady.rate(20_000), 50);
	});

	it("sinks while nothing moves", () => {
		const stuck = meter(1000);
		assert.equal(stuck.rate(10_000), 100);
	});
});
