// biome-ignore-all lint/suspicious/noTemplateCurlyInString: that is what a Dockerfile has.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type NeedsOptions, takesAll } from "../../../../src/survey/dockerfile/dockerfile-needs.js";
import { readNeeds } from "../../../../src/survey/dockerfile/read-needs.js";

function paths(dockerfile: string, options: NeedsOptions = {}): readonly string[] {
	const { uses, doubts } = readNeeds(dockerfile, options);
	assert.deepEqual(doubts, []);
	return uses.flatMap((use) => use.paths);
}

function doubts(dockerfile: string, options: NeedsOptions = {}): readonly string[] {
	return readNeeds(dockerfile, options).doubts;
}

function known(environment: readonly string[], hasTriggers = false): NeedsOptions {
	return { knownImage: () => ({ environment, hasTriggers }) };
}

describe("what a Dockerfile takes of its context", () => {
	it("is told by instruction, with its line and text", () => {
		const { uses } = readNeeds(
			"FROM scratch\n\nCOPY a \\\n  b*  /x\nRUN --mount=type=bind,src=c,dst=/c true\nADD https://x.example/y z /\n",
		);
		assert.deepEqual(uses, [
			{ line: 3, text: "COPY a b* /x", paths: ["a", "b*"], excludes: [] },
			{
				line: 5,
				text: "RUN --mount=type=bind,src=c,dst=/c true",
				paths: ["c"],
				excludes: [],
			},
			{ line: 6, text: "ADD https://x.example/y z /", paths: ["z"], excludes: [] },
		]);
	});

	it("is everything for the context itself, however it is written", () => {
		for (const source of [".", "/", "./", "../..", "a/..", '""', "$NOTHING"]) {
			const needs = readNeeds(`FROM scratch\nCOPY ${source} /x`);
			assert.equal(takesAll(needs), true, source);
		}
		assert.equal(takesAll(readNeeds("FROM scratch\nRUN --mount=target=/c true")), true);
		assert.equal(takesAll(readNeeds("FROM scratch\nCOPY ./* /x")), false);
	});

	it("is what is copied from nowhere else: an empty --from is none", () => {
		assert.deepEqual(paths("FROM scratch\nCOPY --from= a /"), ["a"]);
	});

	it("is nothing for mounts of other kinds, stages and here-documents", () => {
		const dockerfile = `FROM scratch AS a
RUN --mount=type=cache,target=/c --mount=type=tmpfs,target=/t --mount=type=secret,id=s true
FROM scratch
COPY --from=a /x /x
COPY --from=image.example/a /x /y
RUN --mount=from=a,source=/x,target=/x true
COPY <<A <<"B" /z/
COPY a b
A
B
`;
		assert.deepEqual(paths(dockerfile), []);
	});

	it("is what is behind blanks that Go knows, or a byte order mark at the beginning of a word", () => {
		assert.deepEqual(paths("FROM scratch\nCOPY \u0085a b\u0085 \u0085c /"), [
			"a",
			"b\u0085",
			"\u0085c",
		]);
		assert.deepEqual(paths('FROM scratch\nCOPY ["\u0085a", "/"]'), ["\u0085a"]);
		assert.deepEqual(paths("FROM scratch\nRUN \u0085--mount=src=a,target=/a true"), ["a"]);
		assert.deepEqual(paths("FROM scratch\nCOPY \uFEFFa \uFEFFb c\uFEFF /"), ["a", "b", "c\uFEFF"]);
	});

	it("is less than what a sync is asked for where a tmpfs is mounted beside it, from nowhere", () => {
		const syncsAll = (...lines: string[]) =>
			readNeeds(`FROM scratch AS other\nCOPY a /\nFROM scratch\n${lines.join("\n")}`).syncsAll;
		const mount = (options: string) => `RUN --mount=${options},target=/t true`;
		assert.equal(syncsAll("COPY a /", mount("type=tmpfs")), true);
		assert.equal(syncsAll(mount("type=TMPFS,size=1g"), "ADD a /"), true);
		assert.equal(syncsAll(mount("type=tmpfs")), false);
		assert.equal(syncsAll("COPY a /", mount("type=tmpfs,from=scratch")), false);
		assert.equal(syncsAll("COPY a /", mount("type=cache"), mount("type=bind,source=b")), false);
	});

	it("tells what excludes and copied paths are relative to", () => {
		const { uses } = readNeeds(
			"FROM scratch\nCOPY --parents --exclude=*.md --exclude=b a/./b c /x/",
		);
		assert.deepEqual(uses[0]?.pivots, ["a", ""]);
		assert.deepEqual(uses[0]?.excludes, ["*.md", "b"]);
		assert.deepEqual(uses[0]?.paths, ["a/b", "c"]);
	});

	it("goes by the target and what it is built from, and by all before it in other builders", () => {
		const dockerfile = `FROM scratch AS a
COPY a /
FROM scratch AS b
COPY b /
FROM a AS c
COPY c /
FROM scratch AS d
COPY --from=1 /b /
`;
		assert.deepEqual(paths(dockerfile), ["b"]);
		assert.deepEqual(paths(dockerfile, { target: "C" }), ["a", "c"]);
		assert.deepEqual(paths(dockerfile, { target: "0" }), ["a"]);
		assert.deepEqual(paths(dockerfile, { target: "c", builder: "classic" }), ["a", "b", "c"]);
	});

	it("is that of a stage, too, which has the name of no image", () => {
		assert.deepEqual(paths("FROM scratch AS scratch\nCOPY a /\nFROM scratch\nCOPY b /\n"), [
			"a",
			"b",
		]);
	});
});

