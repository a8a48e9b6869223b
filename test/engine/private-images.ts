import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Closing } from "../../src/closing.js";
import { removeImage } from "../../src/engine/images.js";
import { pushBaseImage } from "../support/base-image.js";
import type { Box } from "../support/box.js";
import { type Finished, rbuild } from "../support/cli.js";
import { type Registry, startRegistry } from "../support/registry.js";
import { startTokenServer, type TokenServer } from "../support/token-server.js";

const signal = new AbortController().signal;

const LOGIN = { username: "me", password: "s3cret-Pa55/word:+é" };
const IDENTITY_TOKEN = "identity-t0ken/of:me";

export interface PrivateImagesPeer {
	/** An address of this machine, which the daemon reaches and which is nobody's loopback. */
	readonly address: string;
	/** @param registries those it may take any certificate of, if it can be told so at its start */
	open(registries: readonly string[]): Promise<Box>;
	/** Makes the daemon take a registry's certificate, until what is returned is disposed of. */
	trust(registryHost: string, certificateFile: string): AsyncDisposable;
}

/** Base images that only who has a login may pull; the login is on this side alone. */
export function testPrivateImages(peer: PrivateImagesPeer): void {
	let box: Box;
	let directory: string;
	let tokenServer: TokenServer;
	let registry: Registry;
	let basicRegistry: Registry;
	const closing = new Closing();

	before(async () => {
		directory = mkdtempSync(join(tmpdir(), "rbuild-private-"));
		const { address } = peer;
		const logins = { ...LOGIN, identityToken: IDENTITY_TOKEN };
		tokenServer = closing.use(await startTokenServer({ address, ...logins }));
		const tls = tokenServer;
		registry = closing.use(await startRegistry({ address, tokens: tokenServer, tls }));
		basicRegistry = closing.use(await startRegistry({ address, login: LOGIN, tls }));
		for (const { host } of [registry, basicRegistry]) {
			closing.use(peer.trust(host, tls.certificateFile));
		}
		box = closing.use(await peer.open([registry.host, basicRegistry.host]));
	});
	after(async () => {
		await closing[Symbol.asyncDispose]();
		rmSync(directory, { recursive: true, force: true });
	});

	/** A folder with a config.json, as `docker login` leaves it. */
	function configFolder(auths: Readonly<Record<string, unknown>>): string {
		const folder = mkdtempSync(join(directory, "config-"));
		writeFileSync(join(folder, "config.json"), JSON.stringify({ auths }));
		return folder;
	}

	const password = (text = LOGIN.password) => ({
		auth: Buffer.from(`${LOGIN.username}:${text}`).toString("base64"),
	});

	/** A private image under a name that the daemon does not have. */
	async function privateImage({ host }: Registry, name: string): Promise<string> {
		return pushBaseImage(box.engine, host, { ...LOGIN, serveraddress: host }, name);
	}

	async function build(
		image: string,
		config: string,
		{ knowsCertificate = true, args = [] as readonly string[] } = {},
	): Promise<Finished> {
		const root = mkdtempSync(join(directory, "context-"));
		writeFileSync(join(root, "Dockerfile"), `FROM ${image}\nRUN true\n`);
		const metadata = join(directory, "metadata.json");
		rmSync(metadata, { force: true });
		const finished = await rbuild(
			[
				root,
				...box.flags,
				"--no-cache",
				"--network",
				"none",
				"--pull",
				"--debug",
				"--metadata-file",
				metadata,
				...args,
			],
			{
				env: {
					DOCKER_CONFIG: config,
					...(knowsCertificate && { NODE_EXTRA_CA_CERTS: tokenServer.certificateFile }),
				},
			},
		);
		const written = `${finished.stdout}${finished.stderr}${reportIn(metadata)}`;
		const logins = [LOGIN.password, IDENTITY_TOKEN];
		const secrets = [...logins, password().auth, ...tokenServer.tokens];
		for (const secret of secrets) assert.ok(!written.includes(secret), written);
		const { imageId } = JSON.parse(reportIn(metadata) || "{}");
		if (imageId !== undefined) await removeImage(box.engine, imageId, signal);
		return finished;
	}

	/** What the token server is asked for while something is done. */
	async function asked(work: () => Promise<Finished>, code = 0) {
		const before = tokenServer.requests.length;
		const { code: found, stderr } = await work();
		assert.equal(found, code, stderr);
		return { requests: tokenServer.requests.slice(before), stderr };
	}

	for (const transfer of ["tar", "sync"]) {
		for (const progress of ["json", "plain"]) {
			test(`get their tokens on this side, beside a ${transfer} (${progress})`, async () => {
				const image = await privateImage(registry, `a-${transfer}-${progress}:1`);
				const config = configFolder({ [registry.host]: password() });
				const args = ["--transfer", transfer, "--progress", progress, "-v"];
				const { requests } = await asked(() => build(image, config, { args }));
				const scope = `repository:${image.split("/")[1]?.split(":")[0]}:pull`;
				const seen = { method: "GET", fromDaemon: false, login: "password", accepted: true };
				assert.deepEqual(requests, [{ ...seen, scopes: [scope] }]);
			});
		}
	}

	test("go on with the tokens of the last build", async () => {
		const image = await privateImage(registry, "again:1");
		const config = configFolder({ [registry.host]: password() });
		assert.equal((await asked(() => build(image, config))).requests.length, 1);
		assert.equal((await asked(() => build(image, config))).requests.length, 0);
		// Another user's machine does not have what this one has got.
		const other = configFolder({ [registry.host]: password("wrong") });
		const { requests } = await asked(() => build(image, other), 1);
		assert.deepEqual(
			requests.map(({ accepted }) => accepted),
			[false],
		);
	});

	test("have an identity token exchanged for theirs", async () => {
		const image = await privateImage(registry, "identity:1");
		const config = configFolder({ [registry.host]: { identitytoken: IDENTITY_TOKEN } });
		const { requests } = await asked(() => build(image, config));
		assert.deepEqual(
			requests.map(({ method, fromDaemon, login }) => ({ method, fromDaemon, login })),
			[{ method: "POST", fromDaemon: false, login: "identity token" }],
		);
	});

	test("give the box the login where only the box reaches the registry", async () => {
		const image = await privateImage(registry, "unreachable:1");
		const config = configFolder({ [registry.host]: password() });
		const { requests } = await asked(() => build(image, config, { knowsCertificate: false }));
		assert.deepEqual([...new Set(requests.map(({ fromDaemon }) => fromDaemon))], [true]);
		assert.ok(requests.some(({ accepted }) => accepted));
	});

	test("say who did not take the login, in one line", async () => {
		const image = await privateImage(registry, "refused:1");
		const config = configFolder({ [registry.host]: password("wrong") });
		const { stderr } = await asked(() => build(image, config), 1);
		const place = new URL(tokenServer.realm).host;
		assert.match(
			stderr,
			new RegExp(
				`^error: .*no token for ${registry.host} from ${place}: it does not accept the login \\(401 Unauthorized\\)$`,
				"m",
			),
		);
		assert.match(stderr, /^hint: .*docker login/m);
		assert.doesNotMatch(stderr, /^warning/m);
	});

	test("say that there is no login", async () => {
		const image = await privateImage(registry, "anonymous:1");
		const { stderr } = await asked(() => build(image, configFolder({})), 1);
		assert.match(stderr, /^hint: .*docker login/m);
	});

	for (const transfer of ["tar", "sync"]) {
		test(`come with a password, too, beside a ${transfer}`, async () => {
			const image = await privateImage(basicRegistry, `basic-${transfer}:1`);
			const config = configFolder({ [basicRegistry.host]: password() });
			const args = ["--transfer", transfer, "--progress", "json"];
			const { code, stderr } = await build(image, config, { args });
			assert.equal(code, 0, stderr);
		});
	}

	test("get the login of their own registry only", async () => {
		const image = await privateImage(basicRegistry, "other:1");
		const { code, stderr } = await build(image, configFolder({ [registry.host]: password() }));
		assert.equal(code, 1, stderr);
	});
}

function reportIn(file: string): string {
	try {
		return readFileSync(file, "utf8");
	} catch {
		return "";
	}
}
