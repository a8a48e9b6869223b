import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import {
	NamedDirectories,
	type NamedDirectory,
} from "../../../../src/build/inputs/named-directories.js";
import type { BuildPlan } from "../../../../src/build/plan/build-plan.js";
import type { NamedContext } from "../../../../src/build/plan/named-contexts.js";
import { jointPart } from "../../../../src/build/transfer/joint-part.js";
import type { LocalPart } from "../../../../src/buildkit/local-definition.js";
import type { BuildContext } from "../../../../src/context/build-context.js";
import type { DirectoryContext } from "../../../../src/context/thread/directory-context.js";
import { emptyTree } from "../../context/trees.js";
import { run } from "../../image/fake-engine.js";

interface Asked {
	readonly target?: string;
	readonly buildArgs?: Record<string, string>;
	/** Bytes of what no Dockerfile here takes. */
	readonly unused?: number;
	readonly ignore?: string;
	/** Names of contexts that are no directories. */
	readonly others?: readonly string[];
	/** Whether there is something, too, that cannot be read and that no Dockerfile here takes. */
	readonly locked?: boolean;
}

/** Of a directory "lib" with the files "a" and "b". */
async function part(
	test: TestContext,
	dockerfile: string | undefined,
	{ unused = 0, ignore, others = [], locked = false, ...request }: Asked = {},
): Promise<LocalPart | undefined> {
	const root = emptyTree(test);
	for (const name of ["a", "b"]) writeFileSync(join(root, name), "x".repeat(1000));
	writeFileSync(join(root, "unused"), "x".repeat(unused));
	if (ignore !== undefined) writeFileSync(join(root, ".dockerignore"), ignore);
	const lib: NamedContext = { kind: "directory", root, platform: "linux" };
	const namedContexts = new Map<string, NamedContext>([["lib", lib]]);
	for (const name of others) namedContexts.set(name, { kind: "remote", source: "x" });
	await using named = await NamedDirectories.open(namedContexts, "off", run());
	const [found = assert.fail()] = await named.walked();
	const directory = locked ? withLocked(found) : found;
	const dockerfileContent = dockerfile === undefined ? undefined : Buffer.from(dockerfile);
	const context = { dockerfileContent } as BuildContext;
	const plan = { request, platform: undefined, buildkit: { namedContexts } };
	return await jointPart(directory, context, plan as unknown as BuildPlan, "linux/amd64");
}

/** Of this thread: who runs the tests can read everything. */
function withLocked(found: NamedDirectory): NamedDirectory {
	const locked = { path: "locked", isEntry: false, message: "cannot read locked", hint: undefined };
	const { directory } = found;
	const walked = directory.walked.then((summary) => ({ ...summary, unreadable: [locked] }));
	const part: DirectoryContext["part"] = (request) => directory.part(request);
	return { ...found, directory: { walked, part } as Partial<DirectoryContext> as DirectoryContext };
}

const WHOLE = { followPaths: [], excludes: [] };

describe("the part of a named directory that is asked for", () => {
	it("is all that instructions take, where nothing else can", async (test) => {
		const text =
			"FROM scratch\nARG name=b\nCOPY --from=lib a /\nCOPY --from=docker.io/library/lib:latest $name /c\n";
		assert.deepEqual(await part(test, text), { followPaths: ["a", "b"], excludes: [] });
		const mounted = "FROM scratch\nRUN --mount=from=lib,source=/b x\n";
		assert.deepEqual(await part(test, mounted), { followPaths: ["b"], excludes: [] });
	});

	it("is all of it where all is taken, whatever base images take", async (test) => {
		for (const text of [
			"FROM image\nCOPY --from=lib . /\n",
			"FROM image\nCOPY --from=lib a b unused /\n",
			"FROM image\nCOPY --from=lib a /\nRUN --mount=from=lib,target=/x true\n",
			"FROM image\nRUN --mount=type=cache,from=lib,source=a,target=/x true\n",
			"FROM lib\nCOPY --from=lib a /\n",
		]) {
			assert.deepEqual(await part(test, text, { unused: 90_000 }), WHOLE, text);
		}
	});

	it("is all of it where base images may take more, and little is not taken", async (test) => {
		const text = "FROM image\nCOPY --from=lib a /\nCOPY --from=lib b /\n";
		assert.deepEqual(await part(test, text, { unused: 2000 }), WHOLE);
		assert.equal(await part(test, text, { unused: 2001 }), undefined);
	});

	it("is for the frontend to say where base images may take more than one instruction does", async (test) => {
		assert.equal(await part(test, "FROM image\nCOPY --from=lib a /\n"), undefined);
		const same = "FROM image\nCOPY --from=lib a b /\nCOPY --from=lib b a /c\n";
		assert.equal(await part(test, same, { unused: 1 }), undefined);
	});

	it("is for the frontend to say where it takes the place of a stage, or of nothing", async (test) => {
		const stage = "FROM scratch AS Lib\nFROM scratch\nCOPY --from=lib a /\nCOPY --from=lib b /\n";
		assert.equal(await part(test, stage), undefined);
		const twoNames =
			"FROM scratch AS lib\nFROM scratch\nCOPY --from=lib:latest a /\nCOPY --from=lib b* /\n";
		assert.equal(await part(test, twoNames), undefined);
		assert.equal(await part(test, "FROM scratch\nCOPY --from=other a /\n"), undefined);
		const target = "FROM scratch AS one\nCOPY a /\nFROM scratch\nCOPY --from=lib a /\n";
		assert.equal(await part(test, target, { target: "one" }), undefined);
	});

	it("is for the frontend to say where another context takes the place of a stage, and sets other variables", async (test) => {
		const text = "FROM scratch AS base\nENV name=a\nFROM base\nCOPY --from=lib $name /\n";
		assert.deepEqual(await part(test, text), { followPaths: ["a"], excludes: [] });
		assert.equal(await part(test, text, { others: ["base"] }), undefined);
	});

	it("is for the frontend to say where the Dockerfile is not known, or is for another one", async (test) => {
		const text = "FROM scratch\nCOPY --from=lib . /\n";
		assert.equal(await part(test, undefined), undefined);
		assert.equal(await part(test, `# syntax=x\n${text}`), undefined);
		const buildArgs = { BUILDKIT_SYNTAX: "x" };
		assert.equal(await part(test, text, { buildArgs }), undefined);
		assert.equal(await part(test, "FROM"), undefined);
	});

	it("is for the frontend to say where all of it is more than can be read, and perhaps than is taken", async (test) => {
		const text = "FROM image\nCOPY --from=lib a /\nCOPY --from=lib b /\n";
		assert.deepEqual(await part(test, text), WHOLE);
		assert.equal(await part(test, text, { locked: true }), undefined);
		const certain = text.replace("image", "scratch");
		const followPaths = ["a", "b"];
		assert.deepEqual(await part(test, certain, { locked: true }), { followPaths, excludes: [] });
	});

	it("is without what its own .dockerignore leaves out, in the words of the frontend", async (test) => {
		const ignore = "# comment\n/unused/ \n\n! unused/this\n.dockerignore\n";
		const found = await part(test, "FROM scratch\nCOPY --from=lib . /\n", { ignore });
		const excludes = ["unused", "!unused/this", ".dockerignore"];
		assert.deepEqual(found, { followPaths: [], excludes });
	});
});
