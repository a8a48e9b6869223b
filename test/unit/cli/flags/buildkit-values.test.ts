import assert from "node:assert/strict";
import { suite, test } from "node:test";
import {
	parseAttestations,
	parseCacheFrom,
	parseCacheTo,
	parseCall,
	parsePairs,
} from "../../../../src/cli/flags/buildkit-values.js";
import { UsageError } from "../../../../src/errors.js";

suite("the values of BuildKit's flags", () => {
	test("name caches by images or by type and attributes", () => {
		assert.deepEqual(parseCacheFrom("a,b:1"), ["a", "b:1"]);
		assert.deepEqual(parseCacheFrom('type=registry,"ref=a,b",x=y=z'), [
			{ type: "registry", attrs: { ref: "a,b", x: "y=z" } },
		]);
		assert.deepEqual(parseCacheTo("host/cache"), {
			type: "registry",
			attrs: { ref: "host/cache" },
		});
		assert.deepEqual(parseCacheTo("type=inline"), { type: "inline", attrs: {} });
		for (const text of ["ref=a", "type=registry,oops", 'type="x', "=x"]) {
			assert.throws(() => parseCacheTo(text), UsageError, text);
		}
		// They may hold credentials.
		for (const text of ["token=secret", "type=gha,token=,secret", 'type=gha,token="secret']) {
			assert.throws(
				() => parseCacheTo(text),
				({ message }) => !message.includes("secret"),
				text,
			);
		}
	});

	test("are pairs with a name, and any value", () => {
		assert.deepEqual(parsePairs(["a=b=c", "d="], "--x"), { a: "b=c", d: "" });
		assert.throws(() => parsePairs(["=b"], "--x"), UsageError);
		assert.throws(() => parsePairs(["b"], "--x"), UsageError);
	});

	test("ask for attestations in a long and two short forms, and take them back", () => {
		const read = (attest: string[], provenance?: string, sbom?: string) =>
			parseAttestations({ attest, provenance, sbom });
		assert.deepEqual(read(["type=sbom,generator=x"]), { sbom: { generator: "x" } });
		assert.deepEqual(read([], "mode=max", "true"), { provenance: { mode: "max" }, sbom: {} });
		assert.deepEqual(read(["type=provenance", "type=sbom,disabled=true"], "false"), {});
		assert.deepEqual(read([], "1", "f"), { provenance: {} });
		assert.throws(() => read(["mode=max"]), UsageError);
		assert.throws(() => read(["type=sbom,disabled=maybe"]), /disabled=maybe is neither true nor/);
		assert.throws(() => read(["sbom"]), {
			message: "field 1 of --attest is not of the form NAME=VALUE",
			hint: "write it as --attest type=sbom or --attest type=provenance,mode=max",
		});
		assert.throws(() => read([], "max"), {
			message: '--provenance "max" is not supported',
			hint: "use true, false, mode=min or mode=max",
		});
		assert.throws(() => read([], undefined, "scanner"), {
			message: '--sbom "scanner" is not supported',
			hint: "use true, false or generator=IMAGE",
		});
	});

	test("ask for a call, which is none for a build", () => {
		assert.equal(parseCall({}), undefined);
		assert.equal(parseCall({ call: "build", check: true }), undefined);
		const check = { call: "check", format: "text", ignoreStatus: false };
		assert.deepEqual(parseCall({ check: true }), check);
		assert.deepEqual(parseCall({ call: "lint" }), check);
		assert.deepEqual(parseCall({ call: "check,ignorestatus=1" }), { ...check, ignoreStatus: true });
		assert.deepEqual(parseCall({ call: "outline,format=json" }), {
			...check,
			call: "outline",
			format: "json",
		});
		for (const [call, message] of Object.entries({
			"": '--call "" is not supported',
			describe: '--call "describe" is not supported',
			"outline,format=yaml": "--call format=yaml is not supported",
			"outline,x": "field 1 of --call is not of the form NAME=VALUE",
			"outline,x=y": '--call does not support "x"',
			"check,ignorestatus=x": "--call ignorestatus=x is neither true nor false",
		})) {
			assert.throws(() => parseCall({ call }), { name: "UsageError", message });
		}
	});
});
