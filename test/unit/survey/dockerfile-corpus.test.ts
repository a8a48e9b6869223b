import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, suite, test } from "node:test";
import { partOfContext } from "../../../src/context/entries/part-of-context.js";
import { countNeeds } from "../../../src/survey/count-needs.js";
import { readNeeds } from "../../../src/survey/dockerfile/read-needs.js";
import { dockerfileCases, writeTree } from "../../support/dockerfiles.js";
import { noSuchNames } from "../../support/this-system.js";
import { walk } from "../context/trees.js";

suite("the files that a Dockerfile takes", { skip: noSuchNames }, () => {
	// Read only: one for all.
	const root = mkdtempSync(join(tmpdir(), "rbuild-corpus-"));
	after(() => rmSync(root, { recursive: true }));
	writeTree(root);
	const context = walk(root);
	const { entries } = context;

	for (const { name, text, target, buildArgs, takes, classicTakes } of dockerfileCases()) {
		test(`are known for ${name}`, () => {
			for (const builder of ["buildkit", "classic"] as const) {
				const needs = readNeeds(text, {
					target,
					buildArgs,
					builder,
					platforms: { own: "linux/amd64" },
					knownImage: () => ({ environment: ["PATH=/bin"], hasTriggers: false }),
				});
				// Docker's old builder has no platform arguments.
				if (builder === "classic" && name === "platform") continue;
				assert.deepEqual(needs.doubts, []);
				const { neededBy } = countNeeds(needs, entries);
				const taken = entries.filter(
					({ type }, position) => type !== "directory" && neededBy[position]?.length !== 0,
				);
				const expected = builder === "classic" ? classicTakes : takes;
				const files = entries.filter(
					({ path, type }) =>
						type !== "directory" &&
						expected.some((one) =>
							one.endsWith("/") ? path.startsWith(one) : one === path || one === ".",
						),
				);
				const paths = (list: typeof entries) => list.map(({ path }) => path);
				assert.deepEqual(paths(taken), paths(files));
				const part = partOfContext(context, {
					paths: needs.uses.flatMap((use) => use.paths),
					always: [],
				});
				const sent = new Set(paths(part?.entries ?? entries));
				assert.deepEqual(
					paths(taken).filter((path) => !sent.has(path)),
					[],
				);
			}
		});
	}
});
