import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { homeDirectory } from "../../../../src/cli/process/home-directory.js";

const named = (homedir: string) => () => ({ homedir });
const nameless = () => {
	throw new Error("uv_os_get_passwd returned ENOENT (no such file or directory)");
};

describe("the home directory", () => {
	it("is what HOME says", () => {
		assert.equal(homeDirectory({ homedir: () => "/home/anna", userInfo: nameless }), "/home/anna");
	});

	it("is the one of the user where HOME is empty or relative", () => {
		for (const home of ["", "anna"]) {
			assert.equal(
				homeDirectory({ homedir: () => home, userInfo: named("/home/anna") }),
				"/home/anna",
			);
		}
	});

	it("is the root for a user id that has no name, with and without an empty HOME", () => {
		for (const homedir of [nameless, () => ""]) {
			assert.equal(homeDirectory({ homedir, userInfo: nameless }), "/");
		}
	});
});
