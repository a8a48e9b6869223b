import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { after, before, suite, test } from "node:test";
import { inspectImage } from "../../src/engine/images.js";
import type { BuildReport, DeliveryReport } from "../../src/events.js";
import { BASE_IMAGE } from "../support/base-image.js";
import type { Box } from "../support/box.js";
import { rbuild } from "../support/cli.js";
import { startContainerdBox } from "../support/containerd-box.js";
import { imageFile } from "../support/image-contents.js";
import { lab } from "../support/lab.js";
import { type Registry, startRegistry, whyNoRegistry } from "../support/registry.js";

const signal = new AbortController().signal;
const here = lab();
const missing = here === undefined ? "there is no lab" : whyNoRegistry();

const NAME = "rbuild-containerd-test";
/** Of the top layer when it is compressed, at least: it is text, in which each of them is two digits. */
const TOP_BYTES = 100_000;

interface Manifest {
	readonly manifests?: readonly (Manifest & { readonly digest: string })[];
	readonly layers?: readonly { readonly mediaType: string }[];
	readonly annotations?: Readonly<Record<string, string>>;
}

suite("rbuild on docker 28.5 with the containerd image store", { skip: missing ?? false }, () => {
	let box: Box;
	let registry: Registry;
	let root: string;

	before(async () => {
		if (here === undefined) return;
		registry = await startRegistry();
		box = await startContainerdBox(here);
		root = mkdtempSync(join(tmpdir(), "rbuild-containerd-"));
		writeFileSync(
			join(root, "Dockerfile"),
			`FROM ${BASE_IMAGE} AS a\nRUN cat /proc/sys/kernel/random/uuid > /u\nFROM ${BASE_IMAGE}\nCOPY --from=a /u /\n`,
		);
	});
	after(async () => {
		rmSync(root, { recursive: true, force: true });
		await box?.[Symbol.asyncDispose]();
		await registry?.stop();
	});

	async function build(...args: string[]): Promise<string> {
		const { code, stderr } = await rbuild([root, ...args, ...box.flags, "--network", "none"]);
		assert.equal(code, 0, stderr);
		return stderr;
	}

	async function manifest(repository: string, reference: string): Promise<Manifest> {
		const kinds = ["index", "manifest"].map((kind) => `application/vnd.oci.image.${kind}.v1+json`);
		const response = await fetch(
			`http://${registry.host}/v2/${repository}/manifests/${reference}`,
			{
				headers: { Accept: kinds.join() },
			},
		);
		return (await response.json()) as Manifest;
	}

	test("syncs a context and knows the image that was made", async () => {
		const iidfile = join(root, "iid");
		await build("--transfer", "sync", "-t", "synced", "--iidfile", iidfile);
		const { id } = await inspectImage(box.engine, "synced", signal);
		assert.equal(execFileSync("cat", [iidfile], { encoding: "utf8" }), id);
	});

	test("tells the digests of an image and of an archive in --metadata-file", async () => {
		const file = join(root, "digests.json");
		const digests = async (...args: string[]) => {
			await build("-t", "digests", "--transfer", "sync", "--metadata-file", file, ...args);
			const metadata = JSON.parse(readFileSync(file, "utf8"));
			return [metadata["containerimage.digest"], metadata["containerimage.config.digest"]];
		};
		const [digest, configDigest] = await digests();
		assert.equal(digest, (await inspectImage(box.engine, "digests", signal)).id);
		const archive = join(root, "digests.tar");
		const entry = (name: string) =>
			JSON.parse(execFileSync("tar", ["-xOf", archive, name], { encoding: "utf8" }));
		const [ofArchive] = await digests("-o", `type=oci,dest=${archive}`);
		assert.equal(ofArchive, entry("index.json").manifests[0].digest);
		const manifest = entry(`blobs/sha256/${ofArchive.replace("sha256:", "")}`);
		assert.equal(configDigest, manifest.config.digest);
		const both = await digests("-o", `type=oci,dest=${archive}`, "-o", "type=image");
		assert.deepEqual(both, [digest, undefined]);
	});

	async function forgetBuilds(): Promise<void> {
		const request = { method: "POST", path: "/build/prune", query: { all: "1" }, signal } as const;
		const { body } = await box.engine.request(request);
		await text(body);
	}

	test("takes the cache to a registry and finds it there again", async () => {
		const cache = `type=registry,ref=${registry.host}/cache`;
		await build("--cache-to", `${cache},mode=max`, "-t", "first");
		await forgetBuilds();
		const stderr = await build("--cache-from", cache, "-t", "second");
		assert.match(stderr, /^#\d+ importing cache manifest from /m);
		assert.equal(
			await imageFile(box.engine, "second", "/u"),
			await imageFile(box.engine, "first", "/u"),
		);
	});

	test("takes the cache to a folder of this side and finds it there again", async () => {
		const folder = join(root, "cache folder");
		const from = ["--cache-from", `type=local,src=${folder}`];
		const first = await build(
			"--cache-to",
			`type=local,dest=${folder},mode=max`,
			...from,
			"-t",
			"first",
		);
		assert.match(first, /warning: there is no cache in .*cache folder/);
		assert.deepEqual(readdirSync(folder).sort(), ["blobs", "index.json", "oci-layout"]);
		await forgetBuilds();
		const second = await build(...from, "-t", "second");
		assert.match(second, /^#\d+ importing cache manifest from /m);
		assert.equal(
			await imageFile(box.engine, "second", "/u"),
			await imageFile(box.engine, "first", "/u"),
		);

		// What is there is not written again, and what was there stays.
		await build(
			"--cache-to",
			`type=local,dest=${folder},mode=max,tag=other`,
			...from,
			"-t",
			"third",
		);
		const { manifests } = JSON.parse(readFileSync(join(folder, "index.json"), "utf8")) as Manifest;
		const tags = manifests?.map(
			({ annotations }) => annotations?.["org.opencontainers.image.ref.name"],
		);
		assert.deepEqual(tags, ["latest", "other"]);
	});

	test("gives the daemon the job's token for a cache of GitHub Actions, and shows it to nobody", async () => {
		const token = [
			{ alg: "none" },
			{ ac: JSON.stringify([{ Scope: "refs/heads/main", Permission: 3 }]), nbf: 1, exp: 1e10 },
			"signature",
		]
			.map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
			.join(".");
		const seen = new Set<string | undefined>();
		const service = createServer(({ headers: { authorization } }, response) => {
			seen.add(authorization);
			response.writeHead(403).end(`{"code":"not ${authorization}"}`);
		});
		await once(service.listen(0, "127.0.0.1"), "listening");
		const { port } = service.address() as AddressInfo;
		const env = {
			ACTIONS_RUNTIME_TOKEN: token,
			ACTIONS_RESULTS_URL: `http://127.0.0.1:${port}/`,
			ACTIONS_CACHE_SERVICE_V2: "True",
		};
		const metadata = join(root, "gha.json");
		const news: string[] = [];
		for (const args of [
			["--progress", "json", "--metadata-file", metadata],
			["--progress", "plain", "-v"],
			["--progress", "json", "--dry-run"],
			["--progress", "plain", "--debug"],
		]) {
			seen.clear();
			const cache = `type=gha,ignore-error=${!args.includes("--debug")}`;
			const caches = ["--cache-from", cache, "--cache-to", cache];
			const { stdout, stderr } = await rbuild(
				[root, "-t", "gha", ...args, ...caches, "--no-cache", ...box.flags, "--network", "none"],
				{ env },
			);
			news.push(stdout, stderr);
			if (!args.includes("--dry-run")) assert.deepEqual([...seen], [`Bearer ${token}`], stderr);
		}
		service.close();
		const all = [...news, readFileSync(metadata, "utf8")].join("\n");
		assert.match(all, /importing cache manifest from gha:/);
		assert.match(all, /not Bearer xxxxx/);
		for (const part of token.split(".")) assert.ok(!all.includes(part), all);
	});

	test("keeps attestations and annotations in one image of several platforms", async () => {
		const place = mkdtempSync(join(root, "platforms-"));
		writeFileSync(join(place, "Dockerfile"), "FROM scratch\nCOPY Dockerfile /\n");
		const args = [
			...["--platform", "linux/386,linux/amd64", "--provenance", "mode=min"],
			...["--annotation", "org.example.image=1", "--annotation", "index:org.example.index=2"],
			...["--save", `type=oci,dest=${join(place, "layout")}`, "-t", "attested"],
		];
		const { code, stderr } = await rbuild([place, ...args, ...box.flags]);
		assert.equal(code, 0, stderr);
		const layout = `oci:${join(place, "layout")}:latest`;
		const read = (...flags: readonly string[]) =>
			JSON.parse(
				execFileSync("skopeo", ["inspect", "--raw", ...flags, layout], { encoding: "utf8" }),
			);
		const index = read();
		assert.deepEqual(index.annotations, { "org.example.index": "2" });
		const [x86, amd64, ...attestations] = index.manifests;
		assert.deepEqual(
			[x86.platform, amd64.platform],
			[
				{ architecture: "386", os: "linux" },
				{ architecture: "amd64", os: "linux" },
			],
		);
		assert.deepEqual(
			attestations.map((one: { annotations: Record<string, string> }) => [
				one.annotations["vnd.docker.reference.type"],
				one.annotations["vnd.docker.reference.digest"],
			]),
			[
				["attestation-manifest", x86.digest],
				["attestation-manifest", amd64.digest],
			],
		);
		const blob = (digest: string) =>
			JSON.parse(
				readFileSync(join(place, "layout/blobs/sha256", digest.replace("sha256:", "")), "utf8"),
			);
		assert.equal(blob(amd64.digest).annotations["org.example.image"], "1");
		assert.match(blob(attestations[0].digest).layers[0].mediaType, /in-toto/);
	});

	test("builds from an image in a folder of this side", async () => {
		const folder = join(root, "layout");
		mkdirSync(folder);
		await build("-t", "in-layout");
		await build("-o", `type=oci,dest=${join(root, "layout.tar")}`);
		execFileSync("tar", ["-xf", join(root, "layout.tar"), "-C", folder]);
		await forgetBuilds();
		const dockerfile = join(root, "From.Dockerfile");
		writeFileSync(dockerfile, "FROM given\nRUN cp /u /v\n");
		const given = `given=oci-layout://${folder}`;
		await build("-f", dockerfile, "--build-context", given, "-t", "from-layout");
		assert.equal(
			await imageFile(box.engine, "from-layout", "/v"),
			await imageFile(box.engine, "in-layout", "/u"),
		);
		const missing = `given=oci-layout://${folder}:missing`;
		const { code, stderr } = await rbuild([
			root,
			...["-f", dockerfile, "--build-context", missing, "-t", "x", ...box.flags],
		]);
		assert.equal(code, 3);
		assert.match(stderr, /the build context given \(.*\) has no image with the tag missing/);
	});

	test("attests how the image was made, and annotates it", async () => {
		const name = `${registry.host}/attested`;
		const annotations = [
			"--annotation",
			"org.example.a=1",
			"--annotation",
			"manifest:org.example.b=2",
		];
		await build("--provenance", "mode=max", ...annotations, "-t", name, "--push");
		const { manifests = [] } = await manifest("attested", "latest");
		assert.deepEqual(
			manifests.map(({ annotations = {} }) => annotations["vnd.docker.reference.type"]),
			[undefined, "attestation-manifest"],
		);
		const image = await manifest("attested", manifests[0]?.digest ?? "");
		assert.deepEqual(image.annotations, { "org.example.a": "1", "org.example.b": "2" });
	});

	test("makes an image of the format and with the times that are asked for", async () => {
		const name = `${registry.host}/formatted`;
		const metadata = join(root, "formatted.json");
		const format = "compression=zstd,force-compression=true,oci-mediatypes=true";
		const { code, stderr } = await rbuild(
			[
				...[root, "-o", `type=image,name=${name},push=true,${format}`],
				...[
					"--metadata-file",
					metadata,
					"--annotation",
					"manifest,manifest-descriptor:org.example.c=3",
				],
				...[...box.flags, "--network", "none"],
			],
			{ env: { SOURCE_DATE_EPOCH: "1700000000" } },
		);
		assert.equal(code, 0, stderr);
		const digest = JSON.parse(readFileSync(metadata, "utf8"))["containerimage.digest"];
		let image = await manifest("formatted", digest);
		if (image.manifests !== undefined)
			image = await manifest("formatted", image.manifests[0]?.digest ?? "");
		assert.deepEqual(
			new Set(image.layers?.map(({ mediaType }) => mediaType)),
			new Set(["application/vnd.oci.image.layer.v1.tar+zstd"]),
		);
		assert.deepEqual(image.annotations, { "org.example.c": "3" });
		const { Created: created } = (await box.engine.json({
			method: "GET",
			path: `/images/${name}/json`,
			signal,
		})) as { Created: string };
		assert.equal(Date.parse(created), 1_700_000_000_000);
	});

	/** What came for the one delivery of a build. */
	async function delivered(cache: string, ...args: string[]): Promise<DeliveryReport> {
		const metadata = join(root, "report.json");
		const flags = args.includes("--on") ? [] : box.flags;
		const { code, stderr } = await rbuild(
			[
				join(root, "layered"),
				"-t",
				NAME,
				"--transfer",
				"sync",
				...args,
				"--metadata-file",
				metadata,
				...flags,
			],
			{ env: { XDG_CACHE_HOME: cache, DOCKER_HOST: box.on } },
		);
		assert.equal(code, 0, stderr);
		const { deliveries } = JSON.parse(readFileSync(metadata, "utf8")) as BuildReport;
		const [delivery] = deliveries;
		assert.equal(delivery?.whole, undefined, stderr);
		return delivery ?? assert.fail();
	}

	test("sends back the layers that are new, with what attests them", async () => {
		const cache = join(root, "cache");
		const layout = join(root, "layout");
		const save = ["--save", `type=oci,dest=${layout}`, "--provenance", "mode=max"];
		writeLayers({ below: randomBytes(1_000_000) });
		await delivered(cache, ...save);
		writeLayers({});
		const { bytes } = await delivered(cache, ...save);
		assert.ok(bytes > TOP_BYTES && bytes < TOP_BYTES + 64 * 1024, `${bytes} bytes`);
		const shown = execFileSync("skopeo", ["inspect", "--raw", `oci:${layout}`], {
			encoding: "utf8",
		});
		assert.equal((JSON.parse(shown) as Manifest).manifests?.length, 2);
		const { id } = await inspectImage(box.engine, NAME, signal);
		const index = readFileSync(join(layout, "index.json"), "utf8");
		assert.equal(JSON.parse(index).manifests[0].digest, id);
	});

	test("takes what is loaded into it, of which only new layers came", async () => {
		if (here === undefined) return;
		const cache = join(root, "other-cache");
		const load = ["--load", "--on", here.networkHost, "--ssh-config", here.sshConfigFile];
		writeLayers({ below: randomBytes(1_000_000) });
		await delivered(cache, ...load);
		writeLayers({});
		const { bytes } = await delivered(cache, ...load);
		assert.ok(bytes > TOP_BYTES && bytes < TOP_BYTES + 64 * 1024, `${bytes} bytes`);
		const top = readFileSync(join(root, "layered/top"));
		assert.equal(await imageFile(box.engine, NAME, "/top"), top.toString("utf8"));
	});

	function writeLayers({ below }: { readonly below?: Buffer }): void {
		const folder = join(root, "layered");
		mkdirSync(folder, { recursive: true });
		writeFileSync(join(folder, "Dockerfile"), `FROM ${BASE_IMAGE}\nCOPY below /\nCOPY top /\n`);
		if (below !== undefined) writeFileSync(join(folder, "below"), below);
		writeFileSync(join(folder, "top"), randomBytes(TOP_BYTES).toString("hex"));
	}
});
