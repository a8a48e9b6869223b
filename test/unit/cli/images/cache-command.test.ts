import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { BlobCache } from "../../../../src/image/cache/blob-cache.js";
import { digestOf } from "../../../../src/image/manifest/digest.js";
import { rbuildHere } from "../../../support/called-program.js";
import { noPermissions } from "../../../support/this-system.js";

test("rbuild cache verify removes what is damaged, and says what it cannot read", {
	skip: noPermissions,
}, async (t) => {
	const directory = mkdtempSync(join(tmpdir(), "rbuild-cache-"));
	t.after(() => rmSync(directory, { recursive: true }));
	const cache = new BlobCache(join(directory, "rbuild/images"));
	await cache.store(Buffer.from("whole"));
	const damaged = await cache.store(Buffer.from("damaged"));
	writeFileSync(cache.path(damaged), "changed");
	const folder = digestOf(Buffer.from("folder"));
	mkdirSync(dirname(cache.path(folder)));
	mkdirSync(cache.path(folder));

	const verify = () => rbuildHere(["cache", "verify"], { env: { XDG_CACHE_HOME: directory } });
	const unread = `cannot read ${folder} from the image cache: it is not a regular file\n`;
	const { stdout, code } = await verify();
	assert.equal(code, 6);
	assert.deepEqual(
		stdout.split("\n").toSorted(),
		`${unread}removed ${damaged}: its content did not match\n1 blobs are intact\n`
			.split("\n")
			.toSorted(),
	);
	assert.equal((await verify()).stdout, `${unread}1 blobs are intact\n`);
	rmSync(cache.path(folder), { recursive: true });
	writeFileSync(cache.path(damaged), "changed");
	assert.equal((await verify()).code, 0);
});
