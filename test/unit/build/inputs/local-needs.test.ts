import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { LocalNeeds } from "../../../../src/build/inputs/local-needs.js";
import { StoredImages } from "../../../../src/build/inputs/stored-images.js";
import type { PlannedRequest } from "../../../../src/build/plan/build-plan.js";
import type { BuildContext } from "../../../../src/context/build-context.js";
import type { EngineQuestions } from "../../../../src/engine/engine.js";
import { EngineError } from "../../../../src/errors.js";
import type { Transport } from "../../../../src/transport/transport.js";

const image = {
	Id: "sha256:aa",
	Os: "linux",
	Architecture: "amd64",
	GraphDriver: { Name: "overlay2", Data: { MergedDir: "/m" } },
	Config: { OnBuild: null },
};

/** A daemon with these images; it notes down what it is asked for. */
function daemon(images: Readonly<Record<string, object>>) {
	const asked: string[] = [];
	const questions: EngineQuestions = {
		transport: { target: "box" } as Transport,
		async json({ path }) {
			asked.push(path);
			const found = images[path.replace(/^\/images\/|\/json$/g, "")];
			if (found === undefined) throw new EngineError("no such image", { status: 404 });
			return found;
		},
	};
	return { questions, asked };
}

async function areMet(
	dockerfile: string | undefined,
	images: Readonly<Record<string, object>> = { alpine: image },
	request: PlannedRequest = {},
): Promise<boolean> {
	const dockerfileContent = dockerfile === undefined ? undefined : Buffer.from(dockerfile);
	const context = { dockerfileContent } as BuildContext;
	const needs = new LocalNeeds(context, request, new StoredImages(new AbortController().signal));
	needs.read();
	needs.ask(daemon(images).questions);
	return await needs.areMet("linux/amd64");
}

suite("what a build needs is on its machine", () => {
	test("if its images are there, or if it starts from none", async () => {
		assert.equal(await areMet("FROM alpine\nCOPY . ."), true);
		assert.equal(await areMet("FROM scratch\nCOPY . ."), true);
		assert.equal(await areMet("FROM alpine AS a\nFROM scratch\nCOPY --from=a /x /x"), true);
	});

	test("not if an image is missing, of another platform, in another store, or brings triggers", async () => {
		assert.equal(await areMet("FROM alpine\nCOPY --from=nginx /x /x"), false);
		assert.equal(
			await areMet("FROM alpine", { alpine: { ...image, Architecture: "arm64" } }),
			false,
		);
		assert.equal(await areMet("FROM alpine", { alpine: { ...image, Descriptor: {} } }), false);
		const Config = { OnBuild: ["COPY --from=nginx /x /x"] };
		assert.equal(await areMet("FROM alpine", { alpine: { ...image, Config } }), false);
	});

	test("not if the Dockerfile may take more than images from elsewhere, or is not known", async () => {
		for (const dockerfile of [
			"# syntax=docker/dockerfile:1\nFROM alpine",
			"FROM --platform=linux/arm64 alpine",
			"FROM alpine\nADD https://example.com/x /x",
			"FROM alpine\nADD \\\n  git@example.com:x.git /x",
			"FROM alpine\nRUN --mount=type=secret,id=x true",
			"FROM $BASE",
		]) {
			assert.equal(await areMet(dockerfile), false, dockerfile);
		}
		assert.equal(await areMet(undefined), false);
	});

	test("not if newer images, other caches or another frontend are asked for", async () => {
		assert.equal(await areMet("FROM alpine", { alpine: image }, { pull: true }), false);
		assert.equal(await areMet("FROM alpine", { alpine: image }, { cacheFrom: ["app"] }), false);
		for (const BUILDKIT_SYNTAX of ["x", ""]) {
			const buildArgs = { BUILDKIT_SYNTAX };
			assert.equal(await areMet("FROM alpine", { alpine: image }, { buildArgs }), false);
		}
		const buildArgs = { BUILDKIT_SYNTAX: null };
		assert.equal(await areMet("FROM alpine", { alpine: image }, { buildArgs }), true);
	});

	test("not before the daemon was asked", async () => {
		const context = { dockerfileContent: Buffer.from("FROM scratch") } as unknown as BuildContext;
		const needs = new LocalNeeds(context, {}, new StoredImages(new AbortController().signal));
		assert.equal(await needs.areMet("linux/amd64"), false);
	});

	test("and the daemon is asked for nothing if it is of no use", async () => {
		const { questions, asked } = daemon({});
		const context = { dockerfileContent: Buffer.from("# syntax=x") } as unknown as BuildContext;
		const needs = new LocalNeeds(context, {}, new StoredImages(new AbortController().signal));
		needs.ask(questions);
		assert.equal(await needs.areMet("linux/amd64"), false);
		assert.deepEqual(asked, []);
	});
});
