import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { suite, test } from "node:test";
import { namedPipe } from "../../../support/named-pipe.js";
import { startOnTerminal, whyNoTerminal } from "../../../support/terminal.js";

const module = new URL("../../../../src/cli/process/terminal-prompt.js", import.meta.url).href;

/** A program that asks, and shows what it is answered. */
function program(...questions: readonly string[]): string {
	const code = `
		const { terminalPrompt } = await import(${JSON.stringify(module)});
		const interrupt = new AbortController();
		process.on("SIGINT", () => interrupt.abort()).on("SIGHUP", () => {});
		process.stderr.on("error", () => {});
		const prompt = terminalPrompt(() => {
			console.log("<paused>");
			return { [Symbol.dispose]: () => console.log("<resumed>") };
		});
		const { signal } = interrupt;
		const answers = await Promise.allSettled([${questions.join(",")}]);
		console.log(JSON.stringify(answers.map(({ value, reason }) => reason?.name ?? value ?? null)));
	`;
	return `'${process.execPath}' --input-type=module -e '${code}' </dev/null; stty -a </dev/tty`;
}

suite("the prompt", { skip: whyNoTerminal() ?? false }, () => {
	test("asks one question after the other at the terminal, whatever stdin is", async () => {
		const terminal = startOnTerminal(
			program('prompt.ask("One? ", { signal })', 'prompt.ask("Two? ", { signal })'),
		);
		await terminal.shows("One? ");
		assert.doesNotMatch(terminal.screen(), /Two/);
		terminal.type("yess\x7f\r");
		await terminal.shows("Two? ");
		terminal.type("no\r");
		await terminal.end();
		assert.match(terminal.screen(), /<paused>\s+.*One\? [^<]*<resumed>\s+<paused>/);
		assert.ok(terminal.screen().includes('["yes","no"]'), terminal.screen());
		assert.match(terminal.screen(), / echo /);
	});

	test("shows nothing of a hidden answer", async () => {
		const terminal = startOnTerminal(program('prompt.ask("Word? ", { hidden: true, signal })'));
		await terminal.shows("Word? ");
		terminal.type("s3cret\r");
		await terminal.end();
		assert.equal(terminal.screen().split("s3cret").length, 2, "only the program's own line has it");
		assert.match(terminal.screen(), /\["s3cret"\]/);
		assert.match(terminal.screen(), / echo /);
	});

	test("has no answer where the input is ended", async () => {
		const terminal = startOnTerminal(program('prompt.ask("Sure? ", { signal })'));
		await terminal.shows("Sure? ");
		terminal.type("\x04");
		await terminal.end();
		assert.match(terminal.screen(), /\[null\]/);
	});

	test("is interrupted by Ctrl-C, and leaves the terminal as it was", async () => {
		const terminal = startOnTerminal(
			program('prompt.ask("Word? ", { hidden: true, signal })', 'prompt.ask("Two? ", { signal })'),
		);
		await terminal.shows("Word? ");
		terminal.type("half\x03");
		await terminal.end();
		assert.match(terminal.screen(), /\["InterruptedError","InterruptedError"\]/);
		assert.doesNotMatch(terminal.screen(), /half|Two/);
		assert.match(terminal.screen(), / echo /);
		assert.match(terminal.screen(), / icanon /);
	});

	for (const hidden of [false, true]) {
		test(`asks again after Ctrl-Z and fg, ${hidden ? "hidden" : "shown"}`, {
			timeout: 30_000,
		}, async () => {
			const asks = program(`prompt.ask("Word? ", { hidden: ${hidden}, signal })`);
			// With job control, the shell goes on when the program stops.
			const terminal = startOnTerminal(
				`set -m; ${asks.replace("; stty", "; echo stopped; fg; stty")}`,
			);
			await terminal.shows("Word? ");
			terminal.type("\x1a");
			// The shell names the program, and its question in quotes, first.
			await terminal.shows(/stopped.*[^"]Word\? /s);
			terminal.type("again\r");
			await terminal.end();
			assert.match(terminal.screen(), /\["again"\]/);
		});
	}

	for (const hidden of [false, true]) {
		test(`has no ${hidden ? "hidden " : ""}answer where the terminal is closed`, async (context) => {
			const pipe = namedPipe(context);
			const asks = program(`prompt.ask("Sure? ", { hidden: ${hidden}, signal })`);
			const terminal = startOnTerminal(asks.replace("; stty", ` >'${pipe}'; stty`));
			const printed = readFile(pipe, "utf8");
			await terminal.shows("Sure? ");
			terminal.close();
			assert.match(await printed, /\[null\]/);
		});
	}

	test("is absent in CI and where stderr is no terminal", async () => {
		const asks = program("Promise.resolve(String(prompt))");
		const terminal = startOnTerminal(asks, { CI: "true" });
		await terminal.end();
		assert.match(terminal.screen(), /\["undefined"\]/);
		const env = { ...process.env, CI: "" };
		const stdio = ["ignore", "pipe", "pipe"] as const;
		const piped = execFileSync("sh", ["-c", asks.split("; stty")[0] ?? ""], {
			env,
			stdio: [...stdio],
			encoding: "utf8",
		});
		assert.match(piped, /\["undefined"\]/);
	});
});
