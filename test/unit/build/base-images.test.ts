import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { baseImages } from "../../../src/build/base-images.js";

suite("base images", () => {
	test("are those of FROM lines, without stages, scratch and repetitions", async () => {
		const dockerfile = [
			"FROM --platform=linux/amd64 reg.example:5000/go:1 AS build",
			"FROM scratch AS empty",
			"FROM build AS again",
			"FROM alpine",
			"FROM alpine",
		].join("\n");
		assert.deepEqual(await baseImages(dockerfile, {}), ["reg.example:5000/go:1", "alpine"]);
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
		assert.deepEqual(await baseImages(dockerfile, { TAG: "2", REGISTRY: null }), [
			"docker.io/app:2",
			"fallback/x",
		]);
	});
});
