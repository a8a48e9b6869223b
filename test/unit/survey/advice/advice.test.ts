import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { appendFileSync, linkSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { SourceTree } from "../../../../src/context/tree/source-tree.js";
import { InterruptedError } from "../../../../src/errors.js";
import { adviseOn } from "../../../../src/survey/advice/advice.js";
import { noSuchNames, without } from "../../../support/this-system.js";
import { adviceFor, linesOf, project, sent } from "./projects.js";

const ALL = "FROM scratch\nCOPY . .\n";
const MB = 1_000_000;

/** A project whose Dockerfile takes everything, and has a .dockerignore. */
function taken(test: TestContext, files: Readonly<Record<string, string | Uint8Array>>): string {
	return project(test, { Dockerfile: ALL, ".dockerignore": "# none\n", ...files });
}

describe("advice", () => {
	it("is not given where there is nothing to say", (test) => {
		const files = {
			"package.json": "{}",
			"src/build/index.ts": "x",
			"src/target/x": "x",
			"dist/app.js": "x",
			"vendor/modules.txt": "x",
			"build/Makefile": "x",
			"docs/bin/x": "x",
			".github/workflows/ci.yml": "x",
		};
		assert.deepEqual(adviceFor(taken(test, files)), []);
		assert.deepEqual(adviceFor(project(test, { Dockerfile: ALL, ...files })), []);
	});

	it("names the folders that tools fill, told by what is beside and in them", (test) => {
		const root = taken(test, {
			Dockerfile: `${ALL}RUN npm ci && npm run build && cargo build && ./mvnw package && gradle build\nRUN composer install && bundle install && dotnet publish && terraform init\n`,
			"web/package.json": "{}",
			"web/node_modules/a/index.js": "x",
			"web/.next/BUILD_ID": "x",
			"rust/Cargo.toml": "x",
			"rust/target/debug/app": "x",
			"java/pom.xml": "x",
			"java/target/classes/A.class": "x",
			"kotlin/build.gradle.kts": "x",
			"kotlin/build/libs/a.jar": "x",
			"kotlin/.gradle/x": "x",
			"php/composer.json": "x",
			"php/vendor/autoload.php": "x",
			"ruby/Gemfile": "x",
			"ruby/vendor/bundle/ruby/3.3.0/x": "x",
			"net/app.csproj": "x",
			"net/bin/Debug/app.dll": "x",
			"net/obj/project.assets.json": "x",
			"py/pyproject.toml": "x",
			"py/env/pyvenv.cfg": "x",
			"py/__pycache__/a.cpython-311.pyc": "x",
			"py/.mypy_cache/x": "x",
			"infra/main.tf": "x",
			"infra/.terraform/providers/x": "x",
			"cpp/out/CMakeCache.txt": "x",
			"any/CACHEDIR.TAG": "x",
		});
		const lines = adviceFor(root).flatMap(({ lines }) => lines);
		assert.deepEqual(lines.toSorted(), [
			"any",
			"infra/.terraform",
			"java/target",
			"kotlin/.gradle",
			"kotlin/build",
			"net/bin",
			"net/obj",
			"php/vendor",
			"py/.mypy_cache",
			"py/__pycache__",
			"py/env",
			"ruby/vendor/bundle",
			"rust/target",
			"web/.next",
			"web/node_modules",
		]);
	});

	it("says what it saves, hard links once", (test) => {
		const root = taken(test, {
			Dockerfile: `${ALL}RUN npm ci\n`,
			"package.json": "{}",
			"node_modules/a/big": Buffer.alloc(5000),
			"node_modules/b/small": Buffer.alloc(10),
			"packages/p/package.json": "{}",
			"packages/p/node_modules/c": Buffer.alloc(300),
		});
		linkSync(join(root, "node_modules/a/big"), join(root, "node_modules/a/same"));
		linkSync(join(root, "node_modules/b/small"), join(root, "outside"));
		assert.deepEqual(adviceFor(root), [
			{
				kind: "dependencies",
				text: "node_modules: packages that npm, yarn or pnpm installs",
				files: 4,
				bytes: 5300,
				paths: ["node_modules", "packages/p/node_modules"],
				lines: ["**/node_modules"],
			},
		]);
	});

	it("saves what it says", (test) => {
		const root = taken(test, {
			Dockerfile: `${ALL}RUN npm ci && cargo build\n`,
			"package.json": "{}",
			"node_modules/a": "12345",
			"node_modules/native/Cargo.toml": "x",
			"node_modules/native/target/debug/x": "123",
			".git/HEAD": "x",
			"lib/.git/HEAD": "y",
		});
		const before = sent(root);
		const advice = adviceFor(root);
		const lines = advice.flatMap(({ lines }) => lines);
		appendFileSync(join(root, ".dockerignore"), `${lines.join("\n")}\n`);
		const after = sent(root);
		const sum = (field: "files" | "bytes") => advice.reduce((total, one) => total + one[field], 0);
		assert.equal(before.files - after.files, sum("files"));
		const grown = Buffer.byteLength(`${lines.join("\n")}\n`);
		assert.equal(before.bytes - after.bytes + grown, sum("bytes"));
		assert.deepEqual(adviceFor(root), []);
	});

	it("leaves a folder be that the image may take for want of its own", (test) => {
		const files = { "package.json": "{}", "node_modules/a": "x" };
		assert.deepEqual(adviceFor(taken(test, files)), []);
		const root = taken(test, { ...files, Dockerfile: `${ALL}RUN npm ci\n` });
		assert.deepEqual(linesOf(adviceFor(root)), { dependencies: ["node_modules"] });
	});

	it("needs no such step where nobody takes what is in the folder", (test) => {
		const root = taken(test, {
			Dockerfile: "FROM scratch\nCOPY src src\n",
			"package.json": "{}",
			"node_modules/a": "x",
		});
		const isNeeded = (path: string) => path.startsWith("src");
		assert.deepEqual(linesOf(adviceFor(root, { isNeeded })), { dependencies: ["node_modules"] });
	});

	it("leaves a folder be that the Dockerfile names", (test) => {
		const files = {
			"pom.xml": "x",
			"target/app.jar": "x",
			"package.json": "{}",
			"node_modules/a": "x",
		};
		const build = "FROM scratch\nRUN mvn package && npm ci\n";
		for (const use of [
			"COPY target/*.jar app.jar\nCOPY node_modules ./n\n",
			"ARG JAR=target/*.jar\nCOPY --chown=1:1 $JAR \\\n  app.jar\nADD ./node_modules/ /n\n",
			'COPY ["target/app.jar", "node_modules/a", "/x/"]\n',
			"RUN --mount=type=bind,src=target,target=/t --mount=type=bind,source=node_modules,target=/n x\n",
		]) {
			assert.deepEqual(adviceFor(taken(test, { ...files, Dockerfile: build + use })), [], use);
		}
		const other = "COPY . .\nCOPY --from=build /app/target/app.jar node_modules ./\n";
		const root = taken(test, { ...files, Dockerfile: build + other });
		assert.equal(adviceFor(root).length, 2);
	});

	it("leaves be what somebody chose to send", (test) => {
		const files = {
			Dockerfile: `${ALL}RUN npm ci\n`,
			"package.json": "{}",
			"node_modules/a/x": "x",
			"node_modules/b/x": "x",
			"lib/package.json": "{}",
			"lib/node_modules/x": "x",
		};
		const ofLib = { dependencies: ["lib/node_modules"] };
		const ofAll = { dependencies: ["**/node_modules"] };
		for (const [rules, lines] of [
			["node_modules\n!node_modules/a\n", ofLib],
			["node_modules/a\n!node_modules/a/x\n", ofLib],
			["**/node_modules\n!node_modules\n", {}],
			["*\n!node_modules\n!lib\n!package.json\n", ofLib],
			["**/*.md\n!**/x.md\n", ofAll],
			["*\n!**\n", ofAll],
		] as const) {
			const root = taken(test, { ...files, ".dockerignore": rules });
			assert.deepEqual(linesOf(adviceFor(root)), lines, rules);
		}
	});

	it("has the last word where an earlier negation sends everything around it", (test) => {
		const root = taken(test, {
			Dockerfile: `${ALL}RUN npm ci\n`,
			".dockerignore": "*\n!app\n",
			"app/package.json": "{}",
			"app/node_modules/a": "x",
		});
		assert.deepEqual(linesOf(adviceFor(root)), { dependencies: ["app/node_modules"] });
	});

	it("never takes the Dockerfile along", (test) => {
		const root = taken(test, {
			"package.json": "{}",
			"node_modules/d/Dockerfile": ALL,
			Dockerfile: `${ALL}RUN npm ci\n`,
		});
		assert.equal(adviceFor(root).length, 1);
		const keep = ["node_modules/d/Dockerfile", ".dockerignore"];
		assert.deepEqual(adviceFor(root, { keep }), []);
	});

	it("is about .git, of submodules too, unless a step asks git", (test) => {
		const files = { ".git/HEAD": "x", "sub/.git": "gitdir: ../.git/modules/sub" };
		assert.deepEqual(linesOf(adviceFor(taken(test, files))), { "git-directory": ["**/.git"] });
		for (const step of ["RUN make VERSION=$(git describe)", "COPY .git /src/.git"]) {
			const root = taken(test, { ...files, Dockerfile: `${ALL}${step}\n` });
			assert.deepEqual(
				linesOf(adviceFor(root))["git-directory"],
				step.startsWith("COPY") ? ["sub/.git"] : undefined,
			);
		}
	});

	it("tells that there is no .dockerignore where one would help", (test) => {
		const root = project(test, { Dockerfile: ALL, ".git/HEAD": "x" });
		assert.deepEqual(
			adviceFor(root).map(({ kind }) => kind),
			["no-ignore-file", "git-directory"],
		);
	});

	it("names copies of what is sent, but not other names of it", (test) => {
		const content = Buffer.alloc(MB, "x");
		const changed = Buffer.concat([content.subarray(1), Buffer.from("y")]);
		const root = taken(test, {
			a: content,
			"b/copy": content,
			"c-other": changed,
			"small-1": "x",
			"small-2": "x",
		});
		linkSync(join(root, "a"), join(root, "link"));
		const [advice, ...more] = adviceFor(root);
		assert.deepEqual(more, []);
		assert.equal(advice?.kind, "duplicates");
		assert.deepEqual([advice?.files, advice?.bytes, advice?.paths], [1, MB, ["b/copy"]]);
		assert.deepEqual(advice?.lines, []);
	});

	it("names large files, with a line only where nobody takes them", (test) => {
		const root = taken(test, { "data.bin": "", "dump.sql": "", small: "" });
		truncateSync(join(root, "data.bin"), 60 * MB);
		truncateSync(join(root, "dump.sql"), 51 * MB);
		truncateSync(join(root, "small"), 50 * MB);
		assert.deepEqual(linesOf(adviceFor(root)), { "large-file": [] });
		const isNeeded = (path: string) => path !== "dump.sql";
		assert.deepEqual(
			adviceFor(root, { isNeeded }).map(({ paths, lines }) => [paths, lines]),
			[
				[["dump.sql"], ["dump.sql"]],
				[["data.bin"], []],
			],
		);
	});

	it("writes ten lines at most where one does not do", (test) => {
		const folders = Array.from({ length: 12 }, (_, at) => [
			`p${at}/package.json`,
			`p${at}/node_modules/a`,
		]);
		const root = taken(test, {
			Dockerfile: `${ALL}RUN npm ci\nCOPY odd/node_modules /x\n`,
			"odd/package.json": "{}",
			"odd/node_modules/a": "x",
			...Object.fromEntries(folders.flat().map((path) => [path, path])),
			"p3/node_modules/large": Buffer.alloc(1000),
		});
		const [advice] = adviceFor(root);
		assert.equal(advice?.lines.length, 10);
		assert.equal(advice?.lines[0], "p3/node_modules");
		assert.equal(advice?.files, 11);
	});

	it("is as good for names that no line can hold", { skip: noSuchNames }, (test) => {
		const root = taken(test, {
			Dockerfile: `${ALL}RUN npm ci\n`,
			"a\nb/package.json": "{}",
			"a\nb/node_modules/x": "x",
			"a-b/node_modules/x": "x",
		});
		assert.deepEqual(adviceFor(root), []);
	});

	it("ends when it is interrupted", (test) => {
		const root = taken(test, { a: "x" });
		const reason = new InterruptedError("interrupted");
		const request = {
			tree: new SourceTree(root, "linux"),
			entries: sent(root).entries,
			keep: [],
			dockerfile: ALL,
		};
		assert.throws(() => adviseOn(request, AbortSignal.abort(reason)), reason);
	});

	it("does without files that cannot be read", { skip: without("rm") }, (test) => {
		const root = taken(test, { a: Buffer.alloc(MB), b: Buffer.alloc(MB) });
		const { entries } = sent(root);
		execFileSync("rm", [join(root, "b")]);
		assert.deepEqual(adviceFor(root, { entries }), []);
	});
});
