import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import type { BuildOptions, OutputOption } from "../../../../src/build/plan/options.js";
import { flagOnStdout, givesImage, planOutputs } from "../../../../src/build/plan/plan-outputs.js";
import type { Environment } from "../../../../src/environment.js";

suite("what becomes of a build", () => {
	let directory: string;
	before(() => {
		directory = realpathSync(mkdtempSync(join(tmpdir(), "rbuild-plan-")));
		mkdirSync(join(directory, "folder"));
		writeFileSync(join(directory, "file"), "");
	});
	after(() => rmSync(directory, { recursive: true }));

	const plan = (options: Partial<BuildOptions>) =>
		planOutputs({ context: ".", ...options }, {
			homeDirectory: directory,
			workingDirectory: directory,
			variables: { DOCKER_HOST: "unix:///run/docker.sock" },
		} as Partial<Environment> as Environment);
	const planned = (outputs: readonly OutputOption[], options: Partial<BuildOptions> = {}) =>
		plan({ ...options, outputs });

	test("is an image, unless something else is asked for", async () => {
		const { image, tags, deliveries, exports } = await plan({ tags: ["app"], save: "a.tar" });
		assert.deepEqual([image, tags, exports], [true, ["app:latest"], []]);
		assert.deepEqual(deliveries, {
			push: false,
			saves: [{ path: join(directory, "a.tar"), format: "docker" }],
			load: false,
		});
	});

	test("may be saved several times", async () => {
		const save = ["a.tar", { type: "oci", dest: "layout" }] as const;
		const { deliveries } = await plan({ tags: ["app"], save });
		assert.deepEqual(deliveries.saves, [
			{ path: join(directory, "a.tar"), format: "docker" },
			{ path: join(directory, "layout"), format: "oci" },
		]);
	});

	test("may be files in a folder, which the daemon sends as a tar", async () => {
		const outputs = [{ type: "local", dest: "new/out", attrs: { "attestation-prefix": "x" } }];
		const { image, tags, exports } = await planned(outputs, { tags: ["app"] });
		assert.deepEqual([image, tags], [false, []]);
		assert.deepEqual(exports, [
			{
				output: "local",
				exporter: { type: "tar", attrs: { "attestation-prefix": "x" } },
				destination: { kind: "folder", path: join(directory, "new/out") },
			},
		]);
		assert.deepEqual(readdirSync(directory).sort(), ["file", "folder"]);
	});

	test("may be nothing but a full build cache", async () => {
		const { image, tags, exports } = await planned([{ type: "cacheonly" }], { tags: ["app"] });
		assert.deepEqual([image, tags, exports], [false, [], []]);
		await assert.rejects(planned([{ type: "cacheonly", attrs: { name: "x" } }]), /^UsageError/);
	});

	test("is told to the exporter of images where only the daemon has to know of it", async () => {
		const attrs = { name: "app", compression: "zstd", "oci-mediatypes": "true", push: "false" };
		const { imageAttrs, tags } = await planned([{ type: "image", attrs }]);
		assert.deepEqual(imageAttrs, { compression: "zstd", "oci-mediatypes": "true" });
		assert.deepEqual(tags, ["app:latest"]);
	});

	test("is refused where two would go to one place", async () => {
		const twice: [readonly OutputOption[], Partial<BuildOptions>][] = [
			[
				[
					{ type: "local", dest: "out" },
					{ type: "local", dest: "./out" },
				],
				{},
			],
			[[{ type: "tar", dest: "a.tar" }], { save: "a.tar" }],
		];
		for (const [outputs, options] of twice) {
			await assert.rejects(planned(outputs, options), /^UsageError: two outputs cannot both go to/);
		}
	});

	test("may be a tar or an OCI archive, on the standard output where no file is named", async () => {
		const { exports } = await planned([{ type: "tar" }]);
		assert.deepEqual(exports[0]?.destination, { kind: "stdout" });
		const oci = await planned([{ type: "oci", dest: "a.tar", attrs: { compression: "zstd" } }], {
			tags: ["app"],
		});
		assert.equal(oci.image, false);
		assert.deepEqual(oci.exports, [
			{
				output: "oci",
				exporter: { type: "oci", attrs: { compression: "zstd", name: "app:latest" } },
				destination: { kind: "file", path: join(directory, "a.tar") },
			},
		]);
	});

	test("has a name of its own in an OCI archive, unless -t names all", async () => {
		const outputs: readonly OutputOption[] = [
			{ type: "oci", dest: "a.tar", attrs: { name: "archived" } },
			{ type: "oci", dest: "b.tar" },
			{ type: "image", attrs: { name: "kept" } },
		];
		const names = async (options: Partial<BuildOptions> = {}) => {
			const { tags, exports } = await planned(outputs, options);
			return [tags, ...exports.map(({ exporter }) => exporter.attrs.name)];
		};
		assert.deepEqual(await names(), [["kept:latest"], "archived:latest", undefined]);
		assert.deepEqual(await names({ tags: ["app:1"] }), [["app:1"], "app:1", "app:1"]);
	});

	test("is saved, loaded and pushed by --output as by the flags of that name", async () => {
		const { deliveries, image, exports, tags } = await planned([
			{ type: "docker", dest: "a.tar" },
			{ type: "docker" },
			{ type: "image", attrs: { name: "r.example/a,r.example/b:2", push: "true" } },
		]);
		assert.deepEqual([image, exports], [true, []]);
		assert.deepEqual(deliveries, {
			push: "daemon",
			saves: [{ path: join(directory, "a.tar"), format: "docker" }],
			load: true,
		});
		assert.deepEqual(tags, ["r.example/a:latest", "r.example/b:2"]);

		const registry = await planned([{ type: "registry", attrs: { name: "lost" } }], {
			tags: ["wins"],
		});
		assert.deepEqual([registry.deliveries.push, registry.tags], ["daemon", ["wins:latest"]]);
		const image2 = await planned([{ type: "image", attrs: { name: "a", push: "False" } }]);
		assert.deepEqual([image2.deliveries.push, image2.tags], [false, ["a:latest"]]);
	});

	test("is pushed by whom --via names, which is nobody where nothing is pushed", async () => {
		const { deliveries } = await planned([{ type: "registry" }], { tags: ["app"], via: "client" });
		assert.equal(deliveries.push, "client");
		await assert.rejects(planned([], { tags: ["app"], via: "client" }), {
			name: "UsageError",
			message: "--via client needs --push",
		});
	});

	test("may be several things at once", async () => {
		const { image, exports } = await planned(
			[
				{ type: "local", dest: "out" },
				{ type: "tar", dest: "out.tar" },
			],
			{ tags: ["app"], load: true },
		);
		assert.deepEqual([image, exports.length], [true, 2]);
	});

	test("is known before anything else is", () => {
		const outputs = [{ type: "tar" }];
		assert.equal(givesImage({ outputs }), false);
		assert.equal(givesImage({ outputs, save: "x" }), true);
		assert.equal(givesImage({ outputs, save: [] }), false);
		assert.equal(givesImage({}), true);
		assert.equal(givesImage({ outputs: [...outputs, { type: "image" }] }), true);
		assert.equal(flagOnStdout({ outputs }), "--output");
		assert.equal(flagOnStdout({ outputs: [{ type: "tar", dest: "x" }] }), undefined);
		assert.equal(flagOnStdout({ outputs: [{ type: "docker" }] }), undefined);
		assert.equal(flagOnStdout({ save: "-" }), "--save");
		assert.equal(flagOnStdout({ save: ["a.tar", "-"] }), "--save");
		assert.equal(flagOnStdout({ save: ["a.tar"] }), undefined);
		assert.equal(flagOnStdout({ save: { type: "oci", dest: "-" } }), "--save");
	});

	test("is refused with the flag that does it, where there is one", async () => {
		for (const [output, hint] of [
			[{ type: "image", attrs: { "annotation.a": "b" } }, "use --annotation KEY=VALUE"],
			[
				{ type: "oci", attrs: { tar: "false" } },
				"leave it out, or have the layout in a folder: --save type=oci,dest=FOLDER",
			],
		] as const) {
			await assert.rejects(planned([output]), { hint });
		}
	});

	test("is refused where it makes no sense or cannot be written, before anything is sent", async () => {
		const refused: [OutputOption | readonly OutputOption[], RegExp][] = [
			[{ type: "zip" }, /^UsageError: --output type=zip is not supported$/],
			[{ type: "local" }, /^UsageError: --output type=local needs a folder/],
			[{ type: "local", dest: "-" }, /^UsageError: --output type=local needs a folder/],
			[
				{ type: "local", dest: "x", attrs: { mode: "delete" } },
				/^UsageError: .*mode=delete is not supported$/,
			],
			[{ type: "oci", attrs: { tar: "false" } }, /^UsageError: .*tar=false is not supported$/],
			[
				{ type: "image", attrs: { "push-by-digest": "true" } },
				/^UsageError: .* does not support "push-by-digest"$/,
			],
			[{ type: "image", attrs: { push: "maybe" } }, /^UsageError: .*neither true nor false/],
			[{ type: "image", attrs: { push: "fALSE" } }, /^UsageError: .*neither true nor false/],
			[{ type: "registry" }, /^UsageError: a push needs an image name$/],
			[{ type: "image", attrs: { name: "No" } }, /^UsageError: invalid tag "No"/],
			[[{ type: "tar" }, { type: "oci" }], /^UsageError: two outputs cannot share/],
			[{ type: "local", dest: "file" }, /^DeliveryError: cannot save to .*file: .*not a folder/],
			[{ type: "tar", dest: "folder" }, /^DeliveryError: cannot save to .*folder: it is a dir/],
			[{ type: "docker", dest: "none/x" }, /^DeliveryError: .*its folder does not exist/],
		];
		for (const [output, message] of refused) {
			await assert.rejects(planned([output].flat()), message);
		}
	});
});
