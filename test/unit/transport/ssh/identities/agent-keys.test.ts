import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { Duplex, type DuplexOptions, Writable } from "node:stream";
import { suite, test } from "node:test";
import { fileURLToPath } from "node:url";
import library, { type BaseAgent } from "ssh2";
import { WINDOWS_AGENT } from "../../../../../src/transport/ssh/config/ssh-option-values.js";
import { listAgentKeys } from "../../../../../src/transport/ssh/identities/agent-keys.js";
import type { Ssh2 } from "../../../../../src/transport/ssh/identities/identities.js";

type Answer = "no such pipe" | "never" | readonly string[];

/** Agents by what createAgent() is given; what else is asked for is not there. */
function ssh2With(agents: Readonly<Record<string, Answer>>) {
	const asked: string[] = [];
	const createAgent = (place: string) => {
		asked.push(place);
		const answer = agents[place] ?? "no such pipe";
		return {
			getIdentities(done: (error?: Error, keys?: unknown[]) => void) {
				if (answer === "never") return;
				if (answer === "no such pipe") done(new Error("ENOENT"));
				else done(undefined, [...answer]);
			},
		} as unknown as BaseAgent;
	};
	return { asked, ssh2: { createAgent, utils: { parseKey: (key: unknown) => key } } as Ssh2 };
}

/** With no agent but Pageant, whose program is a stand-in: ssh2 starts it for what is written to the stream. */
function ssh2WithPageant(write: NonNullable<DuplexOptions["write"]>) {
	const createAgent = (place: string) => {
		const agent = new library.OpenSSHAgent("/dev/null/agent");
		if (place === "pageant") {
			agent.getStream = (done) => done(null, new Duplex({ read() {}, write }));
		}
		return agent as BaseAgent;
	};
	return { createAgent, utils: library.utils } as Ssh2;
}

suite("an agent's keys", () => {
	test("come from Pageant where Windows has no agent of its own", async () => {
		const { asked, ssh2 } = ssh2With({ pageant: ["a key"] });
		const { keys, problem } = await listAgentKeys(WINDOWS_AGENT, 1_000, ssh2);
		assert.deepEqual(asked, [WINDOWS_AGENT, "pageant"]);
		assert.deepEqual(
			keys.map(({ key }) => key),
			["a key"],
		);
		assert.equal(problem, undefined);
	});

	test("come from OpenSSH's agent where Windows has both", async () => {
		const { asked, ssh2 } = ssh2With({ [WINDOWS_AGENT]: ["a key"], pageant: ["another"] });
		const { keys } = await listAgentKeys(WINDOWS_AGENT, 1_000, ssh2);
		assert.deepEqual(asked, [WINDOWS_AGENT]);
		assert.equal(keys.length, 1);
	});

	test("are none of Pageant's where another agent is named", async () => {
		const { asked, ssh2 } = ssh2With({ pageant: ["a key"] });
		const { keys, problem } = await listAgentKeys("/run/agent.sock", 1_000, ssh2);
		assert.deepEqual(asked, ["/run/agent.sock"]);
		assert.deepEqual([keys.length, problem], [0, "it does not answer"]);
	});

	test("are waited for in vain as Pageant's where it is Pageant that hangs", async () => {
		const { ssh2 } = ssh2With({ pageant: "never" });
		const { hangs, place } = await listAgentKeys(WINDOWS_AGENT, 20, ssh2);
		assert.deepEqual([hangs, place], [true, "Pageant"]);
	});

	test("are not waited for where the program that asks Pageant ends without an answer", async () => {
		const ssh2 = ssh2WithPageant((_request, _encoding, done) => setImmediate(done));
		const { hangs, problem } = await listAgentKeys(WINDOWS_AGENT, 10_000, ssh2);
		assert.deepEqual([hangs, problem], [undefined, "it does not answer"]);
	});

	test("are none where Windows does not let the program that asks Pageant start", async () => {
		const ssh2 = ssh2WithPageant(() => {
			throw new Error("spawn UNKNOWN");
		});
		const { hangs, problem } = await listAgentKeys(WINDOWS_AGENT, 10_000, ssh2);
		assert.deepEqual([hangs, problem], [undefined, "it does not answer"]);
	});

	test("are none where the program that asks Pageant ends before it was asked", async () => {
		const ssh2 = ssh2WithPageant(function (
			this: Duplex & { proc?: object },
			_request,
			_encoding,
			done,
		) {
			const stdin = new Writable({ write: (_chunk, _encoding, fail) => fail(new Error("EPIPE")) });
			this.proc = { stdin, kill() {} };
			stdin.end("request");
			stdin.once("close", () => done(new Error("Pageant is not running")));
		});
		const { hangs, problem } = await listAgentKeys(WINDOWS_AGENT, 10_000, ssh2);
		assert.deepEqual([hangs, problem], [undefined, "it does not answer"]);
	});

	test("are waited for no longer than a connection", async () => {
		const { ssh2 } = ssh2With({ "/run/agent.sock": "never" });
		const { hangs, problem } = await listAgentKeys("/run/agent.sock", 20, ssh2);
		assert.deepEqual([hangs, problem], [true, "no answer within 0.02 s"]);
	});
});

test("the bundle has the program that asks Pageant where it looks for it", () => {
	const bundle = fileURLToPath(new URL("../../../../../bundle/", import.meta.url));
	const files = readdirSync(bundle);
	assert.ok(files.includes("pagent.exe"));
	const texts = files
		.filter((name) => /\.c?js$/.test(name))
		.map((name) => readFileSync(`${bundle}${name}`, "utf8"));
	// esbuild numbers the imports that share a name.
	const places = texts.flatMap(
		(text) => text.match(/(?<=resolve\d*\()[^()]*pagent\.exe"(?=\))/g) ?? [],
	);
	assert.deepEqual(places, ['__dirname,"pagent.exe"']);
});
