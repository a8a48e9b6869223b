import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { planBuild } from "../../../../src/build/plan/build-plan.js";
import { needsSolve, requireBuilder } from "../../../../src/build/plan/builder-needs.js";
import type { BuildOptions, OutputOption } from "../../../../src/build/plan/options.js";
import type { BuildContext } from "../../../../src/context/build-context.js";
import type { Engine } from "../../../../src/engine/engine.js";
import type { Environment } from "../../../../src/environment.js";
import { EngineError } from "../../../../src/errors.js";

const environment = {
	variables: { DOCKER_HOST: "unix:///some.sock" },
	homeDirectory: "/nonexistent",
	workingDirectory: "/",
} as Partial<Environment> as Environment;
const run = { emit() {}, signal: new AbortController().signal };
const signal = new AbortController().signal;
const NAMED = { buildContexts: { x: "docker-image://y" } };
const ATTESTED = { attestations: { sbom: {} } };

interface Daemon {
	readonly version?: string;
	readonly builder?: "buildkit" | "classic";
	readonly product?: string;
	/** The answer to GET /info; absent: must not be asked for. */
	readonly info?: unknown;
}

/** @returns the refusal, if there is one */
async function refusal(
	options: Partial<BuildOptions>,
	{ version = "28.5.2", builder = "buildkit", product = "docker", info }: Daemon,
	dockerfile = "",
	context: Partial<BuildContext> = {},
): Promise<EngineError | undefined> {
	const engine = {
		facts: { version, builder, product },
		transport: { target: "box" },
		async json() {
			assert.ok(info !== undefined, "the daemon was asked for nothing that matters");
			return info;
		},
	};
	try {
		await requireBuilder(
			await planBuild({ context: ".", ...options }, environment, run),
			engine as unknown as Engine,
			{ ...context, dockerfileContent: Buffer.from(dockerfile) } as unknown as BuildContext,
			signal,
		);
		return undefined;
	} catch (error) {
		assert.ok(error instanceof EngineError);
		return error;
	}
}

suite("what a build needs of its builder", () => {
	test("is a Docker that does something about the limits of steps, or another builder", async () => {
		const limits: [string, Partial<BuildOptions>][] = [
			["--cgroup-parent", { cgroupParent: "/c" }],
			["--shm-size", { shmSize: 1024 }],
			["--ulimit", { ulimits: [{ name: "nofile", soft: 1, hard: 2 }] }],
		];
		for (const [flag, options] of limits) {
			const error = await refusal(
				options,
				{ version: "20.10.24" },
				"# syntax=docker/dockerfile:1\n",
			);
			assert.equal(error?.message, `box is Docker 20.10.24, and ${flag} came with 23.0`);
			assert.equal(await refusal(options, { version: "23.0.0" }), undefined);
			assert.equal(await refusal(options, { version: "20.10.24", builder: "classic" }), undefined);
			assert.equal(await refusal(options, { builder: "classic", product: "podman" }), undefined);
		}
		const plan = await planBuild({ context: ".", cgroupParent: "/c" }, environment, run);
		assert.equal(needsSolve(plan, "buildkit"), "--cgroup-parent");
		assert.equal(needsSolve(plan, "classic"), undefined);
	});

	test("is no Podman where the builder has to fetch the context", async () => {
		const context = { kind: "remote" } as BuildContext;
		const podman: Daemon = { builder: "classic", product: "podman" };
		const error = await refusal({}, podman, "", context);
		assert.match(error?.message ?? "", /^box is Podman, which cannot fetch a build context$/);
		assert.equal(await refusal({}, { builder: "classic" }, "", context), undefined);
	});

	test("is a network that BuildKit knows", async () => {
		const podman: Daemon = { builder: "classic", product: "podman" };
		for (const network of ["default", "none", "host", "bridge", "private"]) {
			assert.equal(await refusal({ network }, podman), undefined);
		}
		const ofPodman = await refusal({ network: "mine" }, podman);
		assert.equal(
			ofPodman?.message,
			"box builds with Podman, which does not support --network mine",
		);
		for (const network of ["mine", "bridge", "container:x"]) {
			const error = await refusal({ network }, {});
			assert.equal(
				error?.message,
				`box builds with BuildKit, which does not support --network ${network}`,
			);
			assert.equal(await refusal({ network }, { builder: "classic" }), undefined);
		}
		for (const network of ["default", "none", "host", ""]) {
			assert.equal(await refusal({ network }, {}), undefined);
		}
	});

	test("is nothing for a plain build", async () => {
		assert.equal(
			await refusal({ cacheFrom: ["x"], noCache: true }, { builder: "classic" }),
			undefined,
		);
	});

	test("is BuildKit, with a hint at how to get it", async () => {
		const docker = await refusal(NAMED, { builder: "classic" });
		assert.equal(docker?.message, "box has no BuildKit, which --build-context needs");
		assert.match(docker?.hint ?? "", /daemon\.json/);
		const podman = await refusal(NAMED, { builder: "classic", product: "podman" });
		assert.match(podman?.hint ?? "", /a box with Docker/);
	});

	test("is BuildKit where nothing is to come of the build, and the containerd store for its own formats", async () => {
		const cacheOnly = await refusal({ outputs: [{ type: "cacheonly" }] }, { builder: "classic" });
		assert.equal(cacheOnly?.message, "box has no BuildKit, which --output type=cacheonly needs");
		const attrs = { compression: "zstd" };
		const info = { DriverStatus: [["Backing Filesystem", "extfs"]] };
		const compressed = await refusal({ outputs: [{ type: "image", attrs }] }, { info });
		assert.equal(
			compressed?.message,
			"box lacks the containerd image store, which --output type=image,compression needs",
		);
	});

	test("is a Docker that is new enough, or another frontend than its own", async () => {
		const old = { version: "20.10.24+dfsg1" };
		const named = await refusal(NAMED, old);
		assert.equal(
			named?.message,
			"box is Docker 20.10.24+dfsg1, and --build-context came with 23.0",
		);
		assert.equal(await refusal(NAMED, { version: "23.0.0" }), undefined);
		assert.equal(await refusal(NAMED, { version: "master-dev" }), undefined);
		const syntax = "# syntax=docker/dockerfile:1\nFROM x";
		assert.equal(await refusal(NAMED, old, syntax), undefined);
		assert.equal(await refusal(NAMED, old, `# check=skip=all\n${syntax}`), undefined);
		assert.ok(await refusal(NAMED, old, `FROM x\n${syntax}`));
		const buildArgs = { BUILDKIT_SYNTAX: "docker/dockerfile:1" };
		assert.equal(await refusal({ ...NAMED, buildArgs }, old), undefined);
		assert.ok(await refusal({ ...NAMED, buildArgs: { BUILDKIT_SYNTAX: null } }, old));
	});

	test("is the name of a frontend where an argument is to name one", async () => {
		for (const BUILDKIT_SYNTAX of ["", " "]) {
			const buildArgs = { BUILDKIT_SYNTAX };
			const error = await refusal({ buildArgs }, {}, "# syntax=docker/dockerfile:1\nFROM x");
			assert.match(error?.message ?? "", /^the build argument BUILDKIT_SYNTAX is empty, which box/);
			assert.equal(await refusal({ buildArgs }, { builder: "classic" }), undefined);
		}
	});

	test("is a kind of cache that Docker knows", async () => {
		const containerd = { DriverStatus: [["driver-type", "io.containerd.snapshotter.v1"]] };
		const attrs = { token: "t", url: "http://host", ref: "image", dest: "x", src: "x" };
		for (const type of ["registry", "gha", "local"]) {
			const cache = { cacheTo: [{ type, attrs }], cacheFrom: [{ type, attrs }] };
			assert.equal(await refusal(cache, { info: containerd }), undefined);
		}
		const to = await refusal({ cacheTo: [{ type: "s3" }] }, {});
		assert.equal(to?.message, "box is Docker 28.5.2, which does not support --cache-to type=s3");
		assert.match(to?.hint ?? "", /registry, local, inline, gha;/);
		const from = await refusal({ cacheFrom: [{ type: "azblob" }] }, {});
		assert.equal(
			from?.message,
			"box is Docker 28.5.2, which does not support --cache-from type=azblob",
		);
	});

	test("is the containerd image store", async () => {
		const graphDriver = { DriverStatus: [["Backing Filesystem", "extfs"]] };
		const error = await refusal(ATTESTED, { info: graphDriver });
		assert.equal(
			error?.message,
			"box lacks the containerd image store, which --sbom (--attest type=sbom) needs",
		);
		assert.match(error?.hint ?? "", /containerd-snapshotter/);
		const containerd = { DriverStatus: [["driver-type", "io.containerd.snapshotter.v1"]] };
		assert.equal(await refusal(ATTESTED, { info: containerd }), undefined);
	});
});

