import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { checkTarget } from "../../../../src/build/inputs/target-check.js";
import type { BuildContext } from "../../../../src/context/build-context.js";
import { UsageError } from "../../../../src/errors.js";

const STAGES = "FROM scratch AS Base\nFROM base\nCOPY . /\nFROM scratch AS test\n";

function check(dockerfile: string | undefined, target: string | undefined, syntax?: string) {
	const dockerfileContent = dockerfile === undefined ? undefined : Buffer.from(dockerfile);
	const context = { dockerfileName: "docker/Prod", dockerfileContent } as BuildContext;
	const buildArgs = syntax === undefined ? {} : { BUILDKIT_SYNTAX: syntax };
	return checkTarget(context, { target, buildArgs });
}

describe("a target", () => {
	it("is a stage's name in any case, or its number", async () => {
		for (const target of [undefined, "", "base", "BASE", "test", "0", "2"]) {
			await check(STAGES, target);
		}
	});

	it("is refused where there is no such stage", async () => {
		for (const target of ["bas", "3", "-1", "scratch"]) {
			await assert.rejects(
				check(STAGES, target),
				(error) =>
					error instanceof UsageError &&
					error.message === `docker/Prod has no stage "${target}" (--target)` &&
					error.hint === "its stages: base, test",
			);
		}
		await assert.rejects(check("FROM scratch\n", "build"), { hint: /FROM … AS build/ });
	});

	it("is the builder's matter where the Dockerfile may mean something else", async () => {
		await check(undefined, "nope");
		await check("COPY before FROM", "nope");
		await check(`# syntax=example.com/other\n${STAGES}`, "nope");
		for (const syntax of ["example.com/other", ""]) await check(STAGES, "nope", syntax);
		await assert.rejects(check(`# syntax=docker/dockerfile:1\n${STAGES}`, "nope"), UsageError);
		const other = `# syntax=example.com/other\n${STAGES}`;
		await assert.rejects(check(other, "nope", " docker/dockerfile:1 x"), UsageError);
	});
});
