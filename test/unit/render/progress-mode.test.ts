import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
	chooseProgressMode,
	shouldUseColor,
	unknownProgress,
} from "../../../src/render/progress-mode.js";

describe("progress mode", () => {
	const auto = { requested: "auto", quiet: false, isTTY: true, env: {} } as const;

	it("is a terminal display only on a terminal that can do it", () => {
		assert.equal(chooseProgressMode(auto), "tty");
		assert.equal(chooseProgressMode({ ...auto, isTTY: false }), "plain");
		assert.equal(chooseProgressMode({ ...auto, env: { TERM: "dumb" } }), "plain");
		assert.equal(chooseProgressMode({ ...auto, env: { CI: "true" } }), "plain");
		assert.equal(chooseProgressMode({ ...auto, env: { CI: "false" } }), "tty");
		assert.equal(chooseProgressMode({ ...auto, env: { CI: "" } }), "tty");
	});

	it("is what was asked for, where that can be", () => {
		assert.equal(chooseProgressMode({ ...auto, requested: "json" }), "json");
		assert.equal(chooseProgressMode({ ...auto, requested: "plain" }), "plain");
		assert.equal(chooseProgressMode({ ...auto, requested: "tty", env: { CI: "1" } }), "tty");
		assert.equal(chooseProgressMode({ ...auto, requested: "tty", isTTY: false }), "plain");
	});

	it("is what BUILDKIT_PROGRESS says where no flag does", () => {
		const env = { BUILDKIT_PROGRESS: "plain" };
		assert.equal(chooseProgressMode({ ...auto, env }), "plain");
		assert.equal(chooseProgressMode({ ...auto, env, requested: "json" }), "json");
		assert.equal(chooseProgressMode({ ...auto, env: { BUILDKIT_PROGRESS: "tty" } }), "tty");
		assert.equal(chooseProgressMode({ ...auto, env: { BUILDKIT_PROGRESS: "rawjson" } }), "tty");
	});

	it("is not what the variable alone says that is no mode, and that is told", () => {
		for (const BUILDKIT_PROGRESS of ["rawjson", "nonsense"]) {
			const wish = { ...auto, env: { BUILDKIT_PROGRESS } };
			assert.equal(unknownProgress(wish), BUILDKIT_PROGRESS);
			assert.equal(unknownProgress({ ...wish, requested: "json" }), undefined);
			assert.equal(unknownProgress({ ...wish, quiet: true }), undefined);
		}
		for (const BUILDKIT_PROGRESS of ["", "auto", "plain", "tty", "quiet", "none"]) {
			assert.equal(unknownProgress({ ...auto, env: { BUILDKIT_PROGRESS } }), undefined);
		}
	});

	it("is none where the variable says quiet or none, as quiet prints no id there in buildx", () => {
		for (const BUILDKIT_PROGRESS of ["quiet", "none"]) {
			const env = { BUILDKIT_PROGRESS };
			assert.equal(chooseProgressMode({ ...auto, env }), "none");
			assert.equal(chooseProgressMode({ ...auto, env, requested: "plain" }), "plain");
			assert.equal(chooseProgressMode({ ...auto, env, quiet: true }), "quiet");
		}
	});

	it("is quiet with -q, whatever else was asked for", () => {
		assert.equal(chooseProgressMode({ ...auto, requested: "json", quiet: true }), "quiet");
	});
});

describe("colour", () => {
	const base = { flag: undefined, isTTY: true, env: {} };

	it("follows the flag, then NO_COLOR, then FORCE_COLOR, then the terminal", () => {
		assert.equal(shouldUseColor(base), true);
		assert.equal(shouldUseColor({ ...base, isTTY: false }), false);
		assert.equal(shouldUseColor({ ...base, env: { TERM: "dumb" } }), false);
		assert.equal(shouldUseColor({ ...base, env: { NO_COLOR: "1", FORCE_COLOR: "1" } }), false);
		assert.equal(shouldUseColor({ ...base, env: { NO_COLOR: "" } }), true);
		assert.equal(shouldUseColor({ ...base, isTTY: false, env: { FORCE_COLOR: "1" } }), true);
		assert.equal(shouldUseColor({ ...base, isTTY: false, env: { FORCE_COLOR: "" } }), true);
		assert.equal(shouldUseColor({ ...base, env: { FORCE_COLOR: "0" } }), false);
		assert.equal(shouldUseColor({ ...base, flag: true, env: { NO_COLOR: "1" } }), true);
		assert.equal(shouldUseColor({ ...base, flag: false, env: { FORCE_COLOR: "1" } }), false);
	});
});
