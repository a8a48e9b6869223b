import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { TestContext } from "node:test";
import { walkContext } from "../../../../src/context/entries/walk.js";
import { IgnoreRules } from "../../../../src/context/ignore/ignore-rules.js";
import type { ContextManifest } from "../../../../src/context/tree/manifest.js";
import { SourceTree } from "../../../../src/context/tree/source-tree.js";
import { adviseOn } from "../../../../src/survey/advice/advice.js";
import type { AdviceRequest } from "../../../../src/survey/advice/advice-request.js";
import type { Advice } from "../../../../src/survey/context-document.js";
import { emptyTree } from "../../context/trees.js";

const KEPT = ["Dockerfile", ".dockerignore"];

/** A directory with these files, by path; it is gone after the test. */
export function project(
	test: TestContext,
	files: Readonly<Record<string, string | Uint8Array>>,
): string {
	const root = emptyTree(test);
	for (const [path, content] of Object.entries(files)) {
		mkdirSync(dirname(join(root, path)), { recursive: true });
		writeFileSync(join(root, path), content);
	}
	return root;
}

export function git(root: string, ...args: readonly string[]): string {
	const own = ["user.name=a", "user.email=a@b", "core.excludesFile="];
	// No examples of hooks in each repository.
	const config = [...own, "init.templateDir="].flatMap((one) => ["-c", one]);
	return execFileSync("git", [...config, ...args], { cwd: root, encoding: "utf8", stdio: "pipe" });
}

export function ignoreFileOf(root: string): AdviceRequest["ignore"] {
	try {
		return { content: readFileSync(join(root, ".dockerignore")), file: ".dockerignore" };
	} catch {
		return undefined;
	}
}

/** What would be sent of a project, by its .dockerignore. */
export function sent(root: string): ContextManifest {
	const { content = Buffer.alloc(0) } = ignoreFileOf(root) ?? {};
	const rules = IgnoreRules.parse(content, ".dockerignore").keeping(KEPT);
	return walkContext(new SourceTree(root, "linux"), rules, new Set());
}

export function adviceFor(root: string, more: Partial<AdviceRequest> = {}): Advice[] {
	const request = {
		tree: new SourceTree(root, "linux"),
		entries: sent(root).entries,
		ignore: ignoreFileOf(root),
		keep: KEPT,
		dockerfile: readFileSync(join(root, "Dockerfile"), "utf8"),
		...more,
	};
	return adviseOn(request, new AbortController().signal);
}

/** The lines by the kind of advice. */
export function linesOf(advice: readonly Advice[]): Record<string, readonly string[]> {
	return Object.fromEntries(advice.map(({ kind, lines }) => [kind, lines]));
}
