import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, test } from "node:test";
import { startBox } from "../support/box.js";
import { imageListing } from "../support/image-contents.js";
import { onWindows, startWine, whyNoWine } from "../support/wine.js";

const MINUTE = 60_000;

suite("rbuild with node for Windows, in wine", { skip: whyNoWine() ?? false }, () => {
	test("passes the unit tests", async () => {
		const run = onWindows(join(process.cwd(), "dist/test/run.js"));
		const { code, stdout, stderr } = await startWine().node([run, "unit"], 20 * MINUTE);
		assert.equal(code, 0, stdout + stderr);
		assert.match(stdout, /^\.{10}/m);
	});

	for (const transfer of ["sync", "tar"]) {
		test(`builds an image on a box (${transfer})`, async () => {
			const directory = mkdtempSync(join(tmpdir(), "rbuild-windows-"));
			await using box = await startBox();
			try {
				mkdirSync(join(directory, "größe 1/sub"), { recursive: true });
				const write = (name: string, content: string) =>
					writeFileSync(join(directory, "größe 1", name), content);
				write("Dockerfile", "FROM scratch\r\nCOPY . /all/\r\n");
				write(".dockerignore", "*.log\r\nsub\\left.txt\r\n");
				for (const name of ["a.txt", "b.log", "sub/left.txt", "sub/ü.txt"]) write(name, name);
				chmodSync(join(directory, "größe 1/a.txt"), 0o444);

				const { code, stderr } = await startWine().node(
					[
						...[onWindows(join(process.cwd(), "bin/rbuild.js")), "build"],
						...[onWindows(join(directory, "größe 1")), "-t", "windows", "--transfer", transfer],
						...["--on", box.on, "--ssh-config", onWindows(box.sshConfigFile)],
					],
					5 * MINUTE,
				);
				assert.equal(code, 0, stderr);
				assert.deepEqual(await imageListing(box.engine, "windows", "/all"), [
					"-r-xr-xr-x all/a.txt",
					"-rwxr-xr-x all/.dockerignore",
					"-rwxr-xr-x all/Dockerfile",
					"-rwxr-xr-x all/sub/ü.txt",
					"drwxr-xr-x all/",
					"drwxr-xr-x all/sub/",
				]);
			} finally {
				rmSync(directory, { recursive: true, force: true });
			}
		});
	}
});
