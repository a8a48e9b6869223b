import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { OciLayout } from "../../../src/image/oci-layout.js";

suite("the index of an OCI layout", () => {
	let folder: string;
	before(() => {
		folder = mkdtempSync(join(tmpdir(), "rbuild-layout-"));
	});
	after(() => rmSync(folder, { recursive: true }));

	/** @param index what index.json holds; absent: a directory */
	function layout(index?: string): OciLayout {
		const path = mkdtempSync(join(folder, "layout-"));
		if (index === undefined) mkdirSync(join(path, "index.json"));
		else writeFileSync(join(path, "index.json"), index);
		return new OciLayout(path);
	}

	test("has nothing where there is none", async () => {
		assert.deepEqual(await new OciLayout(join(folder, "missing")).manifests(), []);
		assert.equal(await new OciLayout(join(folder, "missing")).find("latest"), undefined);
	});

	const noIndex = /index\.json is not the index of an OCI layout$/;
	for (const [what, index, message] of [
		["is a directory", undefined, /^cannot read .*index\.json: it is a directory$/],
		["is no JSON", "<html>", noIndex],
		["holds no list", '{"manifests":{}}', noIndex],
		["lists what is no image", '{"manifests":[null]}', noIndex],
	] as const) {
		test(`that ${what} is refused as what a build reads`, async () => {
			const broken = layout(index);
			await assert.rejects(broken.find("latest"), (error: Error & { hint?: string }) => {
				assert.equal(error.name, "ContextError");
				assert.match(error.message, message);
				assert.match(error.hint ?? "", /^name the folder of an OCI layout/);
				return true;
			});
		});
	}

	test("keeps all tags that are given at the same time", async () => {
		const tags = ["a", "b", "c", "d"];
		const shared = new OciLayout(join(folder, "shared"));
		const image = { digest: `sha256:${"0".repeat(64)}`, size: 1, mediaType: "x" };
		await Promise.all(tags.map((tag) => shared.tag(image as never, tag)));
		for (const tag of tags) assert.ok(await shared.find(tag), tag);
	});

	test("names its folder where a blob cannot be written, not the file that waits there", async () => {
		const path = mkdtempSync(join(folder, "layout-"));
		const blob = await new OciLayout(path).write();
		await blob[Symbol.asyncDispose]();
		await assert.rejects(blob.append(Buffer.from("x")), (error: Error) => {
			assert.ok(error.message.startsWith(`cannot save to ${path}: `), error.message);
			return true;
		});
	});

	test("that cannot be read is added to by nobody", async () => {
		const image = { digest: `sha256:${"0".repeat(64)}`, size: 1, mediaType: "x" };
		await assert.rejects(layout().tag(image as never, "latest"), { name: "DeliveryError" });
	});
});
