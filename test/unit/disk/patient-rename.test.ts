import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { isInUse, renamePatiently, renamePatientlySync } from "../../../src/disk/patient-rename.js";
import { emptyTree } from "../context/trees.js";

/** A system whose antivirus program holds each file for that many attempts. */
function heldFor(attempts: number, code: string, platform: NodeJS.Platform = "win32") {
	const pauses: number[] = [];
	const renamed: string[] = [];
	const attempt = (from: string, to: string) => {
		if (attempts-- > 0) throw Object.assign(new Error(`${code}: held`), { code });
		renamed.push(`${from} ${to}`);
	};
	const pause = (ms: number) => {
		pauses.push(ms);
	};
	return {
		pauses,
		renamed,
		system: {
			platform,
			rename: async (from: string, to: string) => attempt(from, to),
			wait: async (ms: number) => pause(ms),
		},
		blocking: { platform, rename: attempt, wait: pause },
	};
}

const sum = (pauses: readonly number[]) => pauses.reduce((total, each) => total + each, 0);

describe("a file that is renamed", () => {
	for (const code of ["EPERM", "EACCES", "EBUSY"]) {
		it(`is waited for on Windows where it is held (${code}), longer each time`, async () => {
			const { pauses, renamed, system } = heldFor(4, code);
			await renamePatiently("a", "b", system);
			assert.deepEqual(renamed, ["a b"]);
			assert.deepEqual(pauses, [10, 20, 40, 80]);
			const { pauses: short, renamed: blocked, blocking } = heldFor(2, code);
			renamePatientlySync("a", "b", blocking);
			assert.deepEqual([blocked, short], [["a b"], [10, 20]]);
		});
	}

	it("is given up after about five seconds", async () => {
		const { pauses, system } = heldFor(100, "EPERM");
		await assert.rejects(renamePatiently("a", "b", system), { code: "EPERM" });
		assert.ok(sum(pauses) > 4_500 && sum(pauses) < 6_000, String(pauses));
		const { pauses: short, blocking } = heldFor(100, "EPERM");
		assert.throws(() => renamePatientlySync("a", "b", blocking), { code: "EPERM" });
		assert.ok(sum(short) < 1_000, String(short));
	});

	it("is not waited for elsewhere, nor for what does not pass", async () => {
		for (const held of [heldFor(1, "EPERM", "linux"), heldFor(1, "ENOENT")]) {
			await assert.rejects(renamePatiently("a", "b", held.system));
			assert.deepEqual(held.pauses, []);
		}
		for (const held of [heldFor(1, "EBUSY", "darwin"), heldFor(1, "ENOSPC")]) {
			assert.throws(() => renamePatientlySync("a", "b", held.blocking));
			assert.deepEqual(held.pauses, []);
		}
		assert.equal(isInUse(Object.assign(new Error(), { code: "EBUSY" }), "linux"), false);
	});

	it("has its new name", async (test) => {
		const folder = emptyTree(test);
		const [one, two, three] = ["one", "two", "three"].map((name) => join(folder, name)) as [
			...[string, string, string],
		];
		writeFileSync(one, "content");
		await renamePatiently(one, two);
		renamePatientlySync(two, three);
		assert.equal(readFileSync(three, "utf8"), "content");
		assert.ok(!existsSync(one) && !existsSync(two));
	});
});
