import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { planBuild } from "../../../../src/build/plan/build-plan.js";
import type { BuildOptions } from "../../../../src/build/plan/options.js";
import { plannedSolve } from "../../../../src/build/session/solve-request.js";
import { directoryDefinition } from "../../../../src/buildkit/directory-definition.js";
import type { Environment } from "../../../../src/environment.js";

const environment = {
	variables: {},
	homeDirectory: "/dev/null",
	workingDirectory: "/",
} as Partial<Environment> as Environment;
const run = { emit() {}, signal: new AbortController().signal };
const dockerfile = directoryDefinition(new Map([["Dockerfile", Buffer.from("FROM x")]]), "");
const ids = { ref: "ref", sessionId: "session" };

async function solveFor(options: Partial<BuildOptions>) {
	const plan = await planBuild({ context: ".", ...options }, environment, run);
	return plannedSolve(plan, ids, { frontendAttrs: {}, frontendInputs: { dockerfile } });
}

suite("the request that a plan comes to", () => {
	test("is for an image in the daemon's store, from its own images where it has them", async () => {
		assert.deepEqual(await solveFor({}), {
			...ids,
			frontendAttrs: { "image-resolve-mode": "local" },
			frontendInputs: { dockerfile },
			exporters: [{ type: "moby", attrs: {} }],
			cacheImports: [],
			cacheExports: [],
			entitlements: [],
		});
	});

	test("tells the exporter of images how to make one, and has none where nothing is wanted", async () => {
		const attrs = { "oci-mediatypes": "true", name: "app" };
		const { exporters } = await solveFor({ outputs: [{ type: "image", attrs }] });
		assert.deepEqual(exporters, [
			{ type: "moby", attrs: { name: "app:latest", "oci-mediatypes": "true" } },
		]);
		assert.deepEqual((await solveFor({ outputs: [{ type: "cacheonly" }] })).exporters, []);
	});

	test("has every option of the build in the words of the frontend", async () => {
		const request = await solveFor({
			tags: ["app", "app:2"],
			target: "stage",
			platform: "linux/amd64",
			buildArgs: { A: "1", ABSENT: null },
			labels: { l: "" },
			noCache: true,
			pull: true,
			network: "host",
			addHosts: ["db:10.0.0.5", "v6=[::1]"],
			shmSize: 1024,
			ulimits: [{ name: "nofile", soft: 1, hard: 2 }],
			cgroupParent: "/c",
		});
		assert.deepEqual(request.frontendAttrs, {
			target: "stage",
			platform: "linux/amd64",
			"build-arg:A": "1",
			"label:l": "",
			"no-cache": "",
			"image-resolve-mode": "pull",
			"force-network-mode": "host",
			"add-hosts": "db=10.0.0.5,v6=::1",
			"shm-size": "1024",
			ulimit: "nofile=1:2",
			"cgroup-parent": "/c",
		});
		assert.deepEqual(request.exporters, [{ type: "moby", attrs: { name: "app:latest,app:2" } }]);
		assert.deepEqual(request.entitlements, ["network.host"]);
	});

	test("has what POST /build cannot be asked for", async () => {
		const { frontendAttrs, exporters, ...request } = await solveFor({
			tags: ["app"],
			cacheFrom: ["image", { type: "registry", attrs: { ref: "cache" } }],
			cacheTo: [{ type: "registry", attrs: { ref: "cache", mode: "max" } }],
			noCacheFilter: ["a", "b"],
			annotations: { k: "v", "manifest[linux/amd64]:k": "w", "index-descriptor:k": "x" },
			attestations: { provenance: { mode: "max", "builder-id": "a,b" }, sbom: {} },
			allow: ["network.host", "device=x"],
			network: "host",
		});
		assert.deepEqual(frontendAttrs, {
			"image-resolve-mode": "local",
			"force-network-mode": "host",
			"no-cache": "a,b",
			"cache-imports":
				'[{"Type":"registry","Attrs":{"ref":"image"}},{"Type":"registry","Attrs":{"ref":"cache"}}]',
			"attest:provenance": 'mode=max,"builder-id=a,b"',
			"attest:sbom": "",
		});
		assert.deepEqual(exporters, [
			{
				type: "moby",
				attrs: {
					name: "app:latest",
					"oci-mediatypes": "true",
					"annotation.k": "v",
					"annotation-manifest[linux/amd64].k": "w",
					"annotation-index-descriptor.k": "x",
				},
			},
		]);
		assert.deepEqual(request, {
			...ids,
			frontendInputs: { dockerfile },
			cacheImports: [
				{ type: "registry", attrs: { ref: "image" } },
				{ type: "registry", attrs: { ref: "cache" } },
			],
			cacheExports: [{ type: "registry", attrs: { ref: "cache", mode: "max" } }],
			entitlements: ["network.host", "device=x"],
		});
	});

	test("has an inline cache once, however it is asked for", async () => {
		const inline = [{ type: "inline", attrs: {} }];
		const buildArgs = { BUILDKIT_INLINE_CACHE: "1" };
		assert.deepEqual((await solveFor({ buildArgs })).cacheExports, inline);
		const both = { buildArgs, cacheTo: [{ type: "inline" }] };
		assert.deepEqual((await solveFor(both)).cacheExports, inline);
		const off = { buildArgs: { BUILDKIT_INLINE_CACHE: "0" } };
		assert.deepEqual((await solveFor(off)).cacheExports, []);
	});
});
