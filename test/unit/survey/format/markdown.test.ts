import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { formatMarkdown } from "../../../../src/survey/format/markdown.js";
import { EVERYTHING, PLAIN, surveyed } from "../surveys.js";

const markdown = (survey = EVERYTHING) => [...formatMarkdown(survey, PLAIN)].join("");

describe("Markdown", () => {
	it("has a section for everything that was found out", () => {
		assert.equal(
			markdown(),
			`## Build context <code>/src/app</code>

- 3 files, 3 MB to send
- 12 files, 5 MB ignored (by .dockerignore)
- about 1 MB compressed, 0.4s at 20 Mbit/s (estimated)

### Limits

- the context, 3 MB, is 2 MB over --max-size 1 MB: main.go (1 MB)

### Cannot be read

- cannot read db in the build context: permission denied

### Compared

- +1 file and -1 MB against before.json
- new: 1 file, +1 kB
  - +1 kB <code>way</code>
- gone: 12 files, -1 MB
  - -9 B <code>old</code>

### Largest

| size | files | path |
| --: | --: | :-- |
| 2 MB | 1 | <code>dist/</code> 67% |
| 2 MB | 1 | <code>&#34;dist/a&#124;b&#96;&#60;i&#62;&#95;&#92;u009b2J.js&#34;</code> 67% |
| 1 MB | 1 | <code>main.go</code> 33% |
| 0 B | 1 | <code>way</code> |

### By type

| size | files | type |
| --: | --: | :-- |
| 2 MB | 1 | <code>.js</code> |
| 1 MB | 1 | <code>.go</code> |
| 0 B | 1 | <code>symlinks</code> |

### Ignored

| size | files | path |
| --: | --: | :-- |
| 5 MB | 12 | <code>node&#95;modules/</code> by <code>.dockerignore:1 node&#95;modules</code> |

### Rules

- <code>.dockerignore, each of lines 4-5, 8</code>: matches nothing

### Needed by the Dockerfile

| size | files | instruction |
| --: | --: | :-- |
| 1 MB | 1 | <code>Dockerfile:12 COPY main.go .</code> |
| 2 MB | 2 | nobody |

### Doubts about what is needed

- the value of &#36;SRC is not known

### Advice

- dist is made by the build (1 file, 2 MB)
  - add to <code>.dockerignore</code>: <code>dist</code>
- large: does the image need it&#63; (5 files, 400 MB)
  - <code>a b.mp4</code>
  - <code>&#34;c&#92;n.mp4&#34;</code>
  - <code>d.mp4</code>
  - and 2 more

### Secrets

- <code>&#34;key&#92;n.pem&#34;:2</code>: an OpenSSH private key
`,
		);
	});

	it("lets no name become markup, a link or a mention", () => {
		const names = [
			"a|b",
			"`x`",
			"<script>",
			"*b*",
			"_i_",
			"[l](u)",
			"@user",
			"#1",
			"&amp;",
			"~~s~~",
		];
		const files = [...names, "www.evil.example", "http:", "![i](u)"].map((path) => {
			return { path, type: "file" as const, size: 1, mode: 0o644 };
		});
		const [, largest = ""] = markdown(surveyed({ files })).split("\n### ");
		const rows = largest.split("\n").filter((line) => line.startsWith("| 1 B"));
		assert.equal(rows.length, files.length);
		for (const row of rows) {
			const [, , , name = "", end, ...more] = row.split("|");
			assert.deepEqual([end, more], ["", []]);
			const text = / <code>(.*)<\/code> /.exec(name)?.[1] ?? "";
			assert.doesNotMatch(text.replace(/&#\d+;/g, ""), /[`<>*_[\]@#&~!|]|www\.|:\/\//);
		}
	});
});
