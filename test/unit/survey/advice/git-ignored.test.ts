import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import fc from "fast-check";
import { without } from "../../../support/this-system.js";
import { adviceFor, git, linesOf, project, sent } from "./projects.js";

const DOCKERFILE = "FROM scratch\nCOPY . .\n";

function repository(
	test: TestContext,
	files: Readonly<Record<string, string>>,
	tracked: readonly string[] = [],
): string {
	const root = project(test, { Dockerfile: DOCKERFILE, ".dockerignore": ".git\n", ...files });
	git(root, "init", "-q");
	if (tracked.length > 0) git(root, "add", "-f", ...tracked);
	return root;
}

/** By the advice alone, what is sent after its lines have been added. */
function leftAfterFix(root: string): string[] {
	const lines = adviceFor(root).flatMap(({ lines }) => lines);
	appendFileSync(join(root, ".dockerignore"), lines.map((line) => `${line}\n`).join(""));
	return sent(root)
		.entries.filter(({ type }) => type !== "directory")
		.map(({ path }) => path);
}

/** What git does not ignore, tracked or not. */
function seenByGit(root: string): string[] {
	return git(root, "ls-files", "-co", "--exclude-standard", "-z").split("\0").filter(Boolean);
}

describe("what git ignores", { skip: without("git") }, () => {
	it("is left out in docker's words, with a pattern of git's where that fits the same", (test) => {
		const root = repository(test, {
			".gitignore": "*.log\n/out/\ncache/\n",
			"a.log": "x",
			"deep/b.log": "x",
			"out/x": "x",
			"deep/cache/x": "x",
			"deep/out/kept": "x",
		});
		assert.deepEqual(linesOf(adviceFor(root)), {
			"git-ignored": ["**/*.log", "**/cache", "out"],
		});
	});

	it("is told by path where docker's pattern would leave out more", (test) => {
		const root = repository(
			test,
			{ ".gitignore": "*.gen\n", "a.gen": "x", "tracked.gen": "x", "deep/b.gen": "x" },
			["tracked.gen"],
		);
		assert.deepEqual(linesOf(adviceFor(root)), { "git-ignored": ["a.gen", "deep/b.gen"] });
	});

	it("counts for files that nobody tracks alone, also in an ignored directory", (test) => {
		const root = repository(
			test,
			{ ".gitignore": "out/\n", "out/tracked": "x", "out/not": "x", "out/deep/not": "x" },
			["out/tracked"],
		);
		assert.deepEqual(leftAfterFix(root).sort(), [
			".dockerignore",
			".gitignore",
			"Dockerfile",
			"out/tracked",
		]);
	});

	it("is what git says, with rules in many places", (test) => {
		const root = repository(
			test,
			{
				".gitignore":
					"*.tmp\n!keep.tmp\n/build*/\nlogs/\ndata/*\n!data/keep/\n**/gen/*.c\n\\#odd\nblank\\ \n",
				"lib/.gitignore": "!special.tmp\n/only-here\nsub/x.[ab]\n",
				"lib/deep/.gitignore": "*.tmp\n",
				"hidden/.gitignore": "*\n",
				"hidden/x": "x",
				"a.tmp": "x",
				"keep.tmp": "x",
				"lib/special.tmp": "x",
				"lib/deep/special.tmp": "x",
				"lib/only-here": "x",
				"only-here": "x",
				"lib/sub/x.a": "x",
				"lib/sub/x.c": "x",
				"build-1/x": "x",
				"lib/build-1/x": "x",
				"logs/x": "x",
				"lib/logs/x": "x",
				"data/x": "x",
				"data/keep/x": "x",
				"a/gen/x.c": "x",
				"a/gen/x.h": "x",
				"#odd": "x",
				"blank ": "x",
				"excluded/x": "x",
				UPPER: "x",
			},
			["Dockerfile"],
		);
		mkdirSync(join(root, ".git/info"));
		appendFileSync(join(root, ".git/info/exclude"), "excluded\nupper\n");
		const left = leftAfterFix(root);
		assert.deepEqual(left.sort(), seenByGit(root).sort());
	});

	it("is known below the top of the repository, too", (test) => {
		const top = repository(test, {
			".gitignore": "/app/out\n*.log\n/else\n",
			"app/Dockerfile": DOCKERFILE,
			"app/.dockerignore": "",
			"app/out/x": "x",
			"app/else": "x",
			"app/deep/a.log": "x",
		});
		assert.deepEqual(linesOf(adviceFor(join(top, "app"))), {
			"git-ignored": ["**/*.log", "out"],
		});
	});

	it("is nothing to go by where the whole context is ignored", (test) => {
		const top = repository(test, {
			".gitignore": "/generated\n",
			"generated/app/Dockerfile": DOCKERFILE,
			"generated/app/.dockerignore": "",
			"generated/app/x": "x",
		});
		assert.deepEqual(adviceFor(join(top, "generated/app")), []);
	});

	it("is not asked about repositories within, nor submodules", (test) => {
		const root = repository(test, { ".gitignore": "*.log\n", "inner/a.log": "x" });
		git(root, "init", "-q", join(root, "inner"));
		assert.deepEqual(linesOf(adviceFor(root)), { "git-directory": ["inner/.git"] });
	});

	it("is known in a worktree", (test) => {
		const root = repository(test, { ".gitignore": "*.log\n" }, [".gitignore", "Dockerfile"]);
		git(root, "commit", "-qm", "x");
		mkdirSync(join(root, ".git/info"));
		appendFileSync(join(root, ".git/info/exclude"), "local\n");
		const tree = project(test, {});
		git(root, "worktree", "add", "-q", join(tree, "w"));
		const worktree = join(tree, "w");
		for (const name of ["a.log", "local", "b"]) writeFileSync(join(worktree, name), "x");
		writeFileSync(join(worktree, ".dockerignore"), ".git\n");
		assert.deepEqual(linesOf(adviceFor(worktree)), { "git-ignored": ["**/*.log", "**/local"] });
	});

	it("stays where the Dockerfile asks for it by name", (test) => {
		const files = { ".gitignore": "dist/\n*.jar\ngen.json\n*.log\n", "a.log": "x" };
		const root = repository(test, {
			...files,
			"dist/app.js": "x",
			"libs/app.jar": "x",
			"gen.json": "{}",
			Dockerfile:
				"FROM scratch\nARG JAR=libs/*.jar\nCOPY dist/ /app\nCOPY $JAR app.jar\nRUN --mount=type=bind,source=gen.json,target=/g true\n",
		});
		assert.deepEqual(linesOf(adviceFor(root)), { "git-ignored": ["**/*.log"] });
	});

	it("is not looked for without git, or where the index is split", (test) => {
		const root = project(test, {
			Dockerfile: DOCKERFILE,
			".dockerignore": ".git",
			".gitignore": "x",
			x: "x",
		});
		assert.deepEqual(adviceFor(root), []);
		git(root, "init", "-q");
		git(root, "add", "Dockerfile");
		assert.deepEqual(linesOf(adviceFor(root)), { "git-ignored": ["**/x"] });
		git(root, "update-index", "--split-index");
		assert.deepEqual(adviceFor(root), []);
	});

	it("is not looked for by more rules than can be tried", (test) => {
		const rules = Array.from({ length: 10_000 }, (_, at) => `pattern-${at}`).join("\n");
		const root = repository(test, { ".gitignore": `${rules}\n*.log\n`, "a.log": "x" });
		assert.deepEqual(adviceFor(root), []);
		const blowUp = `${"a*".repeat(30)}b\n${"**/a*".repeat(30)}b\n`;
		const other = repository(test, {
			".gitignore": `${blowUp}*.log\n`,
			["a".repeat(200)]: "x",
			[`${"a/".repeat(60)}a`]: "x",
			"b.log": "x",
		});
		assert.deepEqual(linesOf(adviceFor(other)), { "git-ignored": ["**/*.log"] });
	});

	it("is not read from a pipe", (test) => {
		const root = repository(test, { "deep/x": "x" });
		execFileSync("mkfifo", [join(root, ".gitignore"), join(root, "deep/.gitignore")]);
		assert.deepEqual(adviceFor(root), []);
	});

	it("has names with any characters in it", (test) => {
		const names = ["a*b", "[x]", "!neg", "#hash", "back\\slash", "new\nline", " blank"];
		const root = repository(test, {
			".gitignore": "/ignored/*\n",
			...Object.fromEntries(names.map((name) => [`ignored/${name}`, "x"])),
			"ignored/kept": "x",
		});
		git(root, "add", "-f", "ignored/kept");
		mkdirSync(join(root, "other"));
		assert.deepEqual(leftAfterFix(root).sort(), seenByGit(root).sort());
	});

	it("never takes anything along that git sees, whatever the rules", (test) => {
		const name = fc.constantFrom("a", "b", "ab", "c.x", "d.x");
		const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((names) => names.join("/"));
		const rule = fc
			.tuple(
				fc.constantFrom("", "", "!", "/", "**/"),
				fc.constantFrom(
					"a",
					"b",
					"*.x",
					"a*",
					"?",
					"a/b",
					"a/**",
					"a/*",
					"**/b/c.x",
					"[a-c]*",
					"*",
				),
				fc.constantFrom("", "", "/"),
			)
			.map((parts) => parts.join(""));
		const rules = fc.array(rule, { minLength: 1, maxLength: 4 });
		const paths = fc.uniqueArray(path, { minLength: 1, maxLength: 12 });
		fc.assert(
			fc.property(rules, rules, paths, fc.nat(3), (outer, inner, all, tracked) => {
				// No path may be a file and a directory.
				const files = all.filter((path) => !all.some((other) => other.startsWith(`${path}/`)));
				const rulesWithin = { [`${files[0]?.split("/")[0]}/.gitignore`]: inner.join("\n") };
				const root = repository(
					test,
					{
						...Object.fromEntries(files.map((path) => [path, path])),
						".gitignore": outer.join("\n"),
						...(files[0]?.includes("/") ? rulesWithin : {}),
					},
					files.slice(0, tracked),
				);
				const left = new Set(leftAfterFix(root));
				const lost = seenByGit(root).filter((path) => !left.has(path));
				assert.deepEqual(lost, []);
			}),
			{ numRuns: 40 },
		);
	});
});
