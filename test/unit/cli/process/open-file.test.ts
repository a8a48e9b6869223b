import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, readFileSync, rmSync, watch, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { openFile } from "../../../../src/cli/process/open-file.js";
import { posixOnly } from "../../../support/this-system.js";

let directory: string;
before(() => {
	directory = mkdtempSync(join(tmpdir(), "rbuild-open-"));
});
after(() => rmSync(directory, { recursive: true, force: true }));

test("hands the file to the opener of the desktop, whatever its name is", {
	skip: posixOnly,
}, async () => {
	const opener = join(directory, "xdg-open");
	const [noted, done] = [join(directory, "noted"), join(directory, "done")];
	writeFileSync(opener, `#!/bin/sh\nprintf %s "$1" > '${noted}'\n: > '${done}'\n`);
	chmodSync(opener, 0o755);
	const opened = new Promise<void>((resolve) => {
		const watcher = watch(directory, (_event, name) => {
			if (name !== "done") return;
			watcher.close();
			resolve();
		});
	});
	const path = `${directory}/a b; $(touch x) & %PATH%.html`;
	const variables = { PATH: `${directory}:/bin:/usr/bin`, DISPLAY: ":0" };
	assert.equal(await openFile(path, "linux", variables), undefined);
	await opened;
	assert.equal(readFileSync(noted, "utf8"), path);
});

test("says that there is no display", async () => {
	assert.equal(await openFile("x", "linux", { PATH: directory }), "there is no display here");
});

test("says what is not installed", async () => {
	const variables = { PATH: join(directory, "nothing"), WAYLAND_DISPLAY: "wayland-0" };
	assert.equal(await openFile("x", "linux", variables), "xdg-open is not installed");
	assert.equal(await openFile("x", "darwin", variables), "open is not installed");
});