describe("a variable in a Dockerfile", () => {
	it("may come from ARG, ENV, the base image, or the command line", () => {
		const dockerfile = `ARG G=global
FROM base
ARG G
ARG A=default
ENV E=$A-$G
COPY $E $I $A /x/
`;
		const options = { ...known(["I=image"]), buildArgs: { A: "given", I: "not declared" } };
		assert.deepEqual(paths(dockerfile, options), ["given-global", "image", "given"]);
	});

	it("is not set without a value on the command line", () => {
		assert.deepEqual(paths("FROM scratch\nARG A=default\nCOPY $A /", { buildArgs: { A: null } }), [
			"default",
		]);
	});

	it("is whatever was set last in BuildKit, and doubtful in builders where ENV wins", () => {
		const dockerfile = "FROM scratch\nENV A=env\nARG A=arg\nCOPY $A /\n";
		assert.deepEqual(paths(dockerfile), ["arg"]);
		assert.deepEqual(doubts(dockerfile, { builder: "classic" }), [
			"line 4: what $A means is not known: $A is both ARG and ENV",
		]);
		const same = "FROM scratch\nARG A=1\nENV A=$A\nCOPY $A /\n";
		assert.deepEqual(paths(same, { builder: "classic" }), ["1"]);
	});

	it("is inherited from the stage before, but for ARG in other builders", () => {
		const dockerfile = "FROM scratch AS a\nARG A=x\nENV E=y\nFROM a\nCOPY $E$A /\n";
		assert.deepEqual(paths(dockerfile), ["yx"]);
		assert.deepEqual(paths(dockerfile, { builder: "classic" }), ["y"]);
	});

	it("has the platform that is built for, as far as it is known", () => {
		const dockerfile =
			"FROM scratch\nARG TARGETARCH\nARG TARGETPLATFORM\nCOPY $TARGETARCH $TARGETPLATFORM /\n";
		assert.deepEqual(paths(dockerfile, { platforms: { own: "linux/amd64" } }), [
			"amd64",
			"linux/amd64",
		]);
		assert.deepEqual(
			paths(dockerfile, { platforms: { own: "linux/amd64", asked: "linux/arm/v7" } }),
			["arm", "linux/arm/v7"],
		);
		assert.equal(doubts(dockerfile, { platforms: { own: "linux/arm64" } }).length, 1);
		assert.equal(doubts(dockerfile).length, 2);
	});
});

