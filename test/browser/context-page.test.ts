import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import type { Browser, Page } from "playwright-core";
import type { ContextDocument } from "../../src/survey/context-document.js";
import { contextPage } from "../../src/survey/page/context-page.js";
import { startChromium } from "../support/chromium.js";
import { rbuild } from "../support/cli.js";
import { largeDocument } from "../support/large-document.js";
import { suiteWithChromium } from "../support/requirement.js";
import { documentOf, file, SMALL_DOCUMENT } from "../support/small-document.js";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

type Theme = "light" | "dark";

suiteWithChromium("the picture of a context in a browser", () => {
	let browser: Browser;
	let directory: string;
	let page: Page;
	/** What the page asked for, and what went wrong in it. */
	let requests: string[];
	let faults: string[];

	before(async () => {
		directory = mkdtempSync(join(tmpdir(), "rbuild-page-"));
		browser = await startChromium();
	});
	afterEach(() => page.close());
	after(async () => {
		await browser.close();
		rmSync(directory, { recursive: true, force: true });
	});

	async function open(document: ContextDocument, theme: Theme = "light", hash = ""): Promise<void> {
		const path = join(directory, "context.html");
		writeFileSync(path, contextPage(document));
		await openFile(path, theme, hash);
	}

	async function openFile(path: string, theme: Theme = "light", hash = ""): Promise<void> {
		page = await browser.newPage({ colorScheme: theme, reducedMotion: "reduce" });
		[requests, faults] = [[], []];
		page.on("request", (request) => requests.push(request.url()));
		page.on("pageerror", (error) => faults.push(String(error)));
		page.on("console", (message) => faults.push(message.text()));
		page.on("dialog", (dialog) => faults.push(dialog.message()));
		await page.goto(pathToFileURL(path).href + hash);
		await page.locator("html[data-state=ready]").waitFor();
	}

	const crumbs = () => page.locator("#breadcrumb li").allTextContents();
	const paths = () => page.locator("#table td.path").allTextContents();
	const listed = () => page.locator("#listed").textContent();
	const details = () => page.locator("#details").innerText();
	const hash = () => page.evaluate("location.hash");
	const clickAt = (x: number, y: number) =>
		page.locator("#treemap canvas").click({ position: { x, y } });

	test("shows what is sent, by verdict, and asks for nothing but itself", async () => {
		await open(SMALL_DOCUMENT);
		assert.deepEqual(await page.locator("#legend button").allInnerTexts(), [
			"Needed\n899 kB · 2 files",
			"Sent, unused\n60 kB · 1 file",
			"Ignored\n40 kB · 9 files",
			"Secret\n1 kB · 1 file",
		]);
		assert.match(await page.locator("#summary").innerText(), /To send\s+960 kB\s+4 files/);
		assert.deepEqual(await paths(), [
			"src/main.c",
			"src/util.c",
			"docs/a.md",
			"node_modules/",
			"src/deploy/key.pem",
		]);
		assert.equal(requests.length, 1, requests.join("\n"));
		assert.deepEqual(faults, []);
	});

	test("zooms into a directory at a click, and out by the path above it", async () => {
		await open(SMALL_DOCUMENT);
		await clickAt(60, 10);
		assert.deepEqual(await crumbs(), ["context", "src"]);
		assert.deepEqual(await paths(), ["src/main.c", "src/util.c", "src/deploy/key.pem"]);
		assert.equal(await hash(), "#/src");
		await page.getByRole("button", { name: "context", exact: true }).click();
		assert.deepEqual(await crumbs(), ["context"]);
		await page.goBack();
		assert.deepEqual(await crumbs(), ["context", "src"]);
	});

	test("begins where its address says", async () => {
		await open(SMALL_DOCUMENT, "light", "#/src/deploy");
		assert.deepEqual(await crumbs(), ["context", "src", "deploy"]);
	});

	test("says of a file why it is what it is", async () => {
		await open(SMALL_DOCUMENT);
		await page.getByText("src/main.c").click();
		assert.match(
			await details(),
			/src\/main\.c[\s\S]*Needed[\s\S]*Dockerfile:3[\s\S]*COPY src \/src/,
		);
		await page.getByText("node_modules/").click();
		assert.match(await details(), /Ignored[\s\S]*\.dockerignore:2[\s\S]*node_modules/);
		await page.getByRole("button", { name: "src/deploy/key.pem" }).click();
		assert.match(await details(), /Secret[\s\S]*a private key, line 1/);
	});

	test("is used by keys alone", async () => {
		await open(SMALL_DOCUMENT);
		const live = page.locator("#live");
		await page.locator("#treemap").focus();
		await page.keyboard.press("ArrowRight");
		assert.match((await live.textContent()) ?? "", /^src\/main\.c, 800 kB · Needed, Dockerfile:3/);
		await page.keyboard.press("Enter");
		assert.deepEqual(await crumbs(), ["context", "src"]);
		await page.keyboard.press("Escape");
		assert.deepEqual(await crumbs(), ["context"]);
		await page.keyboard.press("/");
		await page.keyboard.type("docs");
		assert.deepEqual(await paths(), ["docs/a.md"]);
		await page.keyboard.press("Escape");
		assert.equal((await paths()).length, 5);
		await page.locator("#table tbody [tabindex='0']").focus();
		await page.keyboard.press("End");
		assert.match(await details(), /key\.pem/);
		await page.keyboard.press("Enter");
		assert.deepEqual(await crumbs(), ["context", "src", "deploy"]);
	});

	test("searches for all words of a path, in any case, and says how much it found", async () => {
		await open(SMALL_DOCUMENT);
		await page.getByLabel("Search paths").fill("C SRC main");
		assert.deepEqual(await paths(), ["src/main.c"]);
		assert.equal(await listed(), "1 file, 800 kB");
		await page.getByLabel("Search paths").fill("nowhere");
		assert.match(await page.locator("#table tbody").innerText(), /No files here pass the filters/);
	});

	test("sorts by each column, in both directions", async () => {
		await open(SMALL_DOCUMENT);
		const header = (name: string) => page.getByRole("columnheader", { name });
		assert.equal(await header("Size").getAttribute("aria-sort"), "descending");
		await header("Size").getByRole("button").click();
		assert.equal(await header("Size").getAttribute("aria-sort"), "ascending");
		assert.equal((await paths())[0], "src/deploy/key.pem");
		await header("Path").getByRole("button").click();
		assert.equal(await header("Size").getAttribute("aria-sort"), "none");
		assert.equal((await paths())[0], "docs/a.md");
		await header("Path").getByRole("button").click();
		assert.equal((await paths())[0], "src/util.c");
		await header("Files").getByRole("button").click();
		assert.equal((await paths())[0], "node_modules/");
		await header("Verdict").getByRole("button").click();
		assert.deepEqual(await page.locator("#table .tag").allTextContents(), [
			"Needed",
			"Needed",
			"Sent, unused",
			"Ignored",
			"Secret",
		]);
	});

	test("leaves out what is switched off, and shows only what an instruction takes", async () => {
		await open(SMALL_DOCUMENT);
		await page.getByRole("button", { name: /^Ignored/ }).click();
		assert.equal(await listed(), "4 files, 960 kB");
		await page.locator("summary", { hasText: "Instructions" }).click();
		await page.getByRole("button", { name: "Dockerfile:3" }).click();
		assert.equal(await listed(), "3 files, 900 kB");
		await page.getByRole("button", { name: "stop showing only Dockerfile:3" }).click();
		assert.equal(await listed(), "13 files, 1 MB");
	});

	test("hides what is ignored at first where that is most of it", async () => {
		const ignored = [{ path: "big", type: "directory", size: 5e6, files: 1, rule: 0 }] as const;
		await open(documentOf({ files: [file("a", 10)], ignored }));
		assert.deepEqual(await paths(), ["a"]);
		assert.equal(
			await page.getByRole("button", { name: /^Ignored/ }).getAttribute("aria-pressed"),
			"false",
		);
	});

	test("shows names as they are, never as markup, and tells those apart that look alike", async () => {
		const names: Readonly<Record<string, string>> = {
			'<img src=x onerror="alert(2)">': '<img src=x onerror="alert(2)">',
			"</script><script>alert(1)</script>": "</script><script>alert(1)</script>",
			"line\nbreak": "line\\x0abreak",
			"\u001b[2J": "\\x1b[2J",
			"\u202egnp.exe": "\\u202egnp.exe",
			"caf\udce9": "caf\\xe9",
			"$& --> ]]> &amp;": "$& --> ]]> &amp;",
			__proto__x: "__proto__x",
			constructor: "constructor",
		};
		await open(
			documentOf({
				context: "/home/</title><script>alert(3)</script>",
				files: Object.keys(names).map((name) => file(`dir\udcff/${name}`, 1000)),
				rules: [{ line: 1, text: "</script><b>\u001b", files: 0, bytes: 0, doubt: "<i>\u202e" }],
				secrets: Object.keys(names).map((name) => ({ path: `dir\udcff/${name}`, what: "<u>" })),
				advice: [
					{ kind: "x", text: "<b>", files: 1, bytes: 1, paths: ["</p>"], lines: ["<a>", "\u0007"] },
				],
			}),
		);
		const shown = Object.values(names).map((name) => `dir\\xff/${name}`);
		assert.deepEqual((await paths()).sort(), shown.sort());
		for (const name of shown) await page.getByRole("button", { name, exact: true }).click();
		assert.equal(
			await page.locator("img, b, i, u, p a, script:not(#data):not([type=module])").count(),
			0,
		);
		assert.deepEqual(faults, []);
		assert.equal(requests.length, 1, requests.join("\n"));
	});

	test("promises to save what there is a line for, and no more", async () => {
		const advice = (lines: string[]) => ({
			...{ kind: "x", text: "dist", files: 2, bytes: 3000, paths: ["dist/a"], lines },
		});
		await open(
			documentOf({ files: [file("dist/a", 3000)], advice: [advice(["dist"]), advice([])] }),
		);
		assert.deepEqual(await page.locator(".advice .note").allTextContents(), [
			"saves 3 kB, 2 files",
			"3 kB, 2 files",
		]);
	});

	test("is what `rbuild context --format html` writes, of names that are no text too", async () => {
		const root = mkdtempSync(join(directory, "context-"));
		execFileSync("sh", ["-c", `printf x > "$(printf 'caf\\351')"; printf yy > '<b>'`], {
			cwd: root,
		});
		writeFileSync(join(root, "Dockerfile"), "FROM scratch\nCOPY . /\n");
		const output = join(directory, "written.html");
		const { code, stderr } = await rbuild(["context", root, "--format", "html", "-o", output]);
		assert.equal(code, 0, stderr);
		await openFile(output);
		assert.deepEqual(await paths(), ["Dockerfile", "<b>", "caf\\xe9"]);
		assert.deepEqual(faults, []);
	});

	test("has an address for a directory whose name is not UTF-8", async () => {
		const files = ["a", "b"].map((name) => file(`caf\udce9/x y/${name}`, 1000));
		await open(documentOf({ files }), "light", "#/caf%E9/x%20y");
		assert.deepEqual(await crumbs(), ["context", "caf\\xe9", "x y"]);
		await page.getByRole("button", { name: "caf\\xe9" }).click();
		assert.equal(await hash(), "#/caf%E9");
	});

	test("lets no other script run", async () => {
		await open(SMALL_DOCUMENT);
		await page.evaluate(() => {
			const { document } = globalThis as unknown as {
				document: { body: { insertAdjacentHTML(where: string, html: string): void } };
			};
			document.body.insertAdjacentHTML("beforeend", "<img src='data:,' onerror='alert(4)'>");
		});
		await page.waitForTimeout(50);
		assert.equal(faults.filter((fault) => /alert|^4$/.test(fault)).length, 0);
		assert.ok(faults.some((fault) => fault.includes("Content Security Policy")));
	});

	for (const theme of ["light", "dark"] as const) {
		test(`has nothing that axe complains of, in the ${theme}`, async () => {
			await open(SMALL_DOCUMENT, theme);
			for (const name of ["Instructions", "Rules"]) {
				await page.locator("summary", { hasText: name }).click();
			}
			await page.getByText("docs/a.md").first().click();
			await page.evaluate(AXE);
			const violations = await page.evaluate<{ id: string; nodes: { html: string }[] }[]>(
				"axe.run().then(({ violations }) => violations)",
			);
			assert.deepEqual(
				violations.map(({ id, nodes }) => [id, ...nodes.map(({ html }) => html)]),
				[],
			);
		});
	}

	test("takes 50,000 files, of which it only has the rows that can be seen", async () => {
		await open(largeDocument(50_000));
		assert.equal(await page.locator("#table").getAttribute("aria-rowcount"), "50005");
		assert.ok((await page.locator("#table tbody tr").count()) < 60);
		await page.locator("#table tbody [tabindex='0']").focus();
		await page.keyboard.press("End");
		assert.ok(await page.locator("[aria-rowindex='50005']").isVisible());
		await page.keyboard.press("PageUp");
		assert.ok(await page.locator("[aria-rowindex='50005']").isVisible());
		await page.getByLabel("Search paths").fill("components-4999");
		assert.equal((await paths()).length, Number(/^\d+/.exec((await listed()) ?? "")?.[0]));
		assert.ok(Number(await page.locator("#treemap").getAttribute("data-cells")) > 200);
		assert.deepEqual(faults, []);
	});
});
