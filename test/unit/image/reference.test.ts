import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { UsageError } from "../../../src/errors.js";
import { parseReference, parseTag } from "../../../src/image/reference.js";

const HEX = "0123456789abcdef".repeat(4);

// What github.com/distribution/reference (ParseNormalizedNamed, TagNameOnly) answered for each.
const REFERENCES: readonly [text: string, domain: string, path: string, familiar: string][] = [
	["app", "docker.io", "library/app", "app:latest"],
	["app:1.0", "docker.io", "library/app", "app:1.0"],
	["me/app", "docker.io", "me/app", "me/app:latest"],
	["docker.io/app", "docker.io", "library/app", "app:latest"],
	["index.docker.io/me/app", "docker.io", "me/app", "me/app:latest"],
	["library/app", "docker.io", "library/app", "app:latest"],
	["library/a/b", "docker.io", "library/a/b", "library/a/b:latest"],
	["localhost/app", "localhost", "app", "localhost/app:latest"],
	["localhost:5000/app:x", "localhost:5000", "app", "localhost:5000/app:x"],
	["ghcr.io/me/app", "ghcr.io", "me/app", "ghcr.io/me/app:latest"],
	["Box/app", "Box", "app", "Box/app:latest"],
	["[::1]:5000/app", "[::1]:5000", "app", "[::1]:5000/app:latest"],
	["a__b/c--d.e_f:-".slice(0, -2), "docker.io", "a__b/c--d.e_f", "a__b/c--d.e_f:latest"],
	["app:5000", "docker.io", "library/app", "app:5000"],
	[`app@sha256:${HEX}`, "docker.io", "library/app", `app@sha256:${HEX}`],
	[`app:1@sha256:${HEX}`, "docker.io", "library/app", `app:1@sha256:${HEX}`],
	[`app:${"t".repeat(128)}`, "docker.io", "library/app", `app:${"t".repeat(128)}`],
	[`a.io/${"p".repeat(255)}`, "a.io", "p".repeat(255), `a.io/${"p".repeat(255)}:latest`],
];

describe("an image reference", () => {
	for (const [text, domain, path, familiar] of REFERENCES) {
		it(`${text.slice(0, 40)} is ${domain}/${path.slice(0, 20)}`, () => {
			const reference = parseReference(text);
			assert.equal(reference.domain, domain);
			assert.equal(reference.path, path);
			assert.equal(reference.familiar, familiar);
		});
	}

	it("has the tag latest only where it names neither a tag nor a digest", () => {
		assert.equal(parseReference("app").tag, "latest");
		assert.equal(parseReference("app:1").tag, "1");
		assert.equal(parseReference(`app@sha256:${HEX}`).tag, undefined);
		assert.equal(parseReference(`app@sha256:${HEX}`).digest, `sha256:${HEX}`);
	});

	for (const text of [
		...["", " ", ":", "/app", "app/", "app:", "app@", "a//b", "-app", "app-", "a..b", "a___b"],
		...["A", "A:b", "me/App", "app:ü", "app:a/b", "http://a.io/b", "a.io:x/b", "a b", "app\n"],
		...[HEX, `app:${"t".repeat(129)}`, `app:-1`, `a.io/${"p".repeat(256)}`, "app@sha256:00"],
		...[`app@md5:${"0".repeat(32)}`, `app@sha256:${HEX}0`, `app@sha256:${HEX.toUpperCase()}`],
	]) {
		it(`is not ${JSON.stringify(text.slice(0, 40))}`, () => {
			assert.throws(() => parseReference(text), UsageError);
		});
	}
});

describe("a tag", () => {
	it("is refused by name, with the right way to write it", () => {
		assert.throws(() => parseTag("A:b"), {
			name: "UsageError",
			message: 'invalid tag "A:b": the repository name must be lower case',
			hint: 'write it as "a:b"',
		});
		assert.throws(() => parseTag("App/Web:V1"), { hint: 'write it as "app/web:V1"' });
	});

	it("cannot hold a digest", () => {
		assert.throws(() => parseTag(`app:1@sha256:${HEX}`), /a tag cannot hold a digest/);
	});
});
