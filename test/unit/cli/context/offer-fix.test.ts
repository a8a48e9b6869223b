import assert from "node:assert/strict";
import {
	chmodSync,
	lstatSync,
	mkdirSync,
	readdirSync,
	readFileSync,
	statSync,
	symlinkSync,
	writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { describe, it, type TestContext } from "node:test";
import { offerFix } from "../../../../src/cli/context/offer-fix.js";
import type { Prompt } from "../../../../src/environment.js";
import { ContextError, InterruptedError, UsageError } from "../../../../src/errors.js";
import { noPermissions, noSymlinks } from "../../../support/this-system.js";
import { emptyTree } from "../../context/trees.js";

const ADVICE = [
	{ kind: "git-directory", text: "", files: 1, bytes: 1, paths: [".git"], lines: [".git"] },
];

interface Dialog {
	/** What is typed, undefined being the end of input; absent: there is nobody to ask. */
	readonly answer?: string | undefined;
	readonly yes?: boolean;
	readonly signal?: AbortSignal;
	readonly file?: string;
	/** What the ignore file was when the advice was given; undefined: there was none. */
	readonly content: string | undefined;
}

async function fix(root: string, { yes = false, content, ...dialog }: Dialog) {
	const output = new PassThrough();
	const prompt = "answer" in dialog ? answering(dialog.answer, output) : undefined;
	const ignore =
		content === undefined
			? undefined
			: { content: Buffer.from(content), file: dialog.file ?? ".dockerignore" };
	const signal = dialog.signal ?? new AbortController().signal;
	const outcome = await offerFix(
		{ root, ignore, advice: ADVICE, yes },
		{ output, color: false, prompt, signal },
	).catch((error: unknown) => error);
	return { outcome, shown: writtenTo(output) };
}

/** One read() gives all that was written up to node 24, and a single write from node 26 on. */
function writtenTo(output: PassThrough): string {
	let written = "";
	for (let chunk = output.read(); chunk !== null; chunk = output.read()) written += String(chunk);
	return written;
}

function answering(answer: string | undefined, output: PassThrough): Prompt {
	return {
		async ask(question, { signal }) {
			signal.throwIfAborted();
			output.write(`${question}\n`);
			return answer;
		},
	};
}

function withFile(test: TestContext, content: string): string {
	const root = emptyTree(test);
	writeFileSync(join(root, ".dockerignore"), content);
	return root;
}

function read(root: string): string {
	return readFileSync(join(root, ".dockerignore"), "utf8");
}

describe("the fix of an ignore file", () => {
	it("is shown, asked about and written", async (test) => {
		for (const answer of ["y", "Yes", " YES "]) {
			const root = withFile(test, "a\n");
			const { outcome, shown } = await fix(root, { answer, content: "a\n" });
			assert.equal(outcome, true);
			assert.match(shown, /^--- \.dockerignore\n\+\+\+ \.dockerignore\n@@ .* @@\n a\n\+\.git\n/);
			assert.match(shown, /Write this to \.dockerignore\? \[y\/N\]/);
			assert.equal(read(root), "a\n.git\n");
			assert.deepEqual(readdirSync(root), [".dockerignore"]);
		}
	});

	it("is not written without a yes", async (test) => {
		for (const answer of ["n", "", "yeah", " ", undefined]) {
			const root = withFile(test, "a\n");
			const { outcome, shown } = await fix(root, { answer, content: "a\n" });
			assert.equal(outcome, false, answer);
			assert.match(shown, /\.dockerignore is unchanged\n$/);
			assert.equal(read(root), "a\n");
		}
	});

	it("is written without a question with --yes", async (test) => {
		const root = withFile(test, "a\n");
		const { outcome, shown } = await fix(root, { yes: true, content: "a\n" });
		assert.equal(outcome, true);
		assert.doesNotMatch(shown, /\?/);
		assert.equal(read(root), "a\n.git\n");
	});

	it("is shown and refused where nobody can be asked", async (test) => {
		const root = withFile(test, "a\n");
		const { outcome, shown } = await fix(root, { content: "a\n" });
		assert.ok(outcome instanceof UsageError);
		assert.match(outcome.hint ?? "", /--yes/);
		assert.match(shown, /^\+\.git$/m);
		assert.equal(read(root), "a\n");
	});

	it("makes a .dockerignore where there is none", async (test) => {
		const root = emptyTree(test);
		assert.equal((await fix(root, { yes: true, content: undefined })).outcome, true);
		assert.equal(read(root), ".git\n");
	});

	it("goes into the file that applies, through a link, with its permissions", {
		skip: noSymlinks || noPermissions,
	}, async (test) => {
		const root = emptyTree(test);
		mkdirSync(join(root, "docker"));
		writeFileSync(join(root, "docker/real"), "a\n");
		chmodSync(join(root, "docker/real"), 0o640);
		const file = "docker/Prod.dockerignore";
		symlinkSync("real", join(root, file));
		assert.equal((await fix(root, { yes: true, content: "a\n", file })).outcome, true);
		assert.ok(lstatSync(join(root, file)).isSymbolicLink());
		assert.equal(readFileSync(join(root, "docker/real"), "utf8"), "a\n.git\n");
		assert.equal(statSync(join(root, "docker/real")).mode & 0o777, 0o640);
	});

	it("does not overwrite what somebody else has written meanwhile", async (test) => {
		const root = withFile(test, "other\n");
		const { outcome } = await fix(root, { yes: true, content: "a\n" });
		assert.ok(outcome instanceof ContextError);
		assert.equal(outcome.message, ".dockerignore has changed meanwhile");
		assert.equal(read(root), "other\n");
	});

	it("names the file that cannot be written, and why", async (test) => {
		const root = join(emptyTree(test), "gone");
		const { outcome } = await fix(root, { yes: true, content: undefined });
		assert.ok(outcome instanceof ContextError);
		assert.equal(outcome.message, "cannot write .dockerignore: no such file or directory");
		assert.match(outcome.hint ?? "", /^add the lines above/);
	});

	it("ends with the run while it is asked about", async (test) => {
		const root = withFile(test, "a\n");
		const reason = new InterruptedError("interrupted");
		const signal = AbortSignal.abort(reason);
		assert.equal((await fix(root, { answer: "y", content: "a\n", signal })).outcome, reason);
		assert.equal(read(root), "a\n");
	});
});
