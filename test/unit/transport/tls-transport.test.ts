import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import {
	type AddressInfo,
	createServer as createTcpServer,
	type Server,
	type Socket,
} from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { createServer, type TlsOptions } from "node:tls";
import { ConnectionError, UsageError } from "../../../src/errors.js";
import type { BuildEvent } from "../../../src/events.js";
import type { TlsFiles } from "../../../src/target/target.js";
import { openTransport, readTransportSettings } from "../../../src/transport/open-transport.js";
import { tlsFailure } from "../../../src/transport/tls-failure.js";
import { readTlsMaterial } from "../../../src/transport/tls-material.js";
import type { Transport } from "../../../src/transport/transport.js";
import { Authority, type Pair } from "../../support/certificates.js";
import { without } from "../../support/this-system.js";

const never = new AbortController().signal;

const skip = without("openssl");

let directory: string;
let ours: Authority;
let theirs: Authority;
let client: Pair;
before(() => {
	directory = mkdtempSync(join(tmpdir(), "rbuild-tls-"));
	if (skip) return;
	ours = new Authority(directory, "ours");
	theirs = new Authority(directory, "theirs");
	client = ours.forClient();
});
after(() => rmSync(directory, { recursive: true, force: true }));

function file(name: string, content: string): string {
	const path = join(directory, name);
	writeFileSync(path, content, { mode: 0o600 });
	return path;
}

/** Gives back what it is sent. */
async function listen(server: Server): Promise<AsyncDisposable & { readonly port: number }> {
	const sockets = new Set<Socket>();
	server.on("connection", (socket: Socket) => {
		sockets.add(socket);
		socket.on("error", () => {});
	});
	server.listen(0, "127.0.0.1");
	await once(server, "listening");
	return {
		port: (server.address() as AddressInfo).port,
		async [Symbol.asyncDispose]() {
			for (const socket of sockets) socket.destroy();
			server.close();
			await once(server, "close");
		},
	};
}

function echo(pair: Pair, options: TlsOptions = {}) {
	const cert = readFileSync(pair.certificate);
	const server = createServer({ cert, key: readFileSync(pair.key), ...options }, (stream) => {
		stream.on("error", () => {}).pipe(stream);
	});
	server.on("tlsClientError", () => {});
	return listen(server);
}

async function open(
	port: number,
	tls: TlsFiles,
	{ host = "127.0.0.1", events = [] as BuildEvent[] } = {},
) {
	const chosen = { target: { kind: "tls", host, port, tls }, chosenBy: "--on" } as const;
	const environment = {
		...{ variables: {}, homeDirectory: "/", userName: "ann" },
		...{ platform: process.platform, workingDirectory: "/" },
	};
	const settings = readTransportSettings(chosen, environment, never);
	settings.catch(() => {});
	return openTransport(chosen, settings, never, (event) => events.push(event));
}

async function failureOf(opening: ReturnType<typeof open>): Promise<ConnectionError> {
	const failed = await opening.then(afterFirstBytes, (error: unknown) => error);
	assert.ok(failed instanceof ConnectionError, String(failed));
	return failed;
}

/** What TLS 1.3 says of a client's certificate comes with them. */
async function afterFirstBytes(opened: Transport): Promise<unknown> {
	await using transport = opened;
	const stream = await transport.open(never);
	stream.write("x");
	const [error] = await once(stream, "error");
	return error;
}

