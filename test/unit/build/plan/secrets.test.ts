import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import type { SecretOption } from "../../../../src/build/plan/options.js";
import { planSecrets } from "../../../../src/build/plan/secrets.js";
import type { Environment } from "../../../../src/environment.js";

const signal = new AbortController().signal;

suite("secrets", () => {
	let directory: string;
	before(() => {
		directory = mkdtempSync(join(tmpdir(), "rbuild-secrets-"));
	});
	after(() => rmSync(directory, { recursive: true, force: true }));

	const environment = (variables: Record<string, string> = {}): Environment => ({
		variables,
		homeDirectory: "/nonexistent",
		userName: "me",
		platform: process.platform,
		workingDirectory: directory,
	});

	/** A reader that gives values as text. */
	async function open(options: readonly SecretOption[], variables?: Record<string, string>) {
		const surroundings = environment(variables);
		const { read } = await planSecrets(options, surroundings);
		return async (id: string) => {
			const value = await read(id, signal);
			return value && Buffer.from(value).toString();
		};
	}

	test("come from files and variables, and those that were not given from nowhere", async () => {
		writeFileSync(join(directory, "file"), "from a file\n");
		const read = await open(
			[
				{ id: "a", src: "file" },
				{ id: "b", env: "TOKEN" },
			],
			{
				TOKEN: "from a variable",
				HOME: "/root",
			},
		);
		assert.equal(await read("a"), "from a file\n");
		assert.equal(await read("b"), "from a variable");
		for (const id of ["HOME", "TOKEN", "file", "../file", "__proto__", ""]) {
			assert.equal(await read(id), undefined, id);
		}
	});

	test("have the variable of their name, else the file, if nothing else is said", async () => {
		writeFileSync(join(directory, "either"), "file");
		assert.equal(await (await open([{ id: "either" }]))("either"), "file");
		assert.equal(
			await (await open([{ id: "either" }], { either: "variable" }))("either"),
			"variable",
		);
		assert.equal(await (await open([{ id: "either" }], { either: "" }))("either"), "");
	});

	test("that are given twice are what was given last", async () => {
		const read = await open(
			[
				{ id: "a", env: "ONE" },
				{ id: "a", env: "TWO" },
			],
			{ ONE: "1", TWO: "2" },
		);
		assert.equal(await read("a"), "2");
	});

	test("are read when they are asked for, once, so that a pipe will do", {
		skip: process.platform === "win32",
	}, async () => {
		const pipe = join(directory, "pipe");
		execFileSync("mkfifo", [pipe]);
		const read = await open([{ id: "a", src: pipe }]);
		const [, ...values] = await Promise.all([writeFile(pipe, "piped"), read("a"), read("a")]);
		assert.deepEqual(values, ["piped", "piped"]);
		assert.equal(await read("a"), "piped");
	});

	test("that grew too large or went away since are refused when they are asked for", async () => {
		const file = join(directory, "changing");
		writeFileSync(file, "x");
		const large = await open([{ id: "a", src: file }]);
		const gone = await open([{ id: "a", src: file }]);
		writeFileSync(file, Buffer.alloc(500 * 1024 + 1));
		await assert.rejects(large("a"), /^UsageError: secret "a": .*changing is larger than 500 KiB$/);
		rmSync(file);
		await assert.rejects(
			gone("a"),
			/^UsageError: secret "a": the file given for it does not exist$/,
		);
	});

	test("are looked for before anything is sent", async () => {
		writeFileSync(join(directory, "large"), Buffer.alloc(500 * 1024 + 1));
		writeFileSync(join(directory, "just-right"), Buffer.alloc(500 * 1024));
		mkdirSync(join(directory, "folder"));
		const refused: [SecretOption, RegExp][] = [
			[
				{ id: "a", src: "missing" },
				/^UsageError: secret "a": the file given for it does not exist$/,
			],
			[
				{ id: "a" },
				/^UsageError: secret "a": there is neither a variable nor a file of that name$/,
			],
			[
				{ id: "a", env: "UNSET" },
				/^UsageError: secret "a": the environment variable given for it is not set$/,
			],
			[{ id: "a", src: "large" }, /^UsageError: secret "a": .*large is larger than 500 KiB$/],
			[
				{ id: "a", env: "LARGE" },
				/^UsageError: secret "a": the variable LARGE is larger than 500 KiB$/,
			],
			[{ id: "a", src: "folder" }, /^UsageError: secret "a": .*folder is a directory$/],
			[{ id: "a", src: "x", env: "Y" }, /^UsageError: secret "a" has two sources/],
			[{ id: "" }, /^UsageError: a secret has no id$/],
		];
		const variables = { LARGE: "x".repeat(500 * 1024 + 1) };
		for (const [option, message] of refused) {
			await assert.rejects(planSecrets([option], environment(variables)), message);
		}
		await planSecrets([{ id: "a", src: "just-right" }], environment());
	});
});
