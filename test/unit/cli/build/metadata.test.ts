import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { metadataOf } from "../../../../src/cli/build/metadata.js";
import type { BuildReport, DeliveryReport } from "../../../../src/events.js";

const ID = `sha256:${"1".repeat(64)}`;
const PUSHED = `sha256:${"2".repeat(64)}`;

suite("a metadata file", () => {
	const read = (report: Partial<BuildReport>) =>
		JSON.parse(metadataOf({ tags: [], deliveries: [], ...report } as unknown as BuildReport));
	const push = (digest: string) => ({ method: "push", digest }) as DeliveryReport;

	test("holds the report and what buildx's holds", () => {
		const metadata = read({ imageId: ID, tags: ["app:latest", "ghcr.io/me/app:1"] });
		assert.equal(metadata.imageId, ID);
		assert.equal(metadata["containerimage.digest"], ID);
		assert.equal(metadata["image.name"], "docker.io/library/app:latest,ghcr.io/me/app:1");
	});

	test("has the digest that the registry told, and the id beside it where that is another", () => {
		const pushed = read({ imageId: ID, deliveries: [push(PUSHED)] });
		assert.equal(pushed["containerimage.digest"], PUSHED);
		assert.equal(pushed["containerimage.config.digest"], ID);
		const same = read({ imageId: ID, deliveries: [push(ID)] });
		assert.equal(same["containerimage.digest"], ID);
		assert.equal(same["containerimage.config.digest"], undefined);
	});

	test("has the digest of the config where the daemon told it", () => {
		const config = `sha256:${"3".repeat(64)}`;
		const told = read({ imageId: ID, configDigest: config, deliveries: [push(ID)] });
		assert.equal(told["containerimage.digest"], ID);
		assert.equal(told["containerimage.config.digest"], config);
	});

	test("has the digest of an archive where no image is kept", () => {
		const deliveries = [{ method: "export", digest: PUSHED }, { method: "export" }];
		const metadata = { deliveries } as unknown as Partial<BuildReport>;
		assert.equal(read(metadata)["containerimage.digest"], PUSHED);
		assert.equal(read({ ...metadata, imageId: ID })["containerimage.digest"], ID);
	});

	test("says nothing of an image where there is none", () => {
		assert.deepEqual(read({}), { tags: [], deliveries: [] });
	});
});
