import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { IndexQuestion } from "../../../../src/build/context-index/index-question.js";
import type { LocalNeeds } from "../../../../src/build/inputs/local-needs.js";
import type { NamedDirectories } from "../../../../src/build/inputs/named-directories.js";
import type { StoredImages } from "../../../../src/build/inputs/stored-images.js";
import { planBuild } from "../../../../src/build/plan/build-plan.js";
import type { BuildOptions, TransferChoice } from "../../../../src/build/plan/options.js";
import { chooseTransfer } from "../../../../src/build/transfer/choose-transfer.js";
import type { BuildContext } from "../../../../src/context/build-context.js";
import type { ContextPart } from "../../../../src/context/thread/directory-context.js";
import type { ContextSummary, Unreadable } from "../../../../src/context/tree/manifest.js";
import type { Engine } from "../../../../src/engine/engine.js";
import type { StoredImage } from "../../../../src/engine/images.js";
import type { Environment } from "../../../../src/environment.js";
import { EngineError, UsageError } from "../../../../src/errors.js";
import type { CredentialSource } from "../../../../src/image/credentials/registry-credentials.js";

const environment = {
	variables: { TOKEN: "t", DOCKER_HOST: "unix:///some.sock" },
	homeDirectory: "/nonexistent",
	platform: "linux",
	workingDirectory: "/",
} as Partial<Environment> as Environment;
const run = { emit() {}, signal: new AbortController().signal };

type Walked = Pick<ContextSummary, "isUtf8" | "unreadable">;

/** A context of a few small files, unless something else is said. */
const small = {
	root: "/nowhere",
	dockerfileContent: Buffer.from("FROM x\nCOPY . ."),
	totals: () => ({ files: 3, bytes: 1000 }),
	hiddenFiles: (): readonly string[] => [],
	walked: Promise.resolve<Walked>({ isUtf8: true, unreadable: [] }),
	part: async (): Promise<Partial<ContextPart> | undefined> => undefined,
};

const locked: Unreadable = {
	...{ path: "locked", isEntry: false, message: "cannot read locked", hint: "make it readable" },
};

async function choice(
	transfer: TransferChoice,
	kind: BuildContext["kind"],
	builder: "buildkit" | "classic",
	options: Partial<BuildOptions> = {},
	context: Partial<typeof small> = {},
	image?: Partial<StoredImage>,
	isKnown = false,
) {
	return chooseTransfer(
		await planBuild({ context: ".", transfer, ...options }, environment, run),
		{
			facts: { builder, platform: "linux/amd64" },
			transport: { target: "box" },
			roundTripMs: 50,
		} as Engine,
		{ ...small, ...context, kind } as unknown as BuildContext,
		{
			environment,
			credentials: {} as CredentialSource,
			needs: {} as LocalNeeds,
			images: { find: async () => image } as Partial<StoredImages> as StoredImages,
			named: {} as NamedDirectories,
			indexes: {
				main: { isKnown: async () => isKnown } as Partial<IndexQuestion> as IndexQuestion,
				named: new Map(),
			},
			services: [],
		},
	);
}

async function choose(...args: Parameters<typeof choice>): Promise<"tar" | "sync"> {
	return (await choice(...args)).transfer.name;
}

