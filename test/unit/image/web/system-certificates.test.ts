import assert from "node:assert/strict";
import { test } from "node:test";
import * as tls from "node:tls";
import { systemCertificates } from "../../../../src/image/web/system-certificates.js";

test("the certificates of the system are those that node knows of, without holding up this thread", async () => {
	let turns = 0;
	const timer = setInterval(() => turns++, 1);
	const certificates = await systemCertificates();
	clearInterval(timer);
	const { getCACertificates } = tls as { getCACertificates?: (of: "system") => string[] };
	assert.deepEqual(certificates, getCACertificates?.("system") ?? []);
	if (getCACertificates !== undefined) assert.ok(turns > 0);
});
