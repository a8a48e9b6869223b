import assert from "node:assert/strict";
import { suite, test } from "node:test";
import {
	frontendOf,
	isKnownFrontend,
	namedFrontend,
} from "../../../../src/survey/dockerfile/frontends.js";

suite("the frontend of a Dockerfile", () => {
	test("is the one that it names, in each of the ways that BuildKit knows, and where", () => {
		const named: readonly (readonly [number, string])[] = [
			[1, "# syntax=x\nFROM y"],
			[1, "\uFEFF#syntax = x experimental\r\n"],
			[3, "#!/usr/bin/env -S docker build -f\n# escape=`\n# Syntax=x\nFROM y"],
			[2, "// check=skip=all\n// syntax=x\n"],
			[1, '{ "a": 1, "syntax": "x" }'],
			[2, '#!/bin/x\n{"syntax":"x"}'],
		];
		for (const [line, content] of named) {
			assert.deepEqual(namedFrontend(content), { image: "x", line }, content);
		}
	});

	test("is the builder's own where none is named, or not above everything else", () => {
		const unnamed = [
			"",
			"FROM y\n# syntax=x\n",
			"# of y\n# syntax=x\nFROM y",
			"\n# syntax=x\nFROM y",
			" # syntax=x\nFROM y",
			"# syntaxis=x\n# syntax=x\nFROM y",
			'RUN echo \'{"syntax":"x"}\'',
			'{"syntax":"x"',
			'{"syntax":1}',
		];
		for (const content of unnamed) assert.equal(namedFrontend(content), undefined, content);
		assert.equal(isKnownFrontend(undefined), true);
	});

	test("is the one of the build arguments before that, even one that is no image", () => {
		const cases: readonly (readonly [string | null, string])[] = [
			["y", "y"],
			[" y z ", "y"],
			["", ""],
			[" ", ""],
			[null, "x"],
		];
		for (const [BUILDKIT_SYNTAX, frontend] of cases) {
			assert.equal(frontendOf("# syntax=x\nFROM z", { BUILDKIT_SYNTAX }), frontend);
		}
		assert.equal(frontendOf("# syntax=x\nFROM z"), "x");
		assert.equal(frontendOf("FROM z", { SYNTAX: "y" }), undefined);
		assert.equal(isKnownFrontend(""), false);
	});

	test("is docker's, of whatever version, or another one", () => {
		for (const name of ["docker/dockerfile", "docker.io/docker/dockerfile:1.7@sha256:0"]) {
			assert.equal(isKnownFrontend(name), true, name);
		}
		for (const name of ["docker/dockerfilex:1", "mirror.example/docker/dockerfile:1", "x"]) {
			assert.equal(isKnownFrontend(name), false, name);
		}
	});
});