describe("the choice of a transfer", () => {
	it("is the tar for small contexts, other builders, archives, and where nothing is sent", async () => {
		assert.deepEqual(
			[await choose("auto", "directory", "buildkit"), await choose("auto", "directory", "classic")],
			["tar", "tar"],
		);
		assert.equal(await choose("auto", "archive", "buildkit"), "tar");
		assert.equal(await choose("tar", "directory", "buildkit"), "tar");
		assert.equal(await choose("sync", "remote", "classic"), "tar");
	});

	it("is the sync for large contexts, and says why", async () => {
		const totals = () => ({ files: 20_000, bytes: 116e6 });
		const { transfer, reason } = await choice("auto", "directory", "buildkit", {}, { totals });
		assert.equal(transfer.name, "sync");
		assert.equal(reason, "so that the next build sends what changed");
		assert.equal(await choose("tar", "directory", "buildkit", {}, { totals }), "tar");
	});

	it("is the sync where the box knows the context, from wherever", async () => {
		const totals = () => ({ files: 2_000, bytes: 1e6 });
		const isKnown = await choice("auto", "directory", "buildkit", {}, { totals }, undefined, true);
		assert.equal(isKnown.reason, "it has most of it");
		const isNew = await choice("auto", "directory", "buildkit", {}, { totals });
		assert.notEqual(isNew.reason, isKnown.reason);
	});

	describe("with a Dockerfile that takes a part of a large context", () => {
		const context = {
			dockerfileContent: Buffer.from("FROM base\nCOPY a /a"),
			totals: () => ({ files: 20_000, bytes: 116e6 }),
			part: async () => ({
				...{ totals: () => ({ files: 3, bytes: 1000 }), isUtf8: true, unreadable: [] },
			}),
		};
		const base = {
			platform: "linux/amd64",
			hasTriggers: false,
			isInGraphDriver: true,
			environment: [],
		};

		it("is by the size of that part", async () => {
			const { transfer, needed } = await choice("auto", "directory", "buildkit", {}, context, base);
			assert.equal(transfer.name, "tar");
			assert.deepEqual(needed, { files: 3, bytes: 1000 });
		});

		it("is by the size of all of it for a sync that is asked for all of it", async () => {
			const dockerfileContent = Buffer.from(
				"FROM base\nCOPY a /a\nRUN --mount=type=tmpfs,target=/t true",
			);
			const part = {
				...{ totals: () => ({ files: 20, bytes: 10e6 }), isUtf8: true, unreadable: [] },
			};
			const with10MB = { ...context, part: async () => part };
			const known = (one: typeof with10MB) =>
				choice("auto", "directory", "buildkit", {}, one, base, true);
			assert.equal((await known(with10MB)).transfer.name, "sync");
			const mounting = await known({ ...with10MB, dockerfileContent });
			assert.equal(mounting.transfer.name, "tar");
			assert.equal(mounting.needed?.bytes, 10e6);
		});

		it("has the tar hold everything where more may be needed, and says why", async () => {
			const cases = [
				[undefined, "the base image base may have ONBUILD instructions"],
				[{ ...base, hasTriggers: true }, "the base image base has ONBUILD instructions"],
				[{ ...base, platform: "linux/arm64" }, "the base image base may have ONBUILD instructions"],
				[{ ...base, isInGraphDriver: false }, "the base image base may have ONBUILD instructions"],
			] as const;
			for (const [image, reason] of cases) {
				const chosen = await choice("tar", "directory", "buildkit", {}, context, image);
				assert.deepEqual([chosen.needed, chosen.doubt], [undefined, reason]);
			}
			const pulled = await choice("tar", "directory", "buildkit", { pull: true }, context, base);
			assert.equal(pulled.doubt, "the base image base may have ONBUILD instructions");
			const known = await choice("tar", "directory", "classic", {}, context, cases[3][0]);
			assert.equal(known.doubt, undefined);
		});

		it("has it hold everything with --no-minimal", async () => {
			const options = { minimal: false };
			const chosen = await choice("tar", "directory", "buildkit", options, context, base);
			assert.deepEqual([chosen.needed, chosen.doubt], [undefined, undefined]);
			assert.equal(await choose("auto", "directory", "buildkit", options, context, base), "sync");
		});
	});

	describe("of a context of which some cannot be read", () => {
		const walked = Promise.resolve({ isUtf8: true, unreadable: [locked] });
		const dockerfileContent = Buffer.from("FROM base\nCOPY a /a");
		const context = { dockerfileContent, walked };
		const partWith = (unreadable: Unreadable[]) => ({
			...context,
			part: async () => ({ totals: () => ({ files: 1, bytes: 100 }), isUtf8: true, unreadable }),
		});
		const known = {
			...{ platform: "linux/amd64", hasTriggers: false, isInGraphDriver: true, environment: [] },
		};
		const failure = { name: "ContextError", message: locked.message, hint: locked.hint };

		it("is the sync where a tar would need that", async () => {
			const { transfer, reason } = await choice("auto", "directory", "buildkit", {}, context);
			assert.equal(transfer.name, "sync");
			assert.equal(reason, "a tar would need what cannot be read");
			const taken = partWith([locked]);
			assert.equal(await choose("auto", "directory", "buildkit", {}, taken, known), "sync");
		});

		it("is as ever where the tar can do without", async () => {
			const part = partWith([]);
			assert.equal(await choose("auto", "directory", "buildkit", {}, part, known), "tar");
			assert.equal(await choose("auto", "directory", "classic", {}, part, known), "tar");
		});

		it("fails where nothing but a tar that needs it is possible, and where all is taken", async () => {
			for (const [transfer, builder, options, given] of [
				["auto", "classic", {}, context],
				["auto", "classic", {}, partWith([locked])],
				["tar", "buildkit", {}, context],
				["tar", "buildkit", { minimal: false }, partWith([])],
				["auto", "buildkit", {}, { walked }],
				["sync", "buildkit", {}, { walked }],
			] as const) {
				const choosing = choice(transfer, "directory", builder, options, given, known);
				await assert.rejects(choosing, failure);
			}
		});

		it("is left to BuildKit's requests where that is a file, which it may have already", async () => {
			const unreadable = [{ ...locked, isEntry: true }];
			const given = { walked: Promise.resolve({ isUtf8: true, unreadable }) };
			assert.equal(await choose("auto", "directory", "buildkit", {}, given), "sync");
			await assert.rejects(choose("auto", "directory", "classic", {}, given), failure);
		});

		it("is left to BuildKit's requests where another context may replace what takes all", async () => {
			const options = { buildContexts: { base: "docker-image://alpine" } };
			assert.equal(await choose("auto", "directory", "buildkit", options, { walked }), "sync");
		});
	});

	it("is the tar for names that a sync cannot tell of, unless the build does without them", async () => {
		const large = { totals: () => ({ files: 20_000, bytes: 116e6 }) };
		const walked = Promise.resolve({ isUtf8: false, unreadable: [] });
		const context = { ...large, walked };
		const { transfer, reason } = await choice("auto", "directory", "buildkit", {}, context);
		assert.equal(transfer.name, "tar");
		assert.equal(reason, "a sync takes no names that are not UTF-8");
		const part = { ...large, isUtf8: true, unreadable: [] };
		const partly = {
			...{ ...context, part: async () => part, dockerfileContent: Buffer.from("FROM x\nCOPY a /") },
		};
		assert.equal(await choose("auto", "directory", "buildkit", {}, partly), "sync");
		const cacheTo = [{ type: "inline" }];
		assert.equal(await choose("auto", "directory", "buildkit", { cacheTo }, context), "sync");
		const hiddenFiles = () => ["Dockerfile"];
		const hiding = { ...context, hiddenFiles };
		assert.equal(await choose("auto", "directory", "buildkit", {}, hiding), "sync");
	});

	it("is the sync where a tar would show the build more than it may see", async () => {
		const hiddenFiles = () => ["Dockerfile"];
		assert.equal(await choose("auto", "directory", "buildkit", {}, { hiddenFiles }), "sync");
		assert.equal(await choose("auto", "directory", "classic", {}, { hiddenFiles }), "tar");
	});

	it("is the sync for what POST /build cannot be asked for, whatever the context", async () => {
		const options: Partial<BuildOptions>[] = [
			{ buildContexts: { base: "docker-image://alpine" } },
			{ cacheTo: [{ type: "inline" }] },
			{ cacheFrom: [{ type: "registry", attrs: { ref: "a", "registry.insecure": "true" } }] },
			{ noCacheFilter: ["base"] },
			{ annotations: { a: "b" } },
			{ attestations: { sbom: {} } },
			{ allow: ["network.host"] },
			{ outputs: [{ type: "tar" }, { type: "image" }] },
			{ outputs: [{ type: "tar" }], load: true },
		];
		for (const option of options) {
			for (const kind of ["directory", "archive", "remote"] as const) {
				assert.equal(await choose("auto", kind, "buildkit", option), "sync");
			}
		}
		const images = { cacheFrom: ["a", { type: "registry", attrs: { ref: "b" } }] };
		assert.equal(await choose("auto", "directory", "buildkit", images), "tar");
		const output = { outputs: [{ type: "tar" }] };
		assert.equal(await choose("auto", "directory", "buildkit", output), "tar");
	});

	it("refuses secrets where there is no BuildKit to mount them", async () => {
		const secrets = { secrets: [{ id: "token", env: "TOKEN" }] };
		assert.equal(await choose("auto", "directory", "buildkit", secrets), "tar");
		await assert.rejects(
			choose("auto", "directory", "classic", secrets),
			/^EngineError: box has no BuildKit, which --secret needs$/,
		);
	});

	it("refuses a sync that cannot be done", async () => {
		await assert.rejects(choose("sync", "archive", "buildkit"), UsageError);
		await assert.rejects(choose("sync", "directory", "classic"), (error) => {
			assert.ok(error instanceof EngineError);
			assert.equal(error.message, "box has no BuildKit, which --transfer sync needs");
			return true;
		});
	});
});
