import assert from "node:assert/strict";
import {
	chmodSync,
	existsSync,
	linkSync,
	lstatSync,
	mkdirSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	readlinkSync,
	realpathSync,
	rmSync,
	statSync,
	symlinkSync,
	utimesSync,
	writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { lockFolder } from "../../../../src/disk/folder-lock.js";
import { DeliveryError } from "../../../../src/errors.js";
import {
	checkFolder,
	FolderTarget,
	type UnpackingNews,
} from "../../../../src/image/export/folder-target.js";
import { noPermissions, noSymlinks, posixOnly } from "../../../support/this-system.js";
import { type Entry, pieces, tarBytes } from "./tar-bytes.js";

const { signal } = new AbortController();

const noNews: UnpackingNews = { skipped() {}, renamed() {}, collided() {} };

describe("files that are put into a folder", () => {
	let directory: string;
	let out: string;
	let skipped: string[];
	beforeEach(() => {
		directory = realpathSync(mkdtempSync(join(tmpdir(), "rbuild-export-")));
		out = join(directory, "out");
		skipped = [];
	});
	afterEach(() => rmSync(directory, { recursive: true }));

	async function put(entries: readonly Entry[], tar = tarBytes(entries)): Promise<void> {
		await using target = new FolderTarget(out, {
			...noNews,
			skipped: (paths) => skipped.push(...paths),
		});
		await target.receive(pieces(tar), signal);
		await target.commit();
	}

	async function refused(entries: readonly Entry[]): Promise<DeliveryError> {
		const error = await put(entries).then(
			() => assert.fail("was taken"),
			(thrown) => thrown,
		);
		assert.ok(error instanceof DeliveryError, String(error?.stack));
		return error;
	}

	const read = (name: string) => readFileSync(join(out, name), "utf8");
	const mode = (name: string) => lstatSync(join(out, name)).mode & 0o7777;
	const time = (name: string) => lstatSync(join(out, name)).mtimeMs / 1000;

	it("wait for those of another build that ends at the same time", async () => {
		mkdirSync(out);
		const lock = await lockFolder(out);
		const putting = put([{ name: "file", content: "x" }]);
		await wait(100);
		assert.ok(!existsSync(join(out, "file")));
		await lock[Symbol.asyncDispose]();
		await putting;
		assert.deepEqual(readdirSync(out), ["file"]);
	});

	it("have the tar's content, permissions and times, and belong to the user", {
		skip: noPermissions,
	}, async () => {
		await put([
			{ name: "file", content: "x".repeat(2000), mode: 0o640, mtime: 1_000_000_001 },
			{ name: "tool", mode: 0o6755 },
			{ name: "locked/", type: "5", mode: 0o555, mtime: 1_000_000_002 },
			{ name: "locked/within/", type: "5", mode: 0o1777, mtime: 1_000_000_003 },
			{ name: "locked/within/é\n", content: "odd" },
			{ name: "empty/", type: "5", mode: 0o700, mtime: 1_000_000_004 },
			{ name: "link", type: "2", link: "/etc/passwd", mtime: 1_000_000_005 },
			{ name: "hard", type: "1", link: "file" },
		]);
		assert.equal(read("file"), "x".repeat(2000));
		assert.equal(read("locked/within/é\n"), "odd");
		assert.equal(readlinkSync(join(out, "link")), "/etc/passwd");
		assert.equal(lstatSync(join(out, "hard")).ino, lstatSync(join(out, "file")).ino);
		assert.deepEqual(
			["file", "tool", "locked", "locked/within", "empty"].map((name) => mode(name).toString(8)),
			["644", "755", "555", "777", "700"],
		);
		assert.deepEqual(
			["locked", "locked/within", "empty", "link"].map(time),
			[1_000_000_002, 1_000_000_003, 1_000_000_004, 1_000_000_005],
		);
		assert.equal(lstatSync(join(out, "file")).uid, process.getuid?.() ?? 0);
		assert.deepEqual(readdirSync(out).sort(), ["empty", "file", "hard", "link", "locked", "tool"]);
	});

	it("replace what is there of the same name, and leave the rest alone", {
		skip: noPermissions,
	}, async () => {
		const outside = join(directory, "outside");
		mkdirSync(join(out, "dir/kept"), { recursive: true });
		mkdirSync(join(out, "becomes-file/full"), { recursive: true });
		mkdirSync(outside);
		writeFileSync(join(out, "dir/old"), "old");
		writeFileSync(join(outside, "target"), "untouched");
		symlinkSync(join(outside, "target"), join(out, "link"));
		symlinkSync(outside, join(out, "way-out"));
		writeFileSync(join(out, "becomes-dir"), "");
		chmodSync(join(out, "dir"), 0o555);
		await put([
			{ name: "dir/", type: "5", mode: 0o750 },
			{ name: "dir/old", content: "new" },
			{ name: "link", content: "a file now" },
			{ name: "way-out/", type: "5", mode: 0o755 },
			{ name: "way-out/target", content: "inside" },
			{ name: "becomes-file", content: "yes" },
			{ name: "becomes-dir/", type: "5", mode: 0o755 },
			{ name: "becomes-dir/file", content: "yes" },
		]);
		assert.equal(read("dir/old"), "new");
		assert.equal(mode("dir"), 0o750);
		assert.ok(existsSync(join(out, "dir/kept")));
		assert.equal(read("link"), "a file now");
		assert.equal(read("way-out/target"), "inside");
		assert.equal(read("becomes-file"), "yes");
		assert.equal(read("becomes-dir/file"), "yes");
		assert.equal(readFileSync(join(outside, "target"), "utf8"), "untouched");
		assert.deepEqual(readdirSync(outside), ["target"]);
	});

	it("stay as they are where they are the same, and are replaced where only their content is not", {
		skip: noPermissions,
	}, async () => {
		const entries = ["same", "other", "linked", "touched"].map((name) => ({
			...{ name, content: `${name} ${"x".repeat(300_000)}`, mode: 0o640, mtime: 1_000_000_001 },
		}));
		const node = (name: string) => lstatSync(join(out, name)).ino;
		await put(entries);
		const before = Object.fromEntries(entries.map(({ name }) => [name, node(name)]));
		linkSync(join(out, "linked"), join(out, "link"));
		chmodSync(join(out, "touched"), 0o600);
		const changed = entries.map((entry) =>
			entry.name === "other" ? { ...entry, content: entry.content.replace(/x$/, "y") } : entry,
		);
		await put(changed);
		assert.equal(node("same"), before.same);
		for (const name of ["other", "linked", "touched"]) assert.notEqual(node(name), before[name]);
		for (const { name, content } of changed) assert.ok(read(name) === content, name);
		assert.equal(mode("touched"), 0o640);
		assert.deepEqual(readdirSync(out).sort(), ["link", "linked", "other", "same", "touched"]);
	});

	it("are not there before the build is done, and leave no trace if it never is", async () => {
		out = join(directory, "not/yet/there");
		const target = new FolderTarget(out, noNews);
		await target.receive(pieces(tarBytes([{ name: "file" }])), signal);
		assert.deepEqual(
			readdirSync(out).filter((name) => !name.startsWith(".rbuild-")),
			[],
		);
		await target[Symbol.asyncDispose]();
		assert.deepEqual(readdirSync(directory), []);
	});

	it("are refused where their names lead out of the folder", async () => {
		for (const name of ["../x", "a/../../x", "/x", "..", "a/.."]) {
			const { message } = await refused([{ name: "fine" }, { name, content: "escaped" }]);
			assert.match(message, /^the daemon sent a file for outside of the folder: "/);
			assert.deepEqual(readdirSync(directory), []);
		}
	});

	it("are refused where they go through a symlink of the same tar", {
		skip: noSymlinks,
	}, async () => {
		const outside = join(directory, "outside");
		mkdirSync(outside, { mode: 0o711 });
		utimesSync(outside, 5, 5);
		const attacks: Record<string, Entry[]> = {
			"a file below it": [{ name: "a/file", content: "escaped" }],
			"a directory below it": [{ name: "a/dir/", type: "5" }],
			"a hard link below it": [{ name: "x" }, { name: "a/hard", type: "1", link: "x" }],
			"a directory in its place": [{ name: "a/", type: "5", mode: 0o777, mtime: 7 }],
			"the same by another spelling": [{ name: "./b/..a", type: "5" }, { name: ".//a/f" }],
		};
		for (const [what, entries] of Object.entries(attacks)) {
			for (const link of [outside, "../../outside", "../outside"]) {
				const { message } = await refused([{ name: "a", type: "2", link }, ...entries]);
				assert.match(message, /cannot be unpacked|outside/, what);
				assert.deepEqual(readdirSync(outside), [], what);
				assert.equal(statSync(outside).mode & 0o777, 0o711, what);
				assert.equal(statSync(outside).mtimeMs, 5000, what);
				assert.deepEqual(readdirSync(directory), ["outside"], what);
			}
		}
	});

	it("replace a symlink of the same tar rather than what it leads to", async () => {
		const victim = join(directory, "victim");
		writeFileSync(victim, "untouched");
		await put([
			{ name: "a", type: "2", link: victim },
			{ name: "a", content: "written" },
		]);
		assert.equal(readFileSync(victim, "utf8"), "untouched");
		assert.equal(read("a"), "written");
	});

	it("are refused where a hard link leads out", { skip: posixOnly }, async () => {
		const victim = join(directory, "victim");
		writeFileSync(victim, "untouched", { mode: 0o600 });
		for (const link of [victim, "../../victim", "../victim"]) {
			await refused([
				{ name: "hard", type: "1", link, mode: 0o777 },
				{ name: "hard", content: "x" },
			]);
			// By way of a symlink, which in itself is allowed.
			await refused([
				{ name: "soft", type: "2", link: victim },
				{ name: "hard", type: "1", link: "soft", mode: 0o777 },
			]);
		}
		assert.equal(readFileSync(victim, "utf8"), "untouched");
		assert.equal(statSync(victim).mode & 0o777, 0o600);
		assert.equal(statSync(victim).nlink, 1);
	});

	it("do without devices and pipes, and say which", async () => {
		await put([
			{ name: "null", type: "3" },
			{ name: "disk", type: "4" },
			{ name: "pipe", type: "6" },
			{ name: "file", content: "x" },
		]);
		assert.deepEqual(readdirSync(out), ["file"]);
		assert.deepEqual(skipped, ["null", "disk", "pipe"]);
	});

	it("are refused where their names are not UTF-8, as two could become one", async () => {
		const { message, hint } = await refused([{ name: Buffer.from("caf\xe9", "latin1") }]);
		assert.equal(message, 'the name of "caf\ufffd" is not UTF-8');
		assert.match(hint ?? "", /type=tar/);
	});

	it("are refused in a tar that is none, or is cut short", async () => {
		const whole = tarBytes([{ name: "file", content: "x".repeat(5000) }]);
		for (const tar of [Buffer.alloc(2000, "no tar"), whole.subarray(0, 3000)]) {
			await assert.rejects(put([], tar), (error) => {
				assert.ok(error instanceof DeliveryError, String(error));
				assert.match(error.message, /^the daemon sent a tar that cannot be unpacked: /);
				return true;
			});
			assert.deepEqual(readdirSync(directory), []);
		}
	});

	it("name the place that cannot be written to", async () => {
		writeFileSync(join(directory, "file"), "");
		for (const [path, why] of [
			["file", /file is a file, not a folder$/],
			["file/below", /(?:part of the path|file) is a file, not a folder$/],
		] as const) {
			await assert.rejects(checkFolder(join(directory, path)), (error) => {
				assert.ok(error instanceof DeliveryError);
				assert.ok(error.message.startsWith(`cannot save to ${join(directory, path)}: `));
				assert.match(error.message, why);
				return true;
			});
		}
		await checkFolder(join(directory, "new/one"));
		assert.deepEqual(readdirSync(directory), ["file"]);
	});

	it("name the symlink in the way that leads nowhere", { skip: noSymlinks }, async () => {
		symlinkSync("gone", join(directory, "link"));
		for (const path of ["link", "link/below"]) {
			await assert.rejects(checkFolder(join(directory, path)), {
				message: `cannot save to ${join(directory, path)}: ${join(directory, "link")} is a symlink to gone, which does not exist`,
				hint: "make the folder that it leads to, or remove the symlink",
			});
		}
	});
});
