import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { SentPath } from "../../../../src/survey/context-document.js";
import { formatTable } from "../../../../src/survey/format/table.js";
import { EVERYTHING, PLAIN, surveyed } from "../surveys.js";

const table = (survey = EVERYTHING, style = PLAIN) => [...formatTable(survey, style)].join("");

const sized = (path: string, size: number): SentPath => ({ path, type: "file", size, mode: 0o644 });
const directory = (path: string): SentPath => ({ path, type: "directory", size: 0, mode: 0o755 });

describe("the table", () => {
	it("has a section for everything that was found out", () => {
		assert.equal(
			table(),
			`/src/app
  3 files, 3 MB to send
  12 files, 5 MB ignored (by .dockerignore)
  about 1 MB compressed, 0.4s at 20 Mbit/s (estimated)

Limits
  the context, 3 MB, is 2 MB over --max-size 1 MB: main.go (1 MB)

Cannot be read
  cannot read db in the build context: permission denied

Compared
  +1 file and -1 MB against before.json
  new: 1 file, +1 kB
        +1 kB  way
  gone: 12 files, -1 MB
         -9 B  old
  ... 11 more

Largest
      2 MB  =============                 1 file  dist/
      2 MB  =============                 1 file    "a|b\`<i>_\\u009b2J.js"
      1 MB  =======                       1 file  main.go
       0 B                                1 file  way

By type
      2 MB  =============                 1 file  .js
      1 MB  =======                       1 file  .go
       0 B                                1 file  symlinks

Ignored
      5 MB  ====================        12 files  node_modules/  (.dockerignore:1 node_modules)

Rules
  .dockerignore, each of lines 4-5, 8: matches nothing

Needed by the Dockerfile
      1 MB  =======                       1 file  Dockerfile:12 COPY main.go .
      2 MB  =============                2 files  nobody
  the value of $SRC is not known

Advice
  dist is made by the build (1 file, 2 MB)
    add to .dockerignore: dist
  large: does the image need it? (5 files, 400 MB)
    a b.mp4
    "c\\n.mp4"
    d.mp4
    ... 2 more

Secrets
  "key\\n.pem":2: an OpenSSH private key
`,
		);
	});

	it("has no section for what there is nothing to say about", () => {
		assert.equal(
			table(surveyed({ ignoreFile: null })),
			`/src/app
  0 files, 0 B to send
  0 files, 0 B ignored (there is no .dockerignore)
  about 0 B compressed (estimated)
`,
		);
	});

	it("gives no amount for advice that is about no files", () => {
		const text = "there is no .dockerignore, so everything in the directory is sent";
		const advice = [{ kind: "no-ignore-file", text, files: 0, bytes: 0, paths: [], lines: [] }];
		assert.match(table(surveyed({ advice })), /\nAdvice\n {2}there is no .* is sent\n/);
	});

	const tree = surveyed({
		totals: { ...surveyed({}).head.totals, files: 5, bytes: 100 },
		files: [
			directory("a"),
			directory("a/deep"),
			sized("a/deep/x", 40),
			sized("a/y", 20),
			sized("a/z", 1),
			sized("b", 30),
			sized("c", 9),
		],
	});
	const largest = (style: Partial<typeof PLAIN>) =>
		/Largest\n(.*?)\n\n/s.exec(table(tree, { ...PLAIN, ...style }))?.[1]?.split("\n");

	it("shows the largest paths as a tree, and what is left out of it", () => {
		assert.deepEqual(largest({ top: 4 }), [
			"      61 B  ============                 3 files  a/",
			"      40 B  ========                      1 file    deep/",
			"      40 B  ========                      1 file      x",
			"      21 B  ====                         2 files    ... 2 more",
			"      30 B  ======                        1 file  b",
			"       9 B  ==                            1 file  ... 1 more",
		]);
	});

	it("shows as many levels as it is told to, or all", () => {
		assert.deepEqual(largest({ depth: 1 }), [
			"      61 B  ============                 3 files  a/",
			"      30 B  ======                        1 file  b",
			"       9 B  ==                            1 file  c",
		]);
		const all = largest({ depth: Number.POSITIVE_INFINITY, top: Number.POSITIVE_INFINITY });
		assert.equal(all?.length, 7);
	});

	const deep = "web/packages/frontend-application-with-long-name";
	const LONG = surveyed({
		totals: { ...surveyed({}).head.totals, files: 2, bytes: 100 },
		files: [
			{ ...sized("日本語のとても長いファイル名のテスト用データのためのとても長い名前.bin", 60) },
			sized("b", 40),
		],
		ignored: [
			{ path: "node_modules", type: "directory", size: 9, files: 3, rule: 0 },
			{ path: `${deep}/node_modules/left-pad/index.js`, type: "file", size: 1, files: 1, rule: 1 },
		],
		rules: [
			{
				line: 1,
				text: "node_modules",
				files: 3,
				bytes: 9,
				doubt: "fits at the top level only, and 1 file further down is sent",
			},
			{ line: 2, text: `${deep}/node_modules`, files: 1, bytes: 1 },
		],
		needs: {
			instructions: [{ line: 12, text: `COPY ${deep}/src /app/src`, files: 1, bytes: 60 }],
			unused: { files: 1, bytes: 40 },
			doubts: [],
		},
		advice: [
			{
				kind: "dependencies",
				text: "node_modules: packages that npm, yarn or pnpm installs",
				...{ files: 1, bytes: 60, paths: [] },
				lines: [`${deep}/my node_modules`],
			},
		],
		exceeded: [
			{ limit: "max-size", allowed: 1, found: 100, largest: [{ path: `${deep}/a b`, size: 60 }] },
		],
	});
	const section = (title: string, survey: typeof LONG, width: number) =>
		new RegExp(`^${title}\n(.*?)\n(\n|$)`, "ms")
			.exec(table(survey, { ...PLAIN, width }))?.[1]
			?.split("\n");

	it("wraps what is read or copied between words on a terminal, and leaves a long word whole", () => {
		assert.deepEqual(section("Rules", LONG, 60), [
			"  .dockerignore:1 node_modules: fits at the top level only,",
			"    and 1 file further down is sent",
		]);
		assert.deepEqual(section("Advice", LONG, 60), [
			"  node_modules: packages that npm, yarn or pnpm installs (1",
			"    file, 60 B)",
			"    add to .dockerignore:",
			`    ${deep}/my node_modules`,
		]);
		assert.deepEqual(section("Limits", LONG, 60), [
			"  the context, 100 B, is 99 B over --max-size 1 B:",
			`    ${deep}/a b (60 B)`,
		]);
		assert.deepEqual(section("Needed by the Dockerfile", LONG, 60), [
			"      60 B  1 file  Dockerfile:12 COPY",
			`    ${deep}/src`,
			"    /app/src",
			"      40 B  1 file  nobody",
		]);
	});

	it("shortens bars before names, which keep both ends", () => {
		const bars = (width: number) => section("Largest", tree, width)?.[0]?.replaceAll(/[^=]/g, "");
		assert.equal(bars(80), "=".repeat(12));
		assert.equal(bars(51), "=".repeat(9));
		assert.equal(bars(39), "");
		assert.deepEqual(section("Largest", LONG, 60), [
			"      60 B  1 file  日本語のとても長い...とても長い名前.bin",
			"      40 B  1 file  b",
		]);
	});

	it("leaves the rule whole behind a name that is shortened", () => {
		assert.deepEqual(section("Ignored", LONG, 80), [
			"       9 B  3 files  node_modules/  (.dockerignore:1 node_modules)",
			"       1 B   1 file  web/packages/frontend-applic...de_modules/left-pad/index.js",
			"    (.dockerignore:2",
			`    ${deep}/node_modules)`,
		]);
	});

	it("is for a log as wide as it is, and colours a terminal's", () => {
		const wide = table(LONG);
		assert.ok(wide.includes(`${deep}/node_modules/left-pad/index.js  (.dockerignore:2 ${deep}/`));
		assert.ok(wide.includes(`    add to .dockerignore: ${deep}/my node_modules\n`));
		const coloured = table(LONG, { ...PLAIN, color: true, width: 60 });
		assert.ok(coloured.includes("\x1b[1mLargest\x1b[22m\n"));
		assert.ok(coloured.includes("\x1b[33m    and 1 file further down is sent\x1b[39m\n"));
		// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there.
		assert.doesNotMatch(table(), /[\x00-\x09\x0b-\x1f\x7f-\x9f]/);
	});
});
