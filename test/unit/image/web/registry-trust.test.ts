import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { Environment } from "../../../../src/environment.js";
import { registryTrust } from "../../../../src/image/web/registry-trust.js";
import { noSuchNames } from "../../../support/this-system.js";

const HOST = "registry.example:5000";

describe("the certificates of a registry", { skip: noSuchNames }, () => {
	let home: string;
	before(() => {
		home = mkdtempSync(join(tmpdir(), "rbuild-trust-"));
	});
	after(() => rmSync(home, { recursive: true }));

	const environment = (platform: NodeJS.Platform = "linux") =>
		({ variables: {}, homeDirectory: home, platform }) as unknown as Environment;

	function put(folder: string, name: string): string {
		const path = join(home, folder);
		mkdirSync(path, { recursive: true });
		writeFileSync(join(path, name), "no certificate");
		return path;
	}

	it("need not be there", async () => {
		await registryTrust(HOST, environment());
	});

	it("are named when they are none", async () => {
		put(`.config/docker/certs.d/${HOST}`, "client.key");
		const folder = put(`.config/docker/certs.d/${HOST}`, "client.cert");
		await assert.rejects(registryTrust(HOST, environment()), {
			name: "DeliveryError",
			message: new RegExp(`^the certificates for ${HOST} cannot be used: `),
			hint: `look at the files in ${folder}`,
		});
		await registryTrust("registry.example", environment());
	});

	it("are those of the first folder that is there, and the key belongs to it", async () => {
		const folder = put(`.docker/certs.d/${HOST}`, "client.cert");
		await assert.rejects(registryTrust(HOST, environment()), {
			name: "DeliveryError",
			message: `cannot read ${join(folder, "client.key")}: no such file or directory`,
			hint: /NAME\.cert and NAME\.key/,
		});
	});

	it("are in a folder without a colon on Windows", async () => {
		const folder = put(".docker/certs.d/registry.example5000", "client.cert");
		await assert.rejects(registryTrust(HOST, environment("win32")), {
			message: `cannot read ${join(folder, "client.key")}: no such file or directory`,
		});
	});
});
