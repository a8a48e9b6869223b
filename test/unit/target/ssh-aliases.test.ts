import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { suite, test } from "node:test";
import { sshAliases } from "../../../src/target/ssh-aliases.js";

async function aliasesOf(
	files: Readonly<Record<string, string>>,
	sshConfigFile: string | undefined,
	variables = {},
	platform: NodeJS.Platform = "linux",
) {
	const home = await mkdtemp(join(tmpdir(), "rbuild-aliases-"));
	try {
		for (const [name, text] of Object.entries(files)) {
			await mkdir(dirname(join(home, name)), { recursive: true });
			await writeFile(join(home, name), text);
		}
		return await sshAliases({
			...{ variables, homeDirectory: home, userName: "ann" },
			...{ platform, workingDirectory: home, ...(sshConfigFile && { sshConfigFile }) },
		});
	} finally {
		await rm(home, { recursive: true });
	}
}

suite("ssh aliases", () => {
	test("are what Host names, without wildcards and negations", async () => {
		const text = `
Host one two # three
	HostName 10.0.0.1
host="four five" six
Host *.example !no ba?
Host=seven
#Host eight
HostName nine
Match host ten
Host one`;
		const aliases = await aliasesOf({ config: text }, "config");
		assert.deepEqual(aliases, ["one", "two", "four five", "six", "seven"]);
	});

	test("of the whole machine are in ProgramData on Windows", async (context) => {
		const data = await mkdtemp(join(tmpdir(), "rbuild-data-"));
		context.after(() => rm(data, { recursive: true }));
		await mkdir(join(data, "ssh"));
		await writeFile(join(data, "ssh/ssh_config"), "Host everybodys\nInclude more");
		await writeFile(join(data, "ssh/more"), "Host more");
		const own = { ".ssh/config": "Host own" };
		const aliases = await aliasesOf(own, undefined, { ProgramData: data }, "win32");
		assert.deepEqual(aliases, ["own", "everybodys", "more"]);
	});

	test("come from included files, too, in the order in which they are read", async () => {
		const files = {
			config: "Host first\nInclude conf.d/*.conf ~/own none\nHost last\n",
			".ssh/conf.d/b.conf": "Host b\nInclude deep/*/hosts",
			".ssh/conf.d/a.conf": "Host a",
			".ssh/conf.d/c.txt": "Host c",
			".ssh/deep/x/hosts": "Host x",
			own: "Host own",
		};
		const aliases = await aliasesOf(files, "config");
		assert.deepEqual(aliases, ["first", "a", "b", "x", "own", "last"]);
	});

	test("come from files that a variable names, where it has a value", async () => {
		const files = {
			config: `Include \${HOSTS} \${NOTHING} %h\nHost last\n`,
			".ssh/mine": "Host mine",
		};
		const aliases = await aliasesOf(files, "config", { HOSTS: "mine" });
		assert.deepEqual(aliases, ["mine", "last"]);
	});

	test("of a file that includes itself are found all the same", async () => {
		assert.deepEqual(await aliasesOf({ ".ssh/a": "Host a\nInclude a" }, ".ssh/a"), ["a"]);
	});

	test("of a file that is not there are none", async () => {
		assert.deepEqual(await aliasesOf({}, "none"), []);
	});
});
