import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
	positionOfLine,
	positionOfStep,
} from "../../../../src/build/output/dockerfile-position.js";

const TWO_STAGES = `# syntax=docker/dockerfile:1
ARG BASE=alpine

FROM \${BASE} AS Builder
ENV A=1
RUN <<EOF
FROM is not an instruction here
RUN neither is this
EOF
# RUN commented out
RUN make \\
    # a comment between
    all
COPY \${SRC} /src

FROM builder
WORKDIR /srv
run make

FROM scratch
COPY --from=builder /srv /
COPY --from=1 /srv /
`;

async function lineOf(step: string, text = TWO_STAGES): Promise<number | undefined> {
	const content = Buffer.from(text);
	return (await positionOfStep(step, { displayName: "Dockerfile", content }))?.line;
}

describe("where a failed step is written", () => {
	it("is its instruction, with the file's name, the first line's text and what is around it", async () => {
		const dockerfile = { displayName: "docker/app.Dockerfile", content: Buffer.from(TWO_STAGES) };
		assert.deepEqual(await positionOfStep("[builder 3/4] RUN make     all", dockerfile), {
			file: "docker/app.Dockerfile",
			line: 11,
			endLine: 13,
			text: "RUN make \\",
			excerpt: [
				{ line: 9, text: "EOF" },
				{ line: 10, text: "# RUN commented out" },
				{ line: 11, text: "RUN make \\" },
				{ line: 12, text: "    # a comment between" },
				{ line: 13, text: "    all" },
				{ line: 14, text: `COPY \${SRC} /src` },
			],
		});
	});

	for (const [step, line] of [
		["[builder 1/4] FROM docker.io/library/alpine:latest@sha256:123", 4],
		["[builder 2/4] RUN <<EOF (FROM is not an instruction here...)", 6],
		["[builder 4/4] COPY real/path /src", 14],
		["[linux/arm64 builder  4/10] COPY real/path /src", 14],
		["[linux/amd64->arm64 builder 4/4] COPY real/path /src", 14],
		["[stage-1 1/2] WORKDIR /srv", 17],
		["[stage-1 2/2] RUN make", 18],
		["[stage-2 1/2] COPY --from=builder /srv /", 21],
		["[stage-2 2/2] COPY --from=1 /srv /", 22],
	] as const) {
		it(`is line ${line} for BuildKit's ${step}`, async () => {
			assert.equal(await lineOf(step), line);
		});
	}

	it("is found by BuildKit's number alone where there is one stage", async () => {
		const text = "FROM a\nRUN x\nENV A=1\nRUN x\n";
		assert.equal(await lineOf("[2/3] RUN x", text), 2);
		assert.equal(await lineOf("[ 3/10] RUN x", text), 4);
		assert.equal(await lineOf("[linux/amd64 3/3] RUN x", text), 4);
	});

	it("is found by BuildKit's number, in which a FROM with a stage does not count", async () => {
		const text = "FROM a AS b\nRUN x\nFROM b\nRUN x\nRUN x\n";
		assert.equal(await lineOf("[b 2/2] RUN x", text), 2);
		assert.equal(await lineOf("[stage-1 1/2] RUN x", text), 4);
		assert.equal(await lineOf("[stage-1 2/2] RUN x", text), 5);
	});

	for (const [step, line] of [
		["Step 1/11 : ARG BASE=alpine", 2],
		["Step 5/11 : RUN make     all", 11],
		["Step 9/11 : RUN make", 18],
		["STEP 4/5: RUN make all", 11],
		["[2/3] STEP 3/3: RUN make", 18],
	] as const) {
		it(`is line ${line} for ${step}`, async () => {
			assert.equal(await lineOf(step), line);
		});
	}

	it("is found by the text where the number fits another instruction", async () => {
		// ONBUILD triggers of the base image are counted too.
		assert.equal(await lineOf("[2/5] RUN two", "FROM a\nCOPY one .\nRUN two\n"), 3);
	});

	it("is not guessed where several would fit, or none", async () => {
		assert.equal(await lineOf("[2/9] RUN x", "FROM a\nCOPY . .\nRUN x\nRUN x\n"), undefined);
		assert.equal(await lineOf("[2/9] ONBUILD RUN y", "FROM a\nCOPY . .\n"), undefined);
		assert.equal(await lineOf("exporting to image"), undefined);
		assert.equal(await lineOf("[2/3] RUN x", ""), undefined);
	});

	it("is the FROM whose image could not be resolved", async () => {
		const text =
			"FROM alpine AS a\nFROM ghcr.io/me/base:2\nFROM --platform=linux/arm64 me/tool@sha256:1\n";
		const load = "[internal] load metadata for";
		assert.equal(await lineOf(`${load} docker.io/library/alpine:latest`, text), 1);
		assert.equal(await lineOf(`${load} ghcr.io/me/base:2`, text), 2);
		assert.equal(await lineOf(`${load} docker.io/me/tool@sha256:1`, text), 3);
		assert.equal(await lineOf(`${load} docker.io/library/pine:latest`, text), undefined);
	});

	it("is the FROM with variables that may be the image that could not be resolved, if there is one", async () => {
		const load = (image: string) => `[internal] load metadata for ${image}`;
		const text = `ARG A\nFROM r.example/\${A}/x:$V\nFROM y.example/$A\nFROM busybox\n`;
		assert.equal(await lineOf(load("r.example/team/x:1"), text), 2);
		assert.equal(await lineOf(load("y.example/z:latest"), text), 3);
		assert.equal(await lineOf(load("docker.io/library/busybox:latest"), text), 4);
		assert.equal(await lineOf(load("z.example/y:1"), text), undefined);
		assert.equal(await lineOf(load("docker.io/library/base:latest"), "FROM $BASE\n"), 1);
		assert.equal(
			await lineOf(load("docker.io/library/base:latest"), "FROM $A\nFROM $B"),
			undefined,
		);
	});

	it("is the RUN with a mount whose image could not be resolved", async () => {
		const text =
			"FROM scratch\nRUN --network=none --mount=type=bind,from=deps,target=/d --mount=from=me/x:1 ls\n";
		const load = "[internal] load metadata for docker.io";
		assert.equal(await lineOf(`${load}/library/deps:latest`, text), 2);
		assert.equal(await lineOf(`${load}/me/x:1`, text), 2);
		assert.equal(await lineOf(`${load}/library/d:latest`, text), undefined);
	});

	it("is the COPY whose image could not be resolved, or the line that names the frontend", async () => {
		const text = "#syntax = me/frontend:1\nFROM scratch\nCOPY --from=alpine:3 /bin/sh /\n";
		const load = "[internal] load metadata for docker.io/library/alpine:3";
		assert.equal(await lineOf(load, text), 3);
		const resolve = "resolve image config for docker-image://docker.io/me/frontend:1";
		assert.equal(await lineOf(resolve, text), 1);
		assert.equal(await lineOf(resolve, "FROM scratch\n"), undefined);
		const generator = "docker-image://docker.io/me/generator:1";
		assert.equal(await lineOf(`resolve image config for ${generator}`, text), undefined);
	});

	it("is no line where a build argument names the frontend in place of one", async () => {
		const content = Buffer.from("# syntax=me/frontend:1\nFROM scratch\n");
		const positionFor = (BUILDKIT_SYNTAX: string | null) =>
			positionOfStep("resolve image config for docker-image://docker.io/me/frontend:1", {
				displayName: "Dockerfile",
				content,
				buildArgs: { BUILDKIT_SYNTAX },
			});
		assert.equal(await positionFor("me/frontend:1"), undefined);
		assert.equal((await positionFor(null))?.line, 1);
	});

	it("survives what is no Dockerfile", async () => {
		assert.equal(await lineOf("[1/2] RUN x", "\u0000\ufffd<html>"), undefined);
	});
});

describe("a line of a Dockerfile", () => {
	const dockerfile = { displayName: "Dockerfile", content: Buffer.from("FROM a\r\nRUNN b") };

	it("has its text without the line's end", () => {
		assert.deepEqual(positionOfLine(1, dockerfile), {
			file: "Dockerfile",
			line: 1,
			endLine: 1,
			text: "FROM a",
			excerpt: [
				{ line: 1, text: "FROM a" },
				{ line: 2, text: "RUNN b" },
			],
		});
		assert.deepEqual(positionOfLine(2, dockerfile)?.text, "RUNN b");
	});

	it("is unknown outside of the file", () => {
		assert.equal(positionOfLine(0, dockerfile), undefined);
		assert.equal(positionOfLine(3, dockerfile), undefined);
	});
});
