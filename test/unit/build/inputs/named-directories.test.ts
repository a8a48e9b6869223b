import assert from "node:assert/strict";
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { NamedDirectories } from "../../../../src/build/inputs/named-directories.js";
import type { NamedContext } from "../../../../src/build/plan/named-contexts.js";
import type { SecretsCheck } from "../../../../src/build/plan/options.js";
import { ContextError } from "../../../../src/errors.js";
import { noSymlinks } from "../../../support/this-system.js";
import { emptyTree } from "../../context/trees.js";
import { run } from "../../image/fake-engine.js";

/** A directory named "lib" with a token in it, beside what is no directory. */
async function open(test: TestContext, check: SecretsCheck, caller = run()) {
	const root = emptyTree(test);
	mkdirSync(join(root, "a"));
	writeFileSync(join(root, "a/b"), "12345");
	writeFileSync(join(root, ".env"), "API_TOKEN=q7Zr4wVx0Lm\n");
	const contexts = new Map<string, NamedContext>([
		["lib", { kind: "directory", root, platform: "linux" }],
		["base", { kind: "remote", source: "docker-image://alpine" }],
	]);
	return { root, caller, named: await NamedDirectories.open(contexts, check, caller) };
}

describe("the directories among the named contexts", () => {
	it("are walked and checked once, for all boxes", async (test) => {
		const { root, caller, named } = await open(test, "warn");
		await using first = named;
		const boxes = [first, first.forAnotherBox()];
		for (const box of boxes) {
			const [lib = assert.fail(), ...others] = await box.walked();
			assert.deepEqual([lib.name, lib.root, lib.totals], ["lib", root, { files: 2, bytes: 27 }]);
			assert.deepEqual(others, []);
		}
		const [warning, ...more] = caller.events;
		assert.ok(warning?.type === "secrets" && warning.source === "lib");
		assert.deepEqual(more, []);
	});

	it("have the rules that the frontend finds in them, and no others", {
		skip: noSymlinks,
	}, async (test) => {
		const root = emptyTree(test);
		const elsewhere = join(emptyTree(test), "rules");
		for (const path of [elsewhere, join(root, "rules")]) writeFileSync(path, "rules\n");
		const ignoreFile = join(root, ".dockerignore");
		const rules = async () => {
			const contexts = new Map([["lib", { kind: "directory", root, platform: "linux" } as const]]);
			await using named = await NamedDirectories.open(contexts, "off", run());
			const [{ ignore } = assert.fail()] = await named.walked();
			return ignore?.content.toString();
		};
		assert.equal(await rules(), undefined);
		symlinkSync("rules", ignoreFile);
		assert.equal(await rules(), "rules\n");
		for (const target of [elsewhere, "../rules", "missing", ".dockerignore", "."]) {
			rmSync(ignoreFile);
			symlinkSync(target, ignoreFile);
			assert.equal(await rules(), undefined, target);
		}
		rmSync(ignoreFile);
		mkdirSync(ignoreFile);
		assert.equal(await rules(), undefined);
	});

	it("are refused with rules that no builder can read", async (test) => {
		const root = emptyTree(test);
		writeFileSync(join(root, ".dockerignore"), Buffer.from("\ufeffsecret\n", "utf16le"));
		const contexts = new Map([["lib", { kind: "directory", root, platform: "linux" } as const]]);
		await assert.rejects(NamedDirectories.open(contexts, "off", run()), {
			name: "ContextError",
			message: `cannot read ${join(root, ".dockerignore")}: it is text in UTF-16, which no builder reads`,
		});
	});

	it("are not sent with credentials in them, where that is not wanted", async (test) => {
		await using named = (await open(test, "deny")).named;
		await assert.rejects(named.walked(), ContextError);
		await assert.rejects(named.forAnotherBox().walked(), ContextError);
	});
});
