import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { tableOf } from "../../../src/cli/table.js";

const table = (width: number, ...rows: readonly (readonly string[])[]) =>
	tableOf(["NAME", "ENGINE", "ERROR"], rows, width).split("\n").slice(0, -1);
const mac = ["mac", "docker 28"];
const box = ["箱 *", "", "cannot reach it: SHA256:0123456789"];

describe("a table", () => {
	it("has columns as wide as what is in them", () => {
		assert.deepEqual(table(Number.POSITIVE_INFINITY, mac, box), [
			"NAME   ENGINE      ERROR",
			"mac    docker 28",
			"箱 *               cannot reach it: SHA256:0123456789",
		]);
		assert.deepEqual(table(53, mac, box), table(Number.POSITIVE_INFINITY, mac, box));
	});

	it("has those below that do not fit into a line, and nothing where they are empty", () => {
		assert.deepEqual(table(52, mac, box), [
			"NAME   ENGINE",
			"    ERROR",
			"mac    docker 28",
			"箱 *",
			"    cannot reach it: SHA256:0123456789",
		]);
	});

	it("wraps what is wider than a line between words, and breaks none", () => {
		assert.deepEqual(table(15, mac, box), [
			"NAME",
			"    ENGINE",
			"    ERROR",
			"mac",
			"    docker 28",
			"箱 *",
			"    cannot",
			"    reach it:",
			"    SHA256:0123456789",
		]);
	});
});
