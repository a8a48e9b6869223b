import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { NeedsOptions } from "../../../../src/survey/dockerfile/dockerfile-needs.js";
import { namedImages } from "../../../../src/survey/dockerfile/named-images.js";

const classic = { builder: "classic" } as const;

/** All of them, none of which is left out. */
function allImages(lines: readonly string[], options: NeedsOptions = {}): readonly string[] {
	const { images, complete } = namedImages(lines.join("\n"), options);
	assert.equal(complete, true);
	return images;
}

suite("the images that a Dockerfile names", () => {
	test("are those of FROM, without stages, scratch and repetitions", () => {
		const lines = [
			"FROM --platform=linux/amd64 reg.example:5000/go:1 AS build",
			"FROM scratch AS empty",
			"FROM Build AS again",
			"FROM alpine",
			"FROM alpine",
		];
		assert.deepEqual(allImages(lines, classic), ["reg.example:5000/go:1", "alpine"]);
	});

	test("have their variables filled in, from ARG that names others and from build arguments", () => {
		const lines = [
			"ARG REGISTRY=reg.example.com",
			"ARG TAG=1 EMPTY",
			'ARG BASE="$REGISTRY/app:$TAG"',
			"FROM $BASE",
			"FROM ${EMPTY:-fallback}/x",
		];
		const options = { ...classic, buildArgs: { TAG: "2", REGISTRY: null } };
		assert.deepEqual(allImages(lines, options), ["reg.example.com/app:2", "fallback/x"]);
	});

	test("are not all known where a variable is not", () => {
		const lines = ["FROM $UNSET AS a", "FROM x:$TARGETARCH", "FROM alpine", "COPY --from=$X / /"];
		const named = namedImages(lines.join("\n"), classic);
		assert.deepEqual(named, { images: ["alpine"], complete: false });
	});

	test("are known where a variable only stands for their platform", () => {
		assert.deepEqual(allImages(["FROM --platform=$BUILDPLATFORM go:1"], classic), ["go:1"]);
	});

	test("are also what files are copied and mounted from, unless that is a stage", () => {
		const lines = [
			"FROM alpine AS Build",
			"FROM scratch",
			"COPY --from=build /a /a",
			"COPY --from=0 /a /a",
			"COPY --from=7 /a /a",
			"COPY --from=scratch /a /a",
			"COPY --from=nginx:1 /b /b",
			"RUN --mount=type=bind,from=tools,target=/t /t/run",
		];
		assert.deepEqual(allImages(lines), ["alpine", "nginx:1", "tools"]);
	});

	test("are nothing that only looks like one", () => {
		const lines = [
			"# COPY --from=comment / /",
			"FROM scratch",
			"RUN echo from=zzz",
			'LABEL from="zzz"',
			"RUN <<EOF",
			"FROM zzz",
			"EOF",
			"ONBUILD COPY --from=zzz / /",
		];
		assert.deepEqual(allImages(lines), []);
	});

	test("are those of what is built for the target, and of all before it in other builders", () => {
		const lines = ["FROM a", "FROM b AS aim", "FROM c"];
		assert.deepEqual(allImages(lines), ["c"]);
		assert.deepEqual(allImages(lines, { target: "" }), ["c"]);
		assert.deepEqual(allImages(lines, { target: "aim" }), ["b"]);
		assert.deepEqual(allImages(lines, { ...classic, target: "aim" }), ["a", "b"]);
	});

	test("are none in what is no Dockerfile, which no builder makes an image of", () => {
		for (const dockerfile of ["", "FROM a\nFRM b", "FROM a b", "FROM ${A:?unset}"]) {
			const named = namedImages(dockerfile, classic);
			assert.deepEqual(named, { images: [], complete: false }, dockerfile);
		}
	});
});