suite("a transport with TLS", { skip }, () => {
	test("carries bytes, and counts what is on the wire", async () => {
		await using server = await echo(ours.forServer("IP:127.0.0.1"));
		await using transport = await open(server.port, { verify: true, ca: ours.certificate });
		assert.equal(transport.route, "tls");
		assert.equal(transport.target, `tcp://127.0.0.1:${server.port}`);
		const stream = await transport.open(never);
		stream.write("hello");
		assert.equal(String(await once(stream, "data")), "hello");
		assert.ok(transport.wire.sent > 300 && transport.wire.received > 300);
		await transport[Symbol.asyncDispose]();
		assert.equal(stream.destroyed, true);
	});

	test("shows the client's certificate", async () => {
		const options = { ca: readFileSync(ours.certificate), requestCert: true };
		await using server = await echo(ours.forServer("DNS:localhost"), options);
		const files = { verify: true, ca: ours.certificate, ...client };
		await using transport = await open(server.port, files, { host: "localhost" });
		const stream = await transport.open(never);
		stream.write("hello");
		assert.equal(String(await once(stream, "data")), "hello");
	});

	for (const [what, server, reason] of [
		["of another CA", () => theirs.forServer("IP:127.0.0.1"), /signed by an unknown authority$/],
		["that has expired", () => ours.forServer("IP:127.0.0.1", { expired: true }), /has expired$/],
		[
			"for another name",
			() => ours.forServer("DNS:box.example,IP:10.0.0.5"),
			/is for DNS:box\.example, IP Address:10\.0\.0\.5, not for 127\.0\.0\.1$/,
		],
		["that is a client's", () => ours.forClient(), /is not one for servers$/],
	] as const) {
		test(`refuses a certificate ${what}, unless it does not look`, async () => {
			await using listening = await echo(server());
			const { port } = listening;
			const error = await failureOf(open(port, { verify: true, ca: ours.certificate }));
			assert.equal(error.failure, "certificate");
			assert.match(error.message, reason);
			assert.ok(error.message.startsWith(`cannot reach tcp://127.0.0.1:${port}: its certificate`));
			assert.ok(error.hint);

			const events: BuildEvent[] = [];
			await using _transport = await open(port, { verify: false }, { events });
			assert.match(JSON.stringify(events), /the certificate of tcp:.* is not checked/);
		});
	}

	for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const) {
		test(`tells that a client certificate is missing, with ${maxVersion}`, async () => {
			const ca = readFileSync(ours.certificate);
			const options = { ca, requestCert: true, maxVersion };
			await using server = await echo(ours.forServer("IP:127.0.0.1"), options);
			const error = await failureOf(open(server.port, { verify: true, ca: ours.certificate }));
			assert.equal(error.failure, "not-authenticated");
			assert.match(error.message, /it requires a client certificate$/);
		});
	}

	test("names the client certificate that was refused, and whether it has expired", async () => {
		// As Go's servers say it, dockerd among them; node's hang up.
		const alert = Object.assign(new Error(), { code: "ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE" });
		const explained = async (pair: Pair) => {
			const material = await readTlsMaterial({ verify: true, ...pair }, process.platform);
			return tlsFailure(alert, "tcp://box:2376", "box", material)?.message ?? "";
		};
		const refused = "cannot reach tcp://box:2376: it refuses the client certificate";
		assert.equal(await explained(client), `${refused} ${client.certificate}`);
		const old = ours.forClient({ expired: true });
		assert.match(await explained(old), /, which expired on \d{4}-\d\d-\d\d$/);
	});

	test("tells that a certificate is not valid yet, and asks about the clocks", async () => {
		const early = Object.assign(new Error(), { code: "CERT_NOT_YET_VALID" });
		const material = await readTlsMaterial({ verify: true }, process.platform);
		const failed = tlsFailure(early, "tcp://box:2376", "box", material);
		assert.equal(failed?.failure, "certificate");
		assert.equal(failed?.message, "cannot reach tcp://box:2376: its certificate is not valid yet");
		assert.match(failed?.hint ?? "", /clock/);
	});

	test("tells that the other side speaks no TLS", async () => {
		await using server = await listen(
			createTcpServer((socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n")),
		);
		const error = await failureOf(open(server.port, { verify: true }));
		assert.equal(error.failure, "protocol");
		assert.match(error.message, /: it does not speak TLS$/);
	});

	test("tells that the other side hung up", async () => {
		await using server = await listen(createTcpServer((socket) => socket.end()));
		const error = await failureOf(open(server.port, { verify: true }));
		assert.match(error.message, /hung up on TLS$|connection reset$/);
	});

	test("is given up when the run is", async () => {
		await using server = await listen(createTcpServer(() => {}));
		const tls = { verify: true };
		const target = { kind: "tls", host: "127.0.0.1", port: server.port, tls } as const;
		const abort = new AbortController();
		const settings = Promise.resolve({
			kind: "tls" as const,
			tls: await readTlsMaterial(tls, "linux"),
		});
		const opening = openTransport({ target, chosenBy: "--on" }, settings, abort.signal);
		setImmediate(() => abort.abort());
		await assert.rejects(opening, { name: "InterruptedError" });
	});
});

suite("TLS files", { skip }, () => {
	const read = (files: Partial<TlsFiles>) =>
		readTlsMaterial({ verify: true, ...files }, process.platform);

	async function refused(files: Partial<TlsFiles>, message: string, hint?: RegExp) {
		await assert.rejects(read(files), (error) => {
			assert.ok(error instanceof UsageError);
			assert.equal(error.message, message);
			assert.match(error.hint ?? "", hint ?? /./);
			return true;
		});
	}

	test("that are as they should be give no warning", async () => {
		chmodSync(client.key, 0o600);
		const { identity, warnings } = await read({ ca: ours.certificate, ...client });
		assert.equal(identity?.file, client.certificate);
		assert.deepEqual(warnings, []);
	});

	test("with a key that others may read give one", {
		skip: process.platform === "win32",
	}, async () => {
		const pair = ours.forClient();
		chmodSync(pair.key, 0o640);
		const { warnings } = await read(pair);
		assert.deepEqual(warnings, [
			{
				message: `others on this machine may read the key ${pair.key}`,
				hint: `run: chmod 600 ${pair.key}`,
			},
		]);
	});

	test("have to be there", async () => {
		await refused(
			{ ca: "/none/ca.pem" },
			"cannot read /none/ca.pem: no such file or directory",
			/--tlscacert/,
		);
	});

	test("have to be PEM", async () => {
		const text = file("text.pem", "hello");
		await refused({ ca: text }, `${text} is not a certificate in PEM`);
		await refused({ ...client, key: text }, `${text} is not a private key in PEM`);
		const cut = file("cut.pem", readFileSync(ours.certificate, "utf8").slice(0, 200));
		await refused({ ca: cut }, `${cut} is not a certificate in PEM`);
	});

	test("come in pairs that belong together", async () => {
		const { certificate, key } = client;
		await refused({ certificate }, `there is no client key to go with ${certificate}`);
		await refused({ key }, `there is no client certificate to go with ${key}`);
		const other = ours.forClient().key;
		await refused(
			{ certificate, key: other },
			`the key ${other} does not match the certificate ${certificate}`,
		);
	});

	for (const [form, args] of [
		["PKCS8", ["pkcs8", "-topk8", "-passout", "pass:x"]],
		["PEM", ["ec", "-aes128", "-passout", "pass:x"]],
	] as const) {
		test(`with an encrypted key in ${form} say how to decrypt it`, async () => {
			const key = join(directory, `encrypted-${form}.pem`);
			const stdio = ["ignore", "ignore", "ignore"] as const;
			execFileSync("openssl", [...args, "-in", client.key, "-out", key], { stdio: [...stdio] });
			const message = `the key ${key} is encrypted, which neither docker nor rbuild can use`;
			await refused({ ...client, key }, message, /openssl pkey -in/);
		});
	}
});
