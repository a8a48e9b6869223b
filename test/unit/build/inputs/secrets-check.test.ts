import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { checkSecrets, pathsToNote } from "../../../../src/build/inputs/secrets-check.js";
import type { SecretsCheck } from "../../../../src/build/plan/options.js";
import { openDirectoryContext } from "../../../../src/context/thread/directory-context.js";
import { ContextError } from "../../../../src/errors.js";
import type { BuildEvent } from "../../../../src/events.js";
import { emptyTree } from "../../context/trees.js";

const VALUE = ["q7Zr4", "Vx0Lm", "T2b9K"].join("w");
const SECRETS = {
	".env": `PORT=1\nAPI_TOKEN=${VALUE}\n`,
	"deep/.npmrc": `_authToken=${VALUE}\n`,
	"ignored/.env": `API_TOKEN=${VALUE}\n`,
	"main.c": `token = ${VALUE}`,
};

async function check(
	test: TestContext,
	{
		mode = "warn",
		files = SECRETS,
		rules = "ignored\n",
		name,
	}: {
		mode?: SecretsCheck;
		files?: Readonly<Record<string, string>>;
		rules?: string;
		name?: string;
	} = {},
): Promise<BuildEvent[]> {
	const root = emptyTree(test);
	for (const [path, content] of Object.entries(files)) {
		mkdirSync(join(root, path, ".."), { recursive: true });
		writeFileSync(join(root, path), content);
	}
	const { signal } = new AbortController();
	const ignore = { content: Buffer.from(rules), file: ".dockerignore" };
	const note = pathsToNote(mode);
	await using context = openDirectoryContext(
		{ root, ignore, keep: [], platform: "linux", note },
		signal,
	);
	const events: BuildEvent[] = [];
	const run = { signal, emit: (event: BuildEvent) => void events.push(event) };
	const { walked } = context;
	const checked = { root, platform: "linux", ignore, walked, ...(name && { name }) } as const;
	await checkSecrets(checked, mode, run);
	return events.map((event) =>
		"source" in event ? { ...event, source: event.source === root ? "ROOT" : event.source } : event,
	);
}

describe("the check for credentials before a build", () => {
	it("tells what is found among what would be sent, and how to silence it", async (test) => {
		assert.deepEqual(await check(test), [
			{
				type: "secrets",
				source: "ROOT",
				findings: [
					{ path: ".env", what: "a credential", line: 2 },
					{ path: "deep/.npmrc", what: "an npm login", line: 1 },
				],
				message:
					"the build context holds what looks like credentials: .env:2 (a credential), deep/.npmrc:1 (an npm login)",
				hint: 'leave it out with .dockerignore; a line "# rbuild:allow-secret PATH" in .dockerignore silences one, --secrets off all of them',
			},
		]);
	});

	it("names three, and how many more", async (test) => {
		const files = Object.fromEntries(
			["a", "b", "c", "d", "e"].map((name) => [`${name}/.env`, `TOKEN=${VALUE}`]),
		);
		const [event] = await check(test, { files });
		assert.ok(event?.type === "secrets");
		assert.match(event.message, /: a\/\.env:1 .*, b\/.*, c\/\.env:1 \(a credential\) and 2 more$/);
		assert.equal(event.findings.length, 5);
	});

	it("fails where it is to, before anything is sent", async (test) => {
		await assert.rejects(check(test, { mode: "deny" }), (error) => {
			assert.ok(error instanceof ContextError);
			assert.equal(error.exitCode, 3);
			assert.match(error.message, /\.env:2 \(a credential\)/);
			assert.ok(!`${error.message}${error.hint}${error.stack}`.includes(VALUE));
			return true;
		});
	});

	it("says nothing where it is off, or nothing is found, or all is allowed", async (test) => {
		assert.deepEqual(await check(test, { mode: "off" }), []);
		assert.deepEqual(await check(test, { files: { ".env": "PORT=1\n", a: VALUE } }), []);
		const rules = "ignored\n# rbuild:allow-secret **/.env\n# rbuild:allow-secret deep\n";
		assert.deepEqual(await check(test, { rules, mode: "deny" }), []);
	});

	it("names a named context", async (test) => {
		const [event] = await check(test, { name: "libs" });
		assert.ok(event?.type === "secrets");
		assert.equal(event.source, "libs");
		assert.match(event.message, /^the build context libs holds /);
	});
});
