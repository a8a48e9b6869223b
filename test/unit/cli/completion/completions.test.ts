import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { COMMAND_NAMES } from "../../../../src/cli/commands.js";
import { completions } from "../../../../src/cli/completion/completions.js";

const names = (sshConfig: string | undefined) => ({
	contexts: async () => ["arm", "x86"],
	aliases: async () => [sshConfig ?? "labbox", "x86"],
});

/** @param line blanks apart; what stands behind the last one is completed */
const offered = (line: string) => completions(line.split(" "), names);

async function offers(line: string, words: readonly string[], paths?: "files" | "directories") {
	assert.deepEqual(await offered(line), { words, paths }, line);
}

suite("the completion of a command line", () => {
	test("offers commands and folders at first, and folders for what is no command", async () => {
		await offers("", COMMAND_NAMES, "directories");
		await offers("cac", ["cache"]);
		await offers("src", [], "directories");
		await offers("build ", [], "directories");
		await offers(". ", []);
	});

	test("offers what each command has", async () => {
		await offers("hosts ", ["ls", "add", "rm", "use", "inspect", "trust"]);
		await offers("cache p", ["prune"]);
		await offers("context ", ["why"], "directories");
		await offers("context why ", [], "files");
		await offers("help context ", ["why"]);
		for (const line of ["pull ", "doctor ", "images ", "version ", "hosts ls ", "cache ls "]) {
			await offers(line, []);
		}
	});

	test("offers the boxes of the ssh_config that is named", async () => {
		for (const line of [
			". --ssh-config file --on fi",
			"--ssh-config=file . --on fi",
			// As bash takes it apart.
			". --ssh-config = file --on fi",
		]) {
			await offers(line, ["file"]);
		}
	});

	test("offers the flags of the command, but hidden ones", async () => {
		await offers("cache --k", ["--keep"]);
		await offers("context why --f", ["--file"]);
		await offers(". --ssh", ["--ssh", "--ssh-config", "--ssh-client"]);
		await offers("cache --ssh", []);
		await offers(". --cpu", []);
	});

	test("offers what a flag may have, behind it or its =", async () => {
		await offers(". --progress p", ["plain"]);
		await offers(". --progress=p", ["--progress=plain"]);
		await offers("context --format j", ["json"]);
		await offers(". --transfer ", ["auto", "sync", "tar"]);
		await offers(". --via c", ["client"]);
		await offers(". --secrets ", ["warn", "deny", "off"]);
		await offers("pull app --ssh-client ", ["auto", "builtin", "system"]);
		await offers(". --call o", ["outline"]);
		await offers(". -qt ", []);
		await offers(". -f ", [], "files");
		await offers(". --file=src/", [], "files");
		await offers("context why -C ", [], "directories");
		await offers("hosts add x tcp://x --ca ", [], "files");
		await offers(". --push c", []);
	});

	test("offers boxes by their names", async () => {
		await offers(". --on ", ["auto", "default", "arm", "x86", "labbox"]);
		await offers("doctor --on=x", ["--on=x86"]);
		await offers("hosts rm arm ", ["x86"]);
		await offers("hosts use ", ["default", "arm", "x86"]);
		await offers("hosts inspect l", ["labbox"]);
		await offers("hosts trust arm ", []);
		await offers("hosts add ", []);
	});

	test("puts together what bash takes apart", async () => {
		await offers(". --progress = p", ["plain"]);
		await offers(". --on =", ["auto", "default", "arm", "x86", "labbox"]);
		await offers("hosts use = ", []);
		await offers(". -t a : 1 --via ", ["daemon", "client"]);
		await offers("ssh : //host ", []);
	});
});
