import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { isKnownFrontend, namedFrontend } from "../../../../src/survey/dockerfile/frontends.js";

suite("the frontend of a Dockerfile", () => {
	test("is the one that it names, in each of the ways that BuildKit knows", () => {
		const named = [
			"# syntax=x\nFROM y",
			"\uFEFF#syntax = x experimental\n",
			"#!/usr/bin/env -S docker build -f\n# escape=`\n\n# Syntax=x\nFROM y",
			"// comment\n// syntax=x\n",
			'{ "a": 1, "syntax": "x" }',
			'#!/bin/x\n{"syntax":"x"}',
		];
		for (const content of named) assert.equal(namedFrontend(Buffer.from(content)), "x", content);
	});

	test("is the builder's own where none is named", () => {
		const unnamed = [
			"",
			"FROM y\n# syntax=x\n",
			"# syntaxis=x\nFROM y",
			'RUN echo \'{"syntax":"x"}\'',
		];
		for (const content of unnamed) {
			assert.equal(namedFrontend(Buffer.from(content)), undefined, content);
		}
		assert.equal(isKnownFrontend(undefined), true);
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
