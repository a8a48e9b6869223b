import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { csvFields } from "../../../../src/cli/flags/csv-fields.js";
import { parseSecret, parseSsh } from "../../../../src/cli/flags/mount-values.js";

suite("CSV fields", () => {
	test("are separated by commas, and may be quoted", () => {
		for (const [line, fields] of [
			["a", ["a"]],
			["", [""]],
			["a,b=c,", ["a", "b=c", ""]],
			['a,"b,c",d', ["a", "b,c", "d"]],
			['"say ""hi"""', ['say "hi"']],
			['"a', undefined],
			['"a"b', undefined],
			['a"b', undefined],
		] as const) {
			assert.deepEqual(csvFields(line), fields, line);
		}
	});
});

suite("--secret", () => {
	test("has the forms of docker buildx", () => {
		for (const [text, secret] of [
			["id=a", { id: "a" }],
			["id=a,src=b", { id: "a", src: "b" }],
			["source=b=c,ID=a", { id: "a", src: "b=c" }],
			["type=file,id=a,src=b", { id: "a", src: "b" }],
			["id=a,env=B", { id: "a", env: "B" }],
			["id=a,type=env", { id: "a" }],
			["type=env,id=a,src=B", { id: "a", env: "B" }],
			["type=env,id=a,src=b,env=C", { id: "a", src: "b", env: "C" }],
			['id=a,"src=b,c"', { id: "a", src: "b,c" }],
		] as const) {
			assert.deepEqual(parseSecret(text), secret, text);
		}
	});

	test("is refused without a word of what may be the secret itself", () => {
		for (const [text, message] of [
			["src=hunter2", /has no id$/],
			["hunter2", /has a field without a value$/],
			["id=a,hunter2", /has a field without a value$/],
			["id=a,value=hunter2", /does not support the field value$/],
			["id=a,src=", /has an empty src$/],
			["id=,src=hunter2", /has an empty id$/],
			["id=a,type=hunter2", /a: the type must be file or env$/],
			['id=a,"src=hunter2', /has an unclosed or misplaced quote$/],
			["id=a,__proto__=x", /does not support the field __proto__$/],
		] as const) {
			assert.throws(
				() => parseSecret(text),
				(error: Error) => {
					assert.equal(error.name, "UsageError");
					assert.match(error.message, message);
					assert.doesNotMatch(error.message, /hunter2/);
					return true;
				},
			);
		}
	});
});

suite("--ssh", () => {
	test("has the forms of docker buildx", () => {
		for (const [text, option] of [
			["default", { id: "default" }],
			["a=/run/agent", { id: "a", paths: ["/run/agent"] }],
			["a=b,c=d", { id: "a", paths: ["b", "c=d"] }],
			["a=b,raw=true", { id: "a", paths: ["b"], raw: true }],
			["a=raw=1,b", { id: "a", paths: ["b"], raw: true }],
			["a=b,raw=T", { id: "a", paths: ["b"], raw: true }],
			["a=b,raw=false", { id: "a", paths: ["b"] }],
		] as const) {
			assert.deepEqual(parseSsh(text), option, text);
		}
	});

	test("is refused where it names nothing", () => {
		for (const text of ["a=", "=b", "a=b,", "a=b,raw=maybe", "a=b,raw=tRUE"]) {
			assert.throws(() => parseSsh(text), { name: "UsageError" }, text);
		}
	});
});
