import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { namedImages } from "../../../src/build/base-images.js";

suite("base images", () => {
	test("are those of FROM lines, without stages, scratch and repetitions", async () => {
		const dockerfile = [
			"FROM --platform=linux/amd64 reg.example:5000/go:1 AS build",
			"FROM scratch AS empty",
			"FROM build AS again",
			"FROM alpine",
			"FROM alpine",
		].join("\n");
		assert.deepEqual(await namedImages(dockerfile, {}), {
			images: ["reg.example:5000/go:1", "alpine"],
			complete: true,
		});
	});

	test("have their variables filled in from ARG and build arguments", async () => {
		const dockerfile = [
			"ARG REGISTRY=docker.io",
			"ARG TAG=1",
			"ARG EMPTY",
			// biome-ignore lint/suspicious/noTemplateCurlyInString: a Dockerfile's variables.
			"FROM ${REGISTRY}/app:$TAG",
			// biome-ignore lint/suspicious/noTemplateCurlyInString: a Dockerfile's variables.
			"FROM ${EMPTY:-fallback}/x",
			"FROM $UNKNOWN/y",
		].join("\n");
		assert.deepEqual(await namedImages(dockerfile, { TAG: "2", REGISTRY: null }), {
			images: ["docker.io/app:2", "fallback/x"],
			complete: false,
		});
	});

	test("are also what files are copied and mounted from, unless that is a stage", async () => {
		const dockerfile = [
			"FROM alpine AS Build",
			"FROM scratch",
			"COPY --from=build /a /a",
			"COPY --from=0 /a /a",
			"COPY --from=nginx:1 /b /b",
			"RUN --mount=type=bind,from=tools,target=/t /t/run",
		].join("\n");
		assert.deepEqual(await namedImages(dockerfile, {}), {
			images: ["alpine", "nginx:1", "tools"],
			complete: true,
		});
	});
});