/** @param driver of the image store, as GET /info says it; absent: Docker's older store */
function engine(version: string, builder: "buildkit" | "classic", driver?: string): Engine {
	const DriverStatus =
		driver === undefined ? [["Backing Filesystem", "extfs"]] : [["driver-type", driver]];
	return {
		facts: { version, builder, product: "docker" },
		transport: { target: "box" },
		json: async () => ({ DriverStatus }),
	} as Partial<Record<keyof Engine, unknown>> as Engine;
}

async function require(engine: Engine, ...outputs: OutputOption[]): Promise<void> {
	const plan = await planBuild({ context: ".", outputs }, environment, run);
	await requireBuilder(plan, engine, {} as BuildContext, signal);
}

suite("what a daemon can make of a build", () => {
	test("is an image, on every one", async () => {
		await require(engine("5.8", "classic"), { type: "docker" });
	});

	test("is files where it has BuildKit", async () => {
		const files = { type: "local", dest: "tmp" };
		await require(engine("20.10.24", "buildkit"), files);
		await assert.rejects(require(engine("20.10.24", "classic"), files), (error) => {
			assert.ok(error instanceof EngineError);
			assert.equal(error.message, "box has no BuildKit, which --output type=local needs");
			return true;
		});
	});

	test("is an OCI archive where it has the containerd image store", async () => {
		const archive = { type: "oci" };
		await require(engine("28.5.2", "buildkit", "io.containerd.snapshotter.v1"), archive);
		await assert.rejects(require(engine("28.5.2", "buildkit"), archive), (error) => {
			assert.ok(error instanceof EngineError);
			assert.match(error.message, /^box lacks the containerd image store, which --output type=oci/);
			assert.match(error.hint ?? "", /^--save FILE/);
			return true;
		});
	});

	test("is several things since Docker 26", async () => {
		const both = [{ type: "tar" }, { type: "image" }];
		await require(engine("26.0.0", "buildkit"), ...both);
		await assert.rejects(
			require(engine("25.0.5", "buildkit"), ...both),
			/^EngineError: box is Docker 25.0.5, and more than one output came with 26.0/,
		);
	});
});