describe("more than a Dockerfile shows may be taken", () => {
	it("for a base image that is not known, or has triggers", () => {
		const dockerfile = "FROM base\nCOPY $A /\nCOPY b /";
		assert.deepEqual(doubts(dockerfile), [
			"the base image base may have ONBUILD instructions",
			"line 2: what $A means is not known: the base image base may set it",
		]);
		assert.deepEqual(
			readNeeds(dockerfile).uses.map((use) => use.paths),
			[["b"]],
		);
		assert.deepEqual(doubts("FROM base", known([], true)), [
			"the base image base has ONBUILD instructions",
		]);
		assert.deepEqual(doubts("FROM base AS a\nFROM scratch\nCOPY b /"), []);
		assert.deepEqual(readNeeds("ARG V=1\nFROM --platform=linux/arm64 a:$V").images, [
			{ reference: "a:1", platform: "linux/arm64" },
		]);
		const nameless = readNeeds("ARG V\nFROM $V\nCOPY b /");
		assert.deepEqual(nameless.doubts, ["line 2: the base image is not known: $V has no value"]);
		assert.deepEqual(nameless.images, []);
	});

	it("for an ARG that a base image of another builder may set, too", () => {
		const dockerfile = "FROM base\nARG A=x\nCOPY $A /";
		assert.deepEqual(paths(dockerfile, known(["B=y"])), ["x"]);
		assert.deepEqual(paths(dockerfile, { ...known(["B=y"]), builder: "classic" }), ["x"]);
		assert.equal(doubts(dockerfile).length, 1);
		assert.equal(doubts(dockerfile, { builder: "classic" }).length, 2);
		assert.equal(doubts(dockerfile, { ...known(["A=y"]), builder: "classic" }).length, 1);
	});

	it("for a frontend that is not docker's", () => {
		for (const name of ["docker/dockerfile", "docker.io/docker/dockerfile:1.7-labs"]) {
			assert.deepEqual(doubts(`# syntax=${name}\nFROM scratch`), []);
		}
		const doubt = ['the frontend "me/dockerfile" may read the Dockerfile in another way'];
		assert.deepEqual(doubts("#!/bin/x\n# syntax = me/dockerfile\nFROM scratch"), doubt);
		const buildArgs = { BUILDKIT_SYNTAX: " me/dockerfile experimental" };
		assert.deepEqual(doubts("# syntax=docker/dockerfile:1\nFROM scratch", { buildArgs }), doubt);
	});

	it("for what does not parse, with its line and column", () => {
		const cases = [
			["FROM scratch\n  FRM x\n", 2, 3, /unknown instruction FRM/],
			["FROM scratch\nCOPY a\n", 2, 1, /COPY needs two operands/],
			["COPY a b\nFROM scratch\n", 1, 1, /before the first FROM/],
			["FROM a b\n", 1, 1, /FROM takes an image/],
			["# nothing\n", 1, 1, /no FROM/],
			["FROM scratch\nCOPY 'a b /\n", 2, 1, /there is no '/],
			["FROM scratch\nCOPY ${A:?unset} b /\n", 2, 1, /A: unset/],
			["FROM scratch\nCOPY [1, 2]\n", 2, 1, /not all of the array are strings/],
			["FROM scratch\nENV A=1 B\n", 2, 1, /no = in B/],
			["FROM scratch\nCOPY <<EOF /x\n", 2, 1, /no end of <<EOF/],
			["# escape=x\nFROM scratch\n", 1, 1, /escape directive/],
		] as const;
		for (const [dockerfile, line, column, message] of cases) {
			const { failure, uses, doubts } = readNeeds(dockerfile);
			assert.deepEqual([failure?.line, failure?.column], [line, column], dockerfile);
			assert.match(failure?.message ?? "", message);
			assert.equal(uses.length, 0);
			assert.equal(doubts.length, 1);
		}
		assert.match(doubts("FROM scratch", { target: "x" })[0] ?? "", /there is no stage x/);
	});

	it("for what the parser at hand and BuildKit read differently", () => {
		for (const dockerfile of [
			"FROM scratch\nRUN x\\\\\nCOPY a /\n",
			'FROM scratch\nRUN cat <<"E F"\nCOPY a b\nE F\n',
			"FROM scratch\nRUN cat << EOF\nFROM scratch\nEOF\n",
			"FROM scratch\nRUN cat 3<<EOF\nFROM scratch\nEOF\n",
		]) {
			assert.notEqual(readNeeds(dockerfile).failure, undefined, dockerfile);
		}
	});
});
